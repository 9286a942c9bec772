//! The names of commits: the whole one that a deployment records, and the beginning of one that a user may type.

use std::fmt;

use crate::model::Invalid;

/// A commit's whole name: 40 hexadecimal digits in lower case (SHA-1, as every forge has it).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitSha(String);

impl CommitSha {
    /// Reads 40 hexadecimal digits of either case.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match parse_digits(text, 40) {
            Some(digits) => Ok(Self(digits)),
            None => Err(Invalid::new("A commit is named by its 40 hexadecimal digits.")),
        }
    }

    /// The 40 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 7 digits, as forges show them.
    pub fn short(&self) -> &str {
        &self.0[..7]
    }
}

impl fmt::Display for CommitSha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The beginning of a commit's name, 7 to 40 hexadecimal digits, as a request may give it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitPrefix(String);

impl CommitPrefix {
    /// Reads 7 to 40 hexadecimal digits of either case; spaces around them are dropped.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match parse_digits(text.trim(), 7) {
            Some(digits) => Ok(Self(digits)),
            None => Err(Invalid::new(
                "A commit is named by 7 to 40 hexadecimal digits, such as 1f0c9d2.",
            )),
        }
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The commit itself, if the digits are all there.
    pub fn whole(&self) -> Option<CommitSha> {
        CommitSha::parse(&self.0).ok()
    }

    /// Whether that commit's name begins with these digits.
    pub fn matches(&self, commit: &CommitSha) -> bool {
        commit.0.starts_with(&self.0)
    }
}

impl fmt::Display for CommitPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&CommitSha> for CommitPrefix {
    fn from(commit: &CommitSha) -> Self {
        Self(commit.0.clone())
    }
}

fn parse_digits(text: &str, at_least: usize) -> Option<String> {
    let is_right = (at_least..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_right.then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "0123456789abcdef0123456789ABCDEF01234567";

    #[test]
    fn a_whole_name_has_forty_digits() {
        let commit = CommitSha::parse(WHOLE).unwrap();
        assert_eq!(commit.as_str(), WHOLE.to_lowercase());
        assert_eq!(commit.short(), "0123456");
        for text in [
            "",
            "main",
            &WHOLE[..39],
            &format!("{WHOLE}0"),
            &WHOLE.replace('0', "g"),
            &format!(" {}", &WHOLE[1..]),
        ] {
            assert!(CommitSha::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_prefix_has_seven_to_forty_digits() {
        for (text, kept) in [
            ("0123456", "0123456"),
            (" 0123456789AB ", "0123456789ab"),
            (WHOLE, &WHOLE.to_lowercase()),
        ] {
            assert_eq!(CommitPrefix::parse(text).unwrap().as_str(), kept);
        }
        for text in ["", "012345", "-f", "HEAD~1", "012345g", &format!("{WHOLE}0")] {
            assert!(CommitPrefix::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_prefix_knows_its_commit() {
        let commit = CommitSha::parse(WHOLE).unwrap();
        let short = CommitPrefix::parse("0123456789AB").unwrap();
        assert!(short.matches(&commit));
        assert_eq!(short.whole(), None);
        assert_eq!(CommitPrefix::from(&commit).whole(), Some(commit));
        assert!(
            !CommitPrefix::parse("0123457")
                .unwrap()
                .matches(&CommitSha::parse(WHOLE).unwrap())
        );
    }
}
