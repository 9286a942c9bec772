//! What Dhow shows to a server to be let in, and to which servers it does.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Origin;

use crate::model::source::{GitUrl, SourceToken};

/// What opens a repository; never printed.
#[derive(Clone)]
pub enum Credential {
    /// A user name and a token.
    Token {
        /// The only server that gets it: scheme, host and port.
        origin: String,
        /// Both.
        token: SourceToken,
    },
    /// A private key.
    Key {
        /// The only host that it signs in to.
        host: String,
        /// In OpenSSH's form, without passphrase.
        private_key: String,
        /// `SHA256:…`.
        fingerprint: String,
    },
}

impl Credential {
    /// The value of `Authorization` (RFC 7617) for a server; `None` for any other than its own.
    pub(super) fn authorization_for(&self, server: &Origin) -> Option<String> {
        match self {
            Self::Token { origin, token } if *origin == server.ascii_serialization() => {
                Some(format!("Basic {}", STANDARD.encode(pair(token))))
            }
            _ => None,
        }
    }

    /// The private key and its fingerprint for a server; `None` for any other than its own.
    pub(super) fn key_for(&self, url: &GitUrl) -> Option<(&str, &str)> {
        match self {
            Self::Key {
                host,
                private_key,
                fingerprint,
            } if *host == url.host() => Some((private_key, fingerprint)),
            _ => None,
        }
    }

    /// Every text by which somebody would have it, to be hidden from logs.
    pub fn texts_to_hide(&self) -> Vec<String> {
        match self {
            Self::Token { token, .. } => vec![token.secret().to_owned(), STANDARD.encode(pair(token))],
            Self::Key { private_key, .. } => vec![private_key.clone()],
        }
    }
}

fn pair(token: &SourceToken) -> String {
    format!("{}:{}", token.username(), token.secret())
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Case git-submodules.
    #[test]
    fn git_submodules_a_credential_is_shown_to_its_own_server_alone() {
        let url = |text| GitUrl::parse(text).unwrap();
        let token = Credential::Token {
            origin: "https://h.example:8443".to_owned(),
            token: SourceToken::parse("ada", "secret").unwrap(),
        };
        assert_eq!(
            token
                .authorization_for(&url("https://h.example:8443/a").origin())
                .as_deref(),
            Some("Basic YWRhOnNlY3JldA==")
        );
        for other in [
            "https://h.example/a",
            "http://h.example:8443/a",
            "https://o.example:8443/a",
            "ssh://git@h.example:8443/a",
        ] {
            assert!(token.authorization_for(&url(other).origin()).is_none(), "{other}");
        }
        let key = Credential::Key {
            host: "h.example".to_owned(),
            private_key: "k".to_owned(),
            fingerprint: "f".to_owned(),
        };
        assert!(key.key_for(&url("git@h.example:a")).is_some());
        assert!(key.key_for(&url("git@o.example:a")).is_none());
        assert!(token.key_for(&url("git@h.example:a")).is_none());
        assert!(key.authorization_for(&url("https://h.example/a").origin()).is_none());
    }
}
