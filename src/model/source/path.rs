//! A path inside a repository, as users write it for the root directory, the context or the Dockerfile.

use std::fmt;

use crate::model::Invalid;

/// A normalised path below a directory that it cannot leave; the empty path is that directory itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RelativePath(String);

impl RelativePath {
    /// Longest accepted path, in bytes.
    pub const MAX_BYTES: usize = 255;

    /// Reads a path: `.` parts, doubled and closing slashes are dropped, `..` parts are refused even where they
    /// would stay inside, since a link may stand before them.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let refuse = |fault: &str| {
            Err(Invalid::new(format!(
                "The path {fault}. Use a path inside the repository with slashes, such as services/web, or leave it \
                 empty for the repository itself."
            )))
        };
        if text.len() > Self::MAX_BYTES {
            return refuse("is longer than 255 bytes");
        }
        if text.starts_with('/') {
            return refuse("may not begin with a slash");
        }
        if text.contains('\\') || text.chars().any(char::is_control) {
            return refuse("may not contain backslashes or control characters");
        }
        let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        if parts.contains(&"..") {
            return refuse("may not contain ..");
        }
        let path = parts.join("/");
        if path.starts_with('-') {
            return refuse("may not begin with a dash");
        }
        Ok(Self(path))
    }

    /// The path with single slashes between its parts; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the directory that it is relative to.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises() {
        for (text, kept) in [
            ("", ""),
            (".", ""),
            ("./", ""),
            ("Dockerfile", "Dockerfile"),
            ("./services//web/", "services/web"),
            (" a b/c ", "a b/c"),
            ("a/...", "a/..."),
            (".docker/Dockerfile.prod", ".docker/Dockerfile.prod"),
            ("größe", "größe"),
        ] {
            assert_eq!(RelativePath::parse(text).unwrap().as_str(), kept, "{text:?}");
        }
        assert!(RelativePath::parse("./.").unwrap().is_root());
        assert_eq!(RelativePath::default(), RelativePath::parse("").unwrap());
    }

    #[test]
    fn refuses_what_leaves_or_could_be_misread() {
        for text in [
            "/etc",
            "..",
            "../x",
            "a/../b",
            "a/..",
            "-f",
            "./-f",
            "a\\b",
            "a\0b",
            "a\nb",
            &"a".repeat(256),
        ] {
            let message = RelativePath::parse(text).expect_err(text).0;
            assert!(message.contains("services/web"), "{message}");
        }
    }
}
