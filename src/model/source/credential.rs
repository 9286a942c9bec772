//! What opens a repository that is not public: a token for https, or a key for SSH; and the keys by which servers are
//! known.

use std::fmt;

use crate::model::Invalid;
use crate::model::ids::AppId;
use crate::model::time::Timestamp;
use crate::model::words::words;

words! {
    /// What kind of credential an app has for its repository.
    CredentialKind {
        /// A token or password, sent over https.
        Token = "token",
        /// A private key, for SSH.
        Key = "key",
    }
}

/// A user name and the token or password that goes with it; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceToken {
    username: String,
    secret: String,
}

impl SourceToken {
    /// What Bitbucket wants beside a token; GitHub, GitLab, Gitea and Forgejo take any name.
    pub const DEFAULT_USERNAME: &str = "x-token-auth";
    /// Longest token in bytes: those of forges are far shorter, but some carry a signed statement.
    pub const MAX_BYTES: usize = 4096;

    /// Reads both; spaces around them are dropped, an empty user name is the default one.
    pub fn parse(username: &str, secret: &str) -> Result<Self, Invalid> {
        let (username, secret) = (username.trim(), secret.trim());
        if secret.is_empty() {
            return Err(Invalid::new("Paste the token, or the password."));
        }
        if secret.chars().all(|c| c == '*') {
            return Err(Invalid::new("Type the token itself again in place of ***."));
        }
        if secret.len() > Self::MAX_BYTES || secret.chars().any(char::is_control) {
            return Err(Invalid::new("A token is one line of at most 4,096 bytes."));
        }
        // A colon would end the name (RFC 7617 §2).
        if username.len() > 255 || username.contains(':') || username.chars().any(char::is_control) {
            return Err(Invalid::new("Use a user name without colons, of at most 255 bytes."));
        }
        Ok(Self {
            username: if username.is_empty() {
                Self::DEFAULT_USERNAME
            } else {
                username
            }
            .to_owned(),
            secret: secret.to_owned(),
        })
    }

    /// The user name.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The token or password.
    pub fn secret(&self) -> &str {
        &self.secret
    }
}

impl fmt::Debug for SourceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SourceToken(…)")
    }
}

/// An app's credential as it is stored: what may be shown in clear, the rest sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedCredential {
    /// Token or key.
    pub kind: CredentialKind,
    /// The only server that a token is sent to: scheme, host and port.
    pub origin: Option<String>,
    /// What goes with a token.
    pub username: Option<String>,
    /// The token, or the private key in OpenSSH's form, under `secret.key`.
    pub sealed: Vec<u8>,
    /// A key's public half in OpenSSH's form.
    pub public_key: Option<String>,
    /// A key's fingerprint, `SHA256:…`.
    pub fingerprint: Option<String>,
    /// When it was stored.
    pub created_at: Timestamp,
}

impl SealedCredential {
    /// What the sealed value is bound to, so that it opens for no other app and as no other kind.
    pub fn seal_identity(app: AppId, kind: CredentialKind) -> String {
        format!("source_credential:{app}:{kind}")
    }
}

/// The key that a server showed at first contact by SSH; it is known by it from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKey {
    /// Name or address of the server.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The public key in OpenSSH's form.
    pub key: String,
    /// `SHA256:…`.
    pub fingerprint: String,
    /// When it was first seen.
    pub first_seen_at: Timestamp,
}
