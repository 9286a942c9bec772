//! Everything that must stay secret: password hashes, sealed values, tokens, redaction.
//!
//! One key, `secret.key`, seals all values; each is bound to the row it belongs to, so that a value copied to
//! another row does not open. What cannot be opened is an error, never an empty value.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

mod deploy_key;
mod key;
mod key_files;
mod passwords;
mod signatures;
mod site_password;
mod totp;

pub use deploy_key::DeployKey;
pub use key::SecretKey;
pub use key_files::{KeyLock, Rotation};
pub use passwords::Passwords;
pub use signatures::{check_signature, random_webhook_secret};
pub use site_password::htpasswd_line;
pub use totp::{TotpSecret, hash_recovery_code, recovery_code};

/// What can go wrong with the key or a sealed value.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key file cannot be used.
    #[error("the key file {path} cannot be used: {reason}")]
    KeyFile {
        /// Where it is.
        path: String,
        /// Why.
        reason: String,
    },
    /// The key is gone; another one would open nothing.
    #[error("{path} is missing; put it back, the stored variables are sealed with it")]
    KeyMissing {
        /// Where it was.
        path: String,
    },
    /// The key is another one than everything was sealed with.
    #[error("{path} is not the key that sealed the stored variables; put the right one back")]
    WrongKey {
        /// Where it is.
        path: String,
    },
    /// A value was sealed under another key or for another row, or was changed.
    #[error("a stored secret cannot be opened with this server's secret.key")]
    Unreadable,
}

/// A random text for tokens and links: 32 bytes as unpadded base64url (43 characters).
pub fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<32>())
}

/// A short random text for labels: 12 bytes as hexadecimal digits.
pub fn random_label() -> String {
    random_bytes::<12>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash under which a random token is stored. Plain SHA-256 suffices for 256 random bits.
pub fn hash_token(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Whether two texts are equal, in a time that does not depend on where they differ.
pub fn is_same(one: &str, other: &str) -> bool {
    use subtle::ConstantTimeEq as _;
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has a random source");
    bytes
}

/// Replaces known secret values in text that others may read.
#[derive(Clone, Default)]
pub struct Redaction(Vec<String>);

impl Redaction {
    /// Shorter values would tear ordinary words apart and are hardly secrets.
    const MIN_BYTES: usize = 6;

    /// Longer lines are hidden in pieces too, since a log shows only the beginning of a long line.
    const PIECE_BYTES: usize = 1024;

    /// Hides these values, each line of those with several (also what stands between carriage returns), and the pieces of
    /// long lines.
    pub fn of(values: impl IntoIterator<Item = String>) -> Self {
        let mut hidden: Vec<String> = Vec::new();
        for value in values {
            for line in value.split(['\r', '\n']) {
                hidden.push(line.to_owned());
                if line.len() > Self::PIECE_BYTES {
                    hidden.extend(pieces(line, Self::PIECE_BYTES));
                }
            }
        }
        hidden.retain(|text| text.len() >= Self::MIN_BYTES);
        hidden.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self(hidden)
    }

    /// The text with `***` in place of every known value.
    pub fn apply(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, hidden| {
            if text.contains(hidden) {
                text.replace(hidden, "***")
            } else {
                text
            }
        })
    }
}

/// The line in pieces of at most `most` bytes.
fn pieces(line: &str, most: usize) -> impl Iterator<Item = String> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(most));
        rest = after;
        (!piece.is_empty()).then(|| piece.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redaction_hides_every_line_of_a_secret() {
        let redaction = Redaction::of(["hunter2-long\nsecond-line".to_owned(), "abc".to_owned()]);
        assert_eq!(redaction.apply("x hunter2-long y second-line abc"), "x *** y *** abc");
    }

    #[test]
    fn redaction_hides_what_a_log_shows_of_a_secret_with_carriage_returns_or_in_a_long_line() {
        let long: String = (0..20_000).map(|number| format!("{number}é")).collect();
        let redaction = Redaction::of(["first-part\rsecond-part\r\nthird-part".to_owned(), long.clone()]);
        assert_eq!(redaction.apply("second-part"), "***");
        assert_eq!(redaction.apply("a third-part first-part"), "a *** ***");
        assert_eq!(redaction.apply(&long), "***");
        let shown = &long[..long.floor_char_boundary(64 * 1024)];
        let hidden = redaction.apply(shown).replace("***", "");
        assert!(
            hidden.len() < Redaction::PIECE_BYTES,
            "{} bytes are shown",
            hidden.len()
        );
    }
}
