//! Names that appear in URLs, host names and Docker objects.

use std::fmt;

use super::Invalid;

/// Longest slug, so that `<slug>.<base domain>` and container names stay within DNS's 63 bytes a label (RFC 1035 §2.3.4).
const MAX_LENGTH: usize = 40;

/// Slugs that pages need for themselves.
const RESERVED: [&str; 1] = ["new"];

/// An app's name in URLs and host names: `[a-z]([a-z0-9-]{0,38}[a-z0-9])?`, unique in the instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppSlug(String);

/// A project's name in URLs and in its Docker network; the same rule as an app's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProjectSlug(String);

macro_rules! slug {
    ($name:ident) => {
        impl $name {
            /// Accepts a text that obeys the rule; nothing is trimmed or lower-cased.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                check(text)?;
                Ok(Self(text.to_owned()))
            }

            /// Makes a slug of a display name (`My Shop!` → `my-shop`), `None` when no letter is left.
            pub fn from_name(name: &str) -> Option<Self> {
                let slug = derive(name);
                check(&slug).ok().map(|()| Self(slug))
            }

            /// The same slug with `-2`, `-3`, … in place of its end, for a name that is taken.
            pub fn numbered(&self, number: u32) -> Self {
                let suffix = format!("-{number}");
                let head: String = self.0.chars().take(MAX_LENGTH - suffix.len()).collect();
                Self(format!("{}{suffix}", head.trim_end_matches('-')))
            }

            /// The slug as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

slug!(AppSlug);
slug!(ProjectSlug);

fn check(text: &str) -> Result<(), Invalid> {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_shaped = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(is_allowed)
        && !text.ends_with('-')
        && text.len() <= MAX_LENGTH;
    if !is_shaped {
        return Err(Invalid::new(
            "Use 1 to 40 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen.",
        ));
    }
    if RESERVED.contains(&text) {
        return Err(Invalid::new(format!(
            "“{text}” is used by the panel itself; choose another one."
        )));
    }
    Ok(())
}

fn derive(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_lowercase() || (c.is_ascii_digit() && !slug.is_empty()) {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(MAX_LENGTH);
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_documented_shape_is_accepted() {
        for good in ["a", "web", "my-app-2", "a--b", &"a".repeat(40)] {
            assert!(AppSlug::parse(good).is_ok(), "{good}");
        }
        let long = "a".repeat(41);
        for bad in [
            "", "A", "2a", "-a", "a-", "a_b", "a b", "a.b", "é", "new", "a\n", &long, "$(id)", "{{x}}",
        ] {
            assert!(AppSlug::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_display_name_becomes_a_slug() {
        let cases = [
            ("My Shop!", "my-shop"),
            ("  42 Answers", "answers"),
            ("Ünïcode café", "n-code-caf"),
            ("a", "a"),
        ];
        for (name, slug) in cases {
            assert_eq!(AppSlug::from_name(name).map(|s| s.to_string()).as_deref(), Some(slug));
        }
        assert_eq!(AppSlug::from_name("!!!"), None);
        assert_eq!(AppSlug::from_name("New"), None);
    }

    #[test]
    fn a_numbered_slug_keeps_the_rule() {
        let slug = AppSlug::parse(&"a".repeat(40)).unwrap().numbered(12);
        assert!(AppSlug::parse(slug.as_str()).is_ok());
        assert!(slug.as_str().ends_with("-12"));
    }
}
