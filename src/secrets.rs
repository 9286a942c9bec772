//! Everything that must stay secret: password hashes, sealed values, tokens, redaction.
//!
//! One key, `secret.key`, seals all values; each is bound to the row it belongs to, so that a value copied to
//! another row does not open. What cannot be opened is an error, never an empty value.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

mod deploy_key;
mod passwords;
mod signatures;
mod site_password;
mod totp;

pub use deploy_key::DeployKey;
pub use passwords::Passwords;
pub use signatures::{check_signature, random_webhook_secret};
pub use site_password::htpasswd_line;
pub use totp::{TotpSecret, hash_recovery_code, recovery_code};

/// Bytes of the nonce in front of every sealed value (XChaCha20).
const NONCE_BYTES: usize = 24;

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
    /// A value was sealed under another key or for another row, or was changed.
    #[error("a stored secret cannot be opened with this server's secret.key")]
    Unreadable,
}

/// The key of this installation.
#[derive(Clone)]
pub struct SecretKey(Arc<[u8; 32]>);

impl SecretKey {
    /// Reads the key, or makes one when there is none; the file is private (0600) from its first byte.
    pub fn load_or_create(path: &Path) -> Result<Self, Error> {
        let unusable = |reason: String| Error::KeyFile {
            path: path.display().to_string(),
            reason,
        };
        match fs::File::open(path) {
            Ok(mut file) => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes).map_err(|e| unusable(e.to_string()))?;
                let key = <[u8; 32]>::try_from(bytes).map_err(|_| unusable("it does not hold 32 bytes".into()))?;
                Ok(Self(Arc::new(key)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key: [u8; 32] = random_bytes();
                let mut file = fs::OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(path)
                    .map_err(|e| unusable(e.to_string()))?;
                file.write_all(&key)
                    .and_then(|()| file.sync_all())
                    .map_err(|e| unusable(e.to_string()))?;
                Ok(Self(Arc::new(key)))
            }
            Err(error) => Err(unusable(error.to_string())),
        }
    }

    /// Seals a value for the row that `identity` names.
    pub fn seal(&self, identity: &str, value: &str) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = random_bytes();
        let payload = Payload {
            msg: value.as_bytes(),
            aad: identity.as_bytes(),
        };
        let sealed = self.cipher().encrypt(XNonce::from_slice(&nonce), payload);
        let sealed = sealed.expect("XChaCha20-Poly1305 takes values up to 256 GiB");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens what [`SecretKey::seal`] made for the same identity.
    pub fn unseal(&self, identity: &str, sealed: &[u8]) -> Result<String, Error> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES).ok_or(Error::Unreadable)?;
        let payload = Payload {
            msg: sealed,
            aad: identity.as_bytes(),
        };
        let value = self
            .cipher()
            .decrypt(XNonce::from_slice(nonce), payload)
            .map_err(|_| Error::Unreadable)?;
        String::from_utf8(value).map_err(|_| Error::Unreadable)
    }

    /// A password for a part of Dhow's own, the same at every start (RFC 5869's expand step with one block).
    pub fn derive_password(&self, purpose: &str) -> String {
        self.mac(&[purpose.as_bytes(), &[1]])
    }

    /// A text by which equal values are known without being stored; worthless without the key.
    pub fn digest(&self, value: &str) -> String {
        self.mac(&[b"digest of a value\0", value.as_bytes()])
    }

    fn mac(&self, parts: &[&[u8]]) -> String {
        let mut mac =
            <Hmac<Sha256> as hmac::Mac>::new_from_slice(self.0.as_slice()).expect("HMAC takes keys of any length");
        parts.iter().for_each(|part| mac.update(part));
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.0.as_slice().into())
    }
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

    /// Hides these values, and each line of those with several.
    pub fn of(values: impl IntoIterator<Item = String>) -> Self {
        let mut hidden: Vec<String> = Vec::new();
        for value in values {
            hidden.extend(
                value
                    .lines()
                    .filter(|line| line.len() >= Self::MIN_BYTES)
                    .map(str::to_owned),
            );
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SecretKey {
        SecretKey(Arc::new([7; 32]))
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_own_row() {
        let sealed = key().seal("env:1:A", "valüe");
        assert_eq!(key().unseal("env:1:A", &sealed).unwrap(), "valüe");
        assert!(key().unseal("env:2:A", &sealed).is_err());
        assert!(SecretKey(Arc::new([8; 32])).unseal("env:1:A", &sealed).is_err());
        assert!(key().unseal("env:1:A", &sealed[..10]).is_err());
        assert!(!sealed.windows(3).any(|w| w == b"val"));
    }

    #[test]
    fn the_key_file_is_private_and_stays_the_same() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        let first = SecretKey::load_or_create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = SecretKey::load_or_create(&path).unwrap();
        assert_eq!(first.derive_password("proxy"), again.derive_password("proxy"));
        assert_ne!(first.derive_password("proxy"), first.derive_password("other"));
        fs::write(&path, b"short").unwrap();
        assert!(SecretKey::load_or_create(&path).is_err());
    }

    #[test]
    fn redaction_hides_every_line_of_a_secret() {
        let redaction = Redaction::of(["hunter2-long\nsecond-line".to_owned(), "abc".to_owned()]);
        assert_eq!(redaction.apply("x hunter2-long y second-line abc"), "x *** y *** abc");
    }
}
