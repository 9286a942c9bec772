//! Names and passwords of those who may open a domain that asks for a password (RFC 7617).

use super::Invalid;

/// Longest name, in bytes.
const MAX_NAME_BYTES: usize = 64;
/// What bcrypt reads of a password, in bytes; longer ones would be cut without a word.
const MAX_PASSWORD_BYTES: usize = 72;
/// Shortest password that is worth asking for, in characters.
const MIN_PASSWORD_CHARS: usize = 8;

/// Most users of one domain; each is a hash to try at the proxy.
pub const MAX_USERS: usize = 50;

/// A name as it can stand in an htpasswd line and a header.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SiteUserName(String);

impl SiteUserName {
    /// Reads a name; the colon ends it in both places and is refused.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._@+".contains(c);
        if (1..=MAX_NAME_BYTES).contains(&text.len()) && text.chars().all(is_allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new(format!(
                "Use 1 to {MAX_NAME_BYTES} letters, digits and - . _ @ +."
            )))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Refuses a password that is too short to help or longer than what is compared.
pub fn check_password(text: &str) -> Result<String, Invalid> {
    if text.chars().count() < MIN_PASSWORD_CHARS || text.len() > MAX_PASSWORD_BYTES || text.contains(char::is_control) {
        return Err(Invalid::new(format!(
            "Use a password of {MIN_PASSWORD_CHARS} characters to {MAX_PASSWORD_BYTES} bytes, without line breaks."
        )));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{SiteUserName, check_password};

    #[test]
    fn names_fit_into_a_line_and_passwords_are_compared_whole() {
        assert_eq!(
            SiteUserName::parse(" ann@example.com ").expect("a name").as_str(),
            "ann@example.com"
        );
        for text in ["", "a:b", "a b", "a\nb", "é", "{{", &"a".repeat(65)] {
            assert!(SiteUserName::parse(text).is_err(), "{text:?}");
        }
        assert!(check_password("pässwörd").is_ok());
        for text in ["", "short", "with\nbreak", &"a".repeat(73), &"ä".repeat(37)] {
            assert!(check_password(text).is_err(), "{text:?}");
        }
    }
}
