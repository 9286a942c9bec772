//! The name of a branch, by the rules of git-check-ref-format(1) with `--branch`.

use std::fmt;

use crate::model::Invalid;

/// The name of a branch, without `refs/heads/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Branch(String);

impl Branch {
    /// Longest accepted name, in bytes: a name is also a file name in a repository.
    pub const MAX_BYTES: usize = 244;

    /// Reads a name; spaces around it are dropped, everything else is kept or refused.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let name = text.trim();
        match find_fault(name) {
            None => Ok(Self(name.to_owned())),
            Some(fault) => Err(Invalid::new(format!(
                "A branch {fault}. Use the name as the forge shows it, such as main or release/1.2."
            ))),
        }
    }

    /// The name, without `refs/heads/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The first rule of git-check-ref-format(1) that a name breaks.
fn find_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("needs a name");
    }
    if name.len() > Branch::MAX_BYTES {
        return Some("may have at most 244 bytes");
    }
    if name.starts_with('-') {
        return Some("may not begin with a dash");
    }
    if name.starts_with("refs/") {
        return Some("is written without refs/heads/");
    }
    if name == "@" || name == "HEAD" {
        return Some("may not be called @ or HEAD");
    }
    if name
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c))
    {
        return Some("may not contain spaces, control characters or any of ~ ^ : ? * [ \\");
    }
    if name.contains("..") || name.contains("@{") {
        return Some("may not contain .. or @{");
    }
    if name.ends_with('.') {
        return Some("may not end with a dot");
    }
    let is_bad_part = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
    if name.split('/').any(is_bad_part) {
        return Some("may have no part that is empty, begins with a dot or ends with .lock");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_names_that_forges_show() {
        for name in [
            "main",
            "release/1.2",
            "feature/Ü-größe",
            "a.b",
            "x@y",
            "dependabot/npm_and_yarn/x-1.0",
            "#12",
            "a-",
        ] {
            assert_eq!(Branch::parse(name).unwrap().as_str(), name);
        }
        assert_eq!(Branch::parse(" main\n").unwrap().as_str(), "main");
    }

    /// Case git-dangerous-sources; the rest is git-check-ref-format(1).
    #[test]
    fn refuses_names_that_git_refuses_or_could_misread() {
        for name in [
            "",
            " ",
            "--orphan",
            "-f",
            "a..b",
            "x y",
            "a\tb",
            "a\u{7f}b",
            "a~1",
            "a^",
            "a:b",
            "a?b",
            "a*",
            "a[b",
            "a\\b",
            "@",
            "HEAD",
            "a@{1}",
            "@{-1}",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a.lock",
            "a.lock/b",
            "a.",
            "refs/heads/main",
            "main:refs/heads/x",
            "+main:x",
        ] {
            let message = Branch::parse(name).expect_err(name).0;
            assert!(message.contains("such as main"), "{message}");
        }
        assert!(Branch::parse(&"a".repeat(245)).is_err());
    }
}
