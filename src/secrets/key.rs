//! The key of an installation, as a handle that goes on working when the key is changed beside it.
//!
//! `dhow secrets rotate` seals all rows anew in one transaction, also while `serve` runs. The database says which key
//! counts; the handle follows it before it seals, and finds the new key by itself when a value opens only with that.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::key_files::{KeyFiles, KeyLock};
use super::{Error, is_same, random_bytes};

/// Bytes of the nonce in front of every sealed value (XChaCha20).
const NONCE_BYTES: usize = 24;
/// What a key's fingerprint is derived for.
const FINGERPRINT_PURPOSE: &str = "fingerprint of secret.key";

/// One key.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key(pub(super) [u8; 32]);

impl Key {
    pub(super) fn random() -> Self {
        Self(random_bytes())
    }

    pub(super) fn fingerprint(&self) -> String {
        self.mac(&[FINGERPRINT_PURPOSE.as_bytes(), &[1]])
    }

    fn seal(&self, identity: &str, value: &str) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = random_bytes();
        let payload = Payload {
            msg: value.as_bytes(),
            aad: identity.as_bytes(),
        };
        let sealed = self.cipher().encrypt(XNonce::from_slice(&nonce), payload);
        let sealed = sealed.expect("XChaCha20-Poly1305 takes values up to 256 GiB");
        [nonce.as_slice(), &sealed].concat()
    }

    fn unseal(&self, identity: &str, sealed: &[u8]) -> Option<String> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES)?;
        let payload = Payload {
            msg: sealed,
            aad: identity.as_bytes(),
        };
        let value = self.cipher().decrypt(XNonce::from_slice(nonce), payload).ok()?;
        String::from_utf8(value).ok()
    }

    fn digest(&self, value: &str) -> String {
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

/// The key of this installation; clones share what they know of it.
#[derive(Clone)]
pub struct SecretKey {
    files: KeyFiles,
    known: Arc<RwLock<Known>>,
}

#[derive(Clone)]
struct Known {
    current: Key,
    /// The one before, for what was read from the database before it was changed.
    former: Option<Key>,
}

impl SecretKey {
    /// Opens the key with this fingerprint. A change of the key that was broken off is finished, or taken back where it
    /// had come to nothing. Without a fingerprint, for a new database, one is made unless the file is there.
    pub fn open(path: &Path, fingerprint: Option<&str>) -> Result<Self, Error> {
        KeyLock::wait(path)?.open(fingerprint)
    }

    pub(super) fn new(files: KeyFiles, current: Key) -> Self {
        let known = Known { current, former: None };
        Self {
            files,
            known: Arc::new(RwLock::new(known)),
        }
    }

    /// What tells this key from others; worthless without it.
    pub fn fingerprint(&self) -> String {
        self.known().current.fingerprint()
    }

    /// Goes over to the key with this fingerprint, if it is another one.
    pub fn follow(&self, fingerprint: &str) -> Result<(), Error> {
        if self.fingerprint() != fingerprint {
            self.change_to(self.files.find(|key| key.fingerprint() == fingerprint)?);
        }
        Ok(())
    }

    /// Seals a value for the row that `identity` names. To be called in the transaction that stores it: only there it
    /// is certain which key counts.
    pub fn seal(&self, identity: &str, value: &str) -> Vec<u8> {
        self.known().current.seal(identity, value)
    }

    /// Opens what [`SecretKey::seal`] made for the same identity.
    pub fn unseal(&self, identity: &str, sealed: &[u8]) -> Result<String, Error> {
        let known = self.known();
        let mut keys = std::iter::once(&known.current).chain(&known.former);
        if let Some(value) = keys.find_map(|key| key.unseal(identity, sealed)) {
            return Ok(value);
        }
        let opens = |key: &Key| key.unseal(identity, sealed).is_some();
        let key = self.files.find(opens).map_err(|_| Error::Unreadable)?;
        let value = key.unseal(identity, sealed).ok_or(Error::Unreadable);
        self.change_to(key);
        value
    }

    /// A password for a part of Dhow's own, the same for the same key (RFC 5869's expand step with one block).
    pub fn derive_password(&self, purpose: &str) -> String {
        self.known().current.mac(&[purpose.as_bytes(), &[1]])
    }

    /// A text by which equal values are known without being stored; worthless without the key.
    pub fn digest(&self, value: &str) -> String {
        self.known().current.digest(value)
    }

    /// Whether a text is this value's digest, also one from before the key was changed.
    pub fn is_digest(&self, value: &str, digest: &str) -> bool {
        let known = self.known();
        let mut keys = std::iter::once(&known.current).chain(&known.former);
        keys.any(|key| is_same(&key.digest(value), digest))
    }

    fn change_to(&self, key: Key) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.current != key {
            known.former = Some(std::mem::replace(&mut known.current, key));
            tracing::info!("secret.key was changed; the new key is in use");
        }
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SecretKey {
        SecretKey::new(KeyFiles::at(Path::new("/nonexistent/secret.key")), Key([byte; 32]))
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_own_row() {
        let sealed = key(7).seal("env:1:A", "valüe");
        assert_eq!(key(7).unseal("env:1:A", &sealed).unwrap(), "valüe");
        assert!(key(7).unseal("env:2:A", &sealed).is_err());
        assert!(key(8).unseal("env:1:A", &sealed).is_err());
        assert!(key(7).unseal("env:1:A", &sealed[..10]).is_err());
        assert!(!sealed.windows(3).any(|w| w == b"val"));
    }

    #[test]
    fn a_handle_finds_the_key_that_a_rotation_put_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        let handle = SecretKey::open(&path, None).unwrap();
        let (before, digest) = (handle.seal("row", "old"), handle.digest("same"));
        let made = crate::secrets::Rotation::begin(KeyLock::wait(&path).unwrap(), &handle.fingerprint()).unwrap();
        let after = made.new_key().seal("row", "new");

        assert_eq!(handle.unseal("row", &after).unwrap(), "new", "before it is renamed");
        assert_eq!(handle.fingerprint(), made.new_key().fingerprint());
        assert_eq!(handle.unseal("row", &before).unwrap(), "old", "read before the change");
        assert!(handle.digest("same") != digest && handle.is_digest("same", &digest));
        made.finish().unwrap();
        let another = SecretKey::open(&path, Some(&handle.fingerprint())).unwrap();
        assert!(another.unseal("row", &before).is_err(), "the old key is gone");
    }

    #[test]
    fn a_handle_follows_the_fingerprint_and_stays_when_there_is_no_such_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        let handle = SecretKey::open(&path, None).unwrap();
        let first = handle.fingerprint();
        let made = crate::secrets::Rotation::begin(KeyLock::wait(&path).unwrap(), &first).unwrap();
        handle.follow(&made.new_key().fingerprint()).unwrap();
        assert_ne!(handle.fingerprint(), first);
        assert!(handle.follow("another").is_err());
        handle.follow(&first).unwrap();
        assert_eq!(handle.fingerprint(), first);
    }
}
