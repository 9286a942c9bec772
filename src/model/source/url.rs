//! The address of a Git repository.
//!
//! Kept in the one spelling that the URL standard gives it (host in lower case, addresses as four decimals), and
//! handed to libgit2 in that spelling, so that the host that was checked is the host that is called.

use std::fmt;

use url::{Host, Origin, Url};

use crate::model::Invalid;

const EXAMPLE: &str = "https://github.com/acme/web.git";

/// The address of a Git repository over https, or over http where the operator allows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GitUrl(Url);

impl GitUrl {
    /// Longest accepted address, in bytes: what browsers and forges agree on, with room.
    pub const MAX_BYTES: usize = 2048;

    /// Reads an address. `http://` is accepted as a form; whether it may be used is the caller's to decide by
    /// [`GitUrl::is_encrypted`]. The refusal never repeats the address, which may hold a token.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.is_empty() {
            return Err(refusal("is missing"));
        }
        if text.len() > Self::MAX_BYTES {
            return Err(refusal("is longer than 2,048 bytes"));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(refusal("contains spaces, backslashes or control characters"));
        }
        let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("https" | "http") => Self::from_web_address(text),
            Some("ssh" | "git+ssh" | "ssh+git") => Err(refusal("uses SSH")),
            Some(_) => Err(refusal("uses another protocol than https")),
            None if is_scp_form(text) => Err(refusal("uses SSH")),
            None => Err(refusal("is not a web address")),
        }
    }

    fn from_web_address(text: &str) -> Result<Self, Invalid> {
        let url = Url::parse(text).map_err(|error| refusal(&format!("cannot be read ({error})")))?;
        if !url.username().is_empty() || url.password().is_some() || authority_of(text).contains('@') {
            return Err(Invalid::new(
                "The repository's address contains a user name or token, which would be shown to everyone who sees \
                 the app. Remove everything between https:// and @.",
            ));
        }
        if url.host().is_none() {
            return Err(refusal("names no host"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refusal("contains ? or #"));
        }
        if url.path().trim_matches('/').is_empty() {
            return Err(refusal("names a server, but no repository on it"));
        }
        Ok(Self(url))
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it is https.
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The host as it is resolved: a name, or an address without brackets.
    pub fn host(&self) -> String {
        match self.0.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => String::new(),
        }
    }

    /// The TCP port, written or implied.
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(443)
    }

    /// Host and port as a request names them: an IPv6 address in brackets, the scheme's own port left out.
    pub fn authority(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0
            .port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> Origin {
        self.0.origin()
    }

    /// The path, with its leading slash.
    pub fn path(&self) -> &str {
        self.0.path()
    }
}

impl fmt::Display for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn refusal(reason: &str) -> Invalid {
    Invalid::new(format!(
        "The repository's address {reason}. Use one that begins with https://, such as {EXAMPLE}."
    ))
}

/// What stands between `://` and the path, as it was typed.
fn authority_of(text: &str) -> &str {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

/// `user@host:path`, the form that `git clone` takes for SSH.
fn is_scp_form(text: &str) -> bool {
    text.split_once(':').is_some_and(|(host, path)| {
        !path.starts_with(':') && !host.is_empty() && !host.starts_with('-') && !host.contains('/')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_web_addresses_in_their_standard_spelling() {
        for (text, kept, host, port) in [
            (
                "https://github.com/acme/web.git",
                "https://github.com/acme/web.git",
                "github.com",
                443,
            ),
            (
                "  https://GitHub.com/acme/web  ",
                "https://github.com/acme/web",
                "github.com",
                443,
            ),
            (
                "HTTPS://git.example.com:8443/a",
                "https://git.example.com:8443/a",
                "git.example.com",
                8443,
            ),
            (
                "http://localhost:3000/a/b.git",
                "http://localhost:3000/a/b.git",
                "localhost",
                3000,
            ),
            ("http://0x7f.1/a.git", "http://127.0.0.1/a.git", "127.0.0.1", 80),
            ("https://[::1]/a.git", "https://[::1]/a.git", "::1", 443),
            (
                "https://bücher.example/a",
                "https://xn--bcher-kva.example/a",
                "xn--bcher-kva.example",
                443,
            ),
            (
                "https://example.com/a/../b",
                "https://example.com/b",
                "example.com",
                443,
            ),
        ] {
            let url = GitUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(
                (url.as_str(), url.host().as_str(), url.port()),
                (kept, host, port),
                "{text}"
            );
        }
        assert!(GitUrl::parse("https://a.example/b").unwrap().is_encrypted());
        assert!(!GitUrl::parse("http://a.example/b").unwrap().is_encrypted());
    }

    /// Case git-dangerous-sources.
    #[test]
    fn refuses_what_is_no_web_address_and_says_what_is_allowed() {
        for text in [
            "",
            " ",
            "ext::sh -c 'touch pwned'",
            "ext::sh",
            "file:///etc",
            "FILE:///etc",
            "/var/lib/other-app",
            "../other-app",
            "./x",
            "x",
            "--upload-pack=touch pwned",
            "--upload-pack=touch",
            "-oProxyCommand=x",
            "git://example.com/a.git",
            "ftp://example.com/a.git",
            "javascript:alert(1)",
            "ssh://git@git.example.com:2222/acme/web.git",
            "git@git.example.com:acme/web.git",
            "https:///etc/passwd/",
            "https://",
            "https://example.com",
            "https://example.com//",
            "https://example.com/a?b",
            "https://example.com/a#b",
            "https://example.com/a b",
            "https://example.com/a\nb",
            "https://exa\u{0}mple.com/a",
            "https:\\\\example.com\\a",
            "https://example.com:99999/a",
        ] {
            let refused = GitUrl::parse(text);
            // A web address with too many slashes is read as the standard reads it: `etc` is then the host.
            if text == "https:///etc/passwd/" {
                assert_eq!(refused.unwrap().host(), "etc");
                continue;
            }
            let message = refused.expect_err(text).0;
            assert!(message.contains("https://"), "{text}: {message}");
        }
        let long = format!("https://example.com/{}", "a".repeat(GitUrl::MAX_BYTES));
        assert!(GitUrl::parse(&long).is_err());
    }

    /// Case git-token-never-shown.
    #[test]
    fn refuses_credentials_without_repeating_them() {
        for text in [
            "https://oauth2:TESTTOKEN123@git.example.com/acme/missing.git",
            "https://TESTTOKEN123@git.example.com/acme/missing.git",
            "https://TESTTOKEN%40123@git.example.com/acme/missing.git",
            "https://:TESTTOKEN123@git.example.com/a",
            "https://@git.example.com/a",
            "ssh://TESTTOKEN123@git.example.com/a",
            "https://TESTTOKEN123@git.exa mple.com/a",
            "https://x:TESTTOKEN123@git.example.com:port/a",
        ] {
            let message = GitUrl::parse(text).expect_err(text).0;
            assert!(!message.contains("TESTTOKEN"), "{message}");
        }
    }
}
