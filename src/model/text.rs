//! The error of every `parse`, and text rules that several words share.

use std::fmt;
use std::path::Path;

/// Why a value was refused: a sentence that names what is allowed, shown beside the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

impl Invalid {
    /// A refusal with its sentence.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// A name for people: 1 to 80 characters on one line, white space at its ends removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Longest name in characters; it must fit a phone's heading.
    const MAX_CHARS: usize = 80;

    /// Accepts any printable text on one line.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let trimmed = text.trim();
        let is_printable = |c: char| !c.is_control() && !is_invisible(c);
        if trimmed.is_empty() || trimmed.chars().count() > Self::MAX_CHARS || !trimmed.chars().all(is_printable) {
            return Err(Invalid::new(
                "Use 1 to 80 characters on one line, without control characters.",
            ));
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Characters that change how the text around them is read without being seen (Unicode TR 36 §2.4).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A path out of somebody's repository for a sentence on one line: what would forge lines or colours is escaped.
pub fn shown_path(path: &Path) -> String {
    let mut shown = String::new();
    for c in path.to_string_lossy().chars() {
        if c.is_control() || is_invisible(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// A command for the app's own container: one line, run there by the image's `/bin/sh`, never on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerCommand(String);

impl ContainerCommand {
    /// The program of the image that runs it.
    pub const SHELL: &str = "/bin/sh";

    /// Accepts up to 2,000 bytes on one line.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.len() > 2_000 || trimmed.chars().any(char::is_control) {
            return Err(Invalid::new(
                "Use one line of at most 2,000 characters; it runs in the app's container.",
            ));
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// The command as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the container is told to run.
    pub fn to_argv(&self) -> Vec<String> {
        vec![Self::SHELL.to_owned(), "-c".to_owned(), self.0.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_path_is_one_printable_line() {
        for (path, shown) in [
            ("a b/ü.txt", "a b/ü.txt"),
            ("a\n==> b", r"a\n==> b"),
            ("\u{1b}[31m\u{9b}x\u{202e}", r"\u{1b}[31m\u{9b}x\u{202e}"),
        ] {
            assert_eq!(shown_path(Path::new(path)), shown);
        }
    }

    #[test]
    fn a_name_is_one_printable_line() {
        assert_eq!(Name::parse("  My <b>shop</b> ").unwrap().as_str(), "My <b>shop</b>");
        let long = "x".repeat(81);
        for bad in ["", "   ", "a\nb", "a\u{0}b", "a\u{202e}b", &long] {
            assert!(Name::parse(bad).is_err(), "{bad:?}");
        }
    }
}
