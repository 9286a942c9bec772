//! Which files of a repository an app is made of: globs against which the paths that a push changes are held.

use std::fmt;

use glob::{MatchOptions, Pattern};

use crate::model::Invalid;

/// As git reads them: `*` and `?` stay inside one part of a path, `**` does not, and small letters are not capital ones.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// A glob against paths from the repository's root. One that fits a directory fits everything in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchPath(Pattern);

impl WatchPath {
    /// Longest accepted glob, in bytes.
    pub const MAX_BYTES: usize = 255;
    /// Most globs of an app.
    pub const MAX_COUNT: usize = 100;

    /// Reads a glob; spaces around it and slashes at its ends are dropped.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refuse = |fault: &str| {
            Err(Invalid::new(format!(
                "The path {fault}. Use one such as services/web, *.toml or docs/**/*.md, counted from the repository's root."
            )))
        };
        let path = text.trim().trim_matches('/');
        if path.is_empty() {
            return refuse("is empty");
        }
        if path.len() > Self::MAX_BYTES {
            return refuse("is longer than 255 bytes");
        }
        if path.contains('\\') || path.chars().any(char::is_control) {
            return refuse("may not contain backslashes or control characters");
        }
        if path.starts_with('!') {
            return refuse("may not begin with !; name what is watched, not what is left out");
        }
        if path.split('/').any(|part| matches!(part, "." | ".." | "")) {
            return refuse("may not contain . or .. or an empty part");
        }
        match Pattern::new(path) {
            Ok(pattern) => Ok(Self(pattern)),
            Err(_) => refuse("is no glob: ** stands alone between slashes, and [ needs its ]"),
        }
    }

    /// The glob as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether a file, or a directory that it is in, fits.
    pub fn fits(&self, path: &str) -> bool {
        let directories = path.match_indices('/').map(|(at, _)| &path[..at]);
        directories.chain([path]).any(|part| self.0.matches_with(part, OPTIONS))
    }
}

impl fmt::Display for WatchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The first glob that a path fits.
pub fn first_watched<'a>(watched: &'a [WatchPath], path: &str) -> Option<&'a WatchPath> {
    watched.iter().find(|watched| watched.fits(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_fit_as_git_reads_them() {
        for (glob, fitting, others) in [
            (
                "services/web",
                vec!["services/web", "services/web/a/b.rs"],
                vec!["services/webs", "x/services/web"],
            ),
            ("/docs/", vec!["docs/a.md"], vec!["docs.md"]),
            ("*.toml", vec!["Cargo.toml"], vec!["a/Cargo.toml", "Cargo.TOML"]),
            ("**/*.md", vec!["a.md", "a/b/c.md"], vec!["a.mdx"]),
            ("src/**", vec!["src/a", "src/a/b"], vec!["lib/a"]),
            ("docs/**/*.md", vec!["docs/a.md", "docs/a/b.md"], vec!["docs/a.txt"]),
            ("a?[0-9]", vec!["ab1", "ab1/c"], vec!["a/1", "abc"]),
            ("*", vec!["a", "a/b", ".github/x"], vec![]),
        ] {
            let watched = WatchPath::parse(glob).unwrap();
            for path in fitting {
                assert!(watched.fits(path), "{glob} fits {path}");
            }
            for path in others {
                assert!(!watched.fits(path), "{glob} does not fit {path}");
            }
        }
    }

    #[test]
    fn what_is_no_glob_is_refused() {
        for bad in [
            "",
            " / ",
            "a\\b",
            "a\nb",
            "../x",
            "a//b",
            "./a",
            "!docs",
            "a**b",
            "[a",
            &"a".repeat(256),
        ] {
            let message = WatchPath::parse(bad).expect_err(bad).0;
            assert!(message.contains("such as services/web"), "{message}");
        }
    }
}
