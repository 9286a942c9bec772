//! Keys with which Dhow signs in to a forge by SSH: made here, or pasted by a user.

use std::fmt;

use russh::keys::ssh_key::LineEnding;
use russh::keys::{self, Algorithm, HashAlg, PrivateKey};

use super::random_bytes;
use crate::model::Invalid;

/// Longest key that is read, in bytes; the largest kind has some thousand.
const MAX_BYTES: usize = 16 * 1024;

/// A private key without passphrase; never printed.
pub struct DeployKey(PrivateKey);

impl DeployKey {
    /// Makes a new one (Ed25519, which every forge takes).
    pub fn make(comment: &str) -> Self {
        let pair = keys::ssh_key::private::Ed25519Keypair::from_seed(&random_bytes());
        let mut key = PrivateKey::from(pair);
        key.set_comment(comment);
        Self(key)
    }

    /// Reads a pasted one, in OpenSSH's form or as PEM.
    pub fn parse(text: &str, comment: &str) -> Result<Self, Invalid> {
        let refuse = |reason: &str| {
            Err(Invalid::new(format!(
                "{reason} Paste a private key as ssh-keygen -t ed25519 makes it, from -----BEGIN to -----END, or let \
                 Dhow make one."
            )))
        };
        // Browsers send CRLF.
        let text = text.replace("\r\n", "\n");
        let text = text.trim();
        if text.is_empty() || text.len() > MAX_BYTES || !text.starts_with("-----BEGIN ") {
            return refuse("This is no private key.");
        }
        let is_rsa = || text.contains("BEGIN RSA");
        let mut key = match keys::decode_secret_key(&format!("{text}\n"), None) {
            Ok(key) => key,
            Err(keys::Error::KeyIsEncrypted | keys::Error::Pkcs8(_)) => {
                return refuse("This key is protected by a passphrase, and nobody is there to type it.");
            }
            Err(_) if text.contains("ENCRYPTED") => {
                return refuse("This key is protected by a passphrase, and nobody is there to type it.");
            }
            Err(_) if is_rsa() => return refuse("RSA keys are not supported."),
            Err(_) => return refuse("This private key cannot be read."),
        };
        if key.is_encrypted() {
            return refuse("This key is protected by a passphrase, and nobody is there to type it.");
        }
        match key.algorithm() {
            Algorithm::Ed25519 | Algorithm::Ecdsa { .. } => {}
            Algorithm::Rsa { .. } => return refuse("RSA keys are not supported."),
            _ => return refuse("Keys of this kind are not supported."),
        }
        key.set_comment(comment);
        Ok(Self(key))
    }

    /// The private half in OpenSSH's form, to be sealed.
    pub fn private_key(&self) -> String {
        let text = self.0.to_openssh(LineEnding::LF);
        text.expect("a key that was made or read can be written").to_string()
    }

    /// The public half in OpenSSH's form, with its comment.
    pub fn public_key(&self) -> String {
        let text = self.0.public_key().to_openssh();
        text.expect("a key that was made or read can be written")
    }

    /// `SHA256:…`, as forges and `ssh-keygen -l` show it.
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }
}

impl fmt::Debug for DeployKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeployKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn ssh_keygen(arguments: &[&str], dir: &std::path::Path) -> String {
        let output = Command::new("ssh-keygen").args(arguments).current_dir(dir).output();
        let output = output.expect("ssh-keygen is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn openssh_reads_the_keys_that_are_made() {
        let dir = tempfile::tempdir().unwrap();
        let key = DeployKey::make("dhow-web");
        assert_ne!(key.public_key(), DeployKey::make("dhow-web").public_key());
        assert!(key.public_key().starts_with("ssh-ed25519 AAAA") && key.public_key().ends_with(" dhow-web"));
        let path = dir.path().join("key");
        std::fs::write(&path, key.private_key()).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        assert_eq!(ssh_keygen(&["-y", "-f", "key"], dir.path()).trim(), key.public_key());
        assert!(ssh_keygen(&["-l", "-f", "key"], dir.path()).contains(&key.fingerprint()));
        let again = DeployKey::parse(&key.private_key().replace('\n', "\r\n"), "other").unwrap();
        assert_eq!(again.fingerprint(), key.fingerprint());
        assert!(!format!("{key:?}").contains("AAAA"));
    }

    #[test]
    fn pasted_keys_are_read_and_those_with_a_passphrase_refused() {
        let dir = tempfile::tempdir().unwrap();
        for (name, arguments, words) in [
            ("ed", &["-t", "ed25519", "-N", ""][..], None),
            ("ec", &["-t", "ecdsa", "-N", ""], None),
            ("ec-pem", &["-t", "ecdsa", "-m", "PEM", "-N", ""], None),
            ("ec-pkcs8", &["-t", "ecdsa", "-m", "PKCS8", "-N", ""], None),
            ("locked", &["-t", "ed25519", "-N", "secret"], Some("passphrase")),
            (
                "locked-pem",
                &["-t", "ecdsa", "-m", "PEM", "-N", "secret"],
                Some("passphrase"),
            ),
            (
                "locked-pkcs8",
                &["-t", "ecdsa", "-m", "PKCS8", "-N", "secret"],
                Some("passphrase"),
            ),
            ("rsa", &["-t", "rsa", "-b", "2048", "-N", ""], Some("RSA")),
            (
                "rsa-pem",
                &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""],
                Some("RSA"),
            ),
        ] {
            ssh_keygen(&[arguments, &["-q", "-f", name]].concat(), dir.path());
            let text = std::fs::read_to_string(dir.path().join(name)).unwrap();
            match (DeployKey::parse(&text, "x"), words) {
                (Ok(key), None) => {
                    let public = std::fs::read_to_string(dir.path().join(format!("{name}.pub"))).unwrap();
                    assert!(public.starts_with(key.public_key().trim_end_matches(" x")), "{name}");
                }
                (Err(error), Some(words)) => assert!(error.0.contains(words), "{name}: {error}"),
                (read, _) => panic!("{name}: {read:?}"),
            }
            let public = std::fs::read_to_string(dir.path().join(format!("{name}.pub"))).unwrap();
            assert!(DeployKey::parse(&public, "x").is_err(), "a public key is none");
        }
        for text in [
            "",
            "x",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
        ] {
            let error = DeployKey::parse(text, "x").unwrap_err();
            assert!(error.0.contains("ssh-keygen"), "{error}");
        }
    }
}
