//! The address of a Git repository.
//!
//! Kept in the one spelling that the URL standard gives it (host in lower case, addresses as four decimals), and
//! handed to libgit2 in that spelling, so that the host that was checked is the host that is called. It never holds a
//! credential: one that was typed into it is taken out by [`GitUrl::take_token`].

use std::fmt;

use percent_encoding::percent_decode_str;
use url::{Host, Origin, Url};

use super::credential::SourceToken;
use super::ssh::SshAddress;
use crate::model::Invalid;

const EXAMPLES: &str = "https://github.com/acme/web.git or git@github.com:acme/web.git";
/// Stands for a credential where an address is shown.
const MASK: &str = "***";

/// The address of a Git repository over https or SSH, or over http where the operator allows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GitUrl {
    text: String,
    form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Form {
    Web(Url),
    Ssh(SshAddress),
}

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
        let parts = text.split_once("://");
        match parts.map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest)) {
            Some((scheme, _)) if matches!(&*scheme, "https" | "http") => Self::from_web_address(text),
            Some((scheme, rest)) if matches!(&*scheme, "ssh" | "git+ssh" | "ssh+git") => {
                SshAddress::parse_url(rest).map(Self::from)
            }
            Some(_) => Err(refusal("uses another protocol than https and SSH")),
            None => match SshAddress::parse_scp(text) {
                Some(address) => address.map(Self::from),
                None => Err(refusal("is neither a web address nor one for SSH")),
            },
        }
    }

    fn from_web_address(text: &str) -> Result<Self, Invalid> {
        let url = Url::parse(text).map_err(|error| refusal(&format!("cannot be read ({error})")))?;
        if !url.username().is_empty() || url.password().is_some() || authority_of(text).contains('@') {
            return Err(Invalid::new(
                "The repository's address contains a user name or token that cannot be read. Remove everything between \
                 https:// and @, and store the token on the app's source page.",
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
        Ok(url.into())
    }

    /// The web address without the user name and password that were typed into it, and the token that they are.
    /// `None` where there is none, or where the address cannot be read; `parse` then says why.
    pub fn take_token(text: &str) -> Option<(String, Result<SourceToken, Invalid>)> {
        let mut url = Url::parse(text.trim()).ok().filter(|url| url.has_host())?;
        if !matches!(url.scheme(), "https" | "http") || (url.username().is_empty() && url.password().is_none()) {
            return None;
        }
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (user, password) = (decode(url.username()), decode(url.password().unwrap_or_default()));
        // Forges also give addresses whose user name is the token.
        let token = if password.is_empty() {
            SourceToken::parse("", &user)
        } else {
            SourceToken::parse(&user, &password)
        };
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        Some((url.into(), token))
    }

    /// What was typed as an address, safe to be shown again.
    pub fn mask(text: &str) -> String {
        let is_web = |scheme: &str| matches!(&*scheme.trim().to_ascii_lowercase(), "https" | "http");
        let Some((scheme, rest)) = text.split_once("://").filter(|(scheme, _)| is_web(scheme)) else {
            return text.to_owned();
        };
        let is_plain = Url::parse(text.trim()).is_ok_and(|url| url.username().is_empty() && url.password().is_none());
        match rest.rsplit_once('@') {
            Some((_, place)) if !is_plain => format!("{scheme}://{MASK}@{place}"),
            _ => text.to_owned(),
        }
    }

    /// The address as people see it, with a mark where a stored token goes.
    pub fn shown(&self, has_token: bool) -> String {
        match self.text.split_once("://") {
            Some((scheme, rest)) if has_token && !self.is_ssh() => format!("{scheme}://{MASK}@{rest}"),
            _ => self.text.clone(),
        }
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether nobody on the way can read or change what is fetched.
    pub fn is_encrypted(&self) -> bool {
        match &self.form {
            Form::Web(url) => url.scheme() == "https",
            Form::Ssh(_) => true,
        }
    }

    /// Whether it is reached by SSH.
    pub fn is_ssh(&self) -> bool {
        matches!(self.form, Form::Ssh(_))
    }

    /// Who signs in, for SSH.
    pub fn ssh_user(&self) -> Option<&str> {
        match &self.form {
            Form::Web(_) => None,
            Form::Ssh(address) => Some(&address.user),
        }
    }

    /// The host as it is resolved: a name, or an address without brackets.
    pub fn host(&self) -> String {
        match self.host_parts() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => String::new(),
        }
    }

    fn host_parts(&self) -> Option<Host<&str>> {
        match &self.form {
            Form::Web(url) => url.host(),
            Form::Ssh(address) => Some(match &address.host {
                Host::Domain(name) => Host::Domain(name),
                Host::Ipv4(address) => Host::Ipv4(*address),
                Host::Ipv6(address) => Host::Ipv6(*address),
            }),
        }
    }

    /// The TCP port, written or implied.
    pub fn port(&self) -> u16 {
        match &self.form {
            Form::Web(url) => url.port_or_known_default().unwrap_or(443),
            Form::Ssh(address) => address.port(),
        }
    }

    /// Host and port as a request names them: an IPv6 address in brackets, the scheme's own port left out.
    pub fn authority(&self) -> String {
        let host = self.host_parts().map(|host| host.to_string()).unwrap_or_default();
        let port = match &self.form {
            Form::Web(url) => url.port(),
            Form::Ssh(address) => Some(address.port()).filter(|port| *port != 22),
        };
        port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
    }

    /// Scheme, host and port; of SSH one that equals no other.
    pub fn origin(&self) -> Origin {
        match &self.form {
            Form::Web(url) => url.origin(),
            Form::Ssh(_) => Origin::new_opaque(),
        }
    }

    /// The path: with its leading slash on the web, as the server gets it for SSH.
    pub fn path(&self) -> &str {
        match &self.form {
            Form::Web(url) => url.path(),
            Form::Ssh(address) => &address.path,
        }
    }

    /// The address that a submodule of this repository is written with: a whole one, or one that begins with `./` or
    /// `../` and is relative to this one (git-submodule(1)).
    pub fn join(&self, written: &str) -> Result<Self, Invalid> {
        if !written.starts_with("./") && !written.starts_with("../") {
            return Self::parse(written);
        }
        let mut parts: Vec<&str> = self.path().trim_end_matches('/').split('/').collect();
        for part in written.trim_end_matches('/').split('/') {
            match part {
                "." | "" => {}
                ".." => {
                    parts
                        .pop()
                        .filter(|part| !part.is_empty())
                        .ok_or_else(|| Invalid::new(format!("The address {written:?} leads out of the server.")))?;
                }
                part => parts.push(part),
            }
        }
        let path = parts.join("/");
        match &self.form {
            Form::Ssh(address) => address.with_path(path).map(Self::from),
            Form::Web(_) => Self::parse(&format!("{}{path}", self.origin().ascii_serialization())),
        }
    }

    /// The same repository by the way in which another one on the web is reached; `None` for another host.
    pub fn by_way_of(&self, other: &Self) -> Option<Self> {
        let path = self.path().trim_start_matches('/');
        let is_same = self.host() == other.host() && !other.is_ssh();
        let address = format!("{}/{path}", other.origin().ascii_serialization());
        is_same.then(|| Self::parse(&address).ok()).flatten()
    }
}

impl From<Url> for GitUrl {
    fn from(url: Url) -> Self {
        Self {
            text: url.as_str().to_owned(),
            form: Form::Web(url),
        }
    }
}

impl From<SshAddress> for GitUrl {
    fn from(address: SshAddress) -> Self {
        Self {
            text: address.to_string(),
            form: Form::Ssh(address),
        }
    }
}

impl fmt::Display for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The refusal of an address, with what would be accepted.
pub(super) fn refusal(reason: &str) -> Invalid {
    Invalid::new(format!(
        "The repository's address {reason}. Use one such as {EXAMPLES}."
    ))
}

/// What stands between `://` and the path, as it was typed.
fn authority_of(text: &str) -> &str {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
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
            "github.com:acme/web.git",
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
            "https://TESTTOKEN123@git.exa mple.com/a",
            "https://x:TESTTOKEN123@git.example.com:port/a",
        ] {
            let message = GitUrl::parse(text).expect_err(text).0;
            assert!(!message.contains("TESTTOKEN"), "{message}");
        }
    }

    /// Case git-token-never-shown.
    #[test]
    fn a_typed_token_is_taken_out_of_the_address() {
        for (text, url, user, token) in [
            (
                "https://oauth2:TESTTOKEN123@git.example.com/a.git",
                "https://git.example.com/a.git",
                "oauth2",
                "TESTTOKEN123",
            ),
            (
                " https://TESTTOKEN123@git.example.com:8443/a ",
                "https://git.example.com:8443/a",
                SourceToken::DEFAULT_USERNAME,
                "TESTTOKEN123",
            ),
            (
                "http://u%3Aser:TEST%40TOKEN%2F123@h.example/a",
                "http://h.example/a",
                "",
                "",
            ),
            (
                "https://ada:TEST%40TOKEN%2F123@h.example/a",
                "https://h.example/a",
                "ada",
                "TEST@TOKEN/123",
            ),
        ] {
            let (address, taken) = GitUrl::take_token(text).unwrap();
            assert_eq!(address, url);
            match taken {
                Ok(taken) => assert_eq!((taken.username(), taken.secret()), (user, token)),
                // A colon in a user name would end it.
                Err(error) => assert!(user.is_empty() && !error.0.contains("TOKEN")),
            }
        }
        for text in [
            "https://h.example/a",
            "git@h.example:a",
            "https://h.example/@a/b",
            "x",
            "https://@h.example/a",
        ] {
            assert!(GitUrl::take_token(text).is_none(), "{text}");
        }
    }

    /// Case git-token-never-shown.
    #[test]
    fn what_was_typed_is_shown_again_without_a_token() {
        for (text, shown) in [
            ("https://oauth2:TOKEN@h.example/a b", "https://***@h.example/a b"),
            ("HTTPS://TOKEN@h.example/a", "HTTPS://***@h.example/a"),
            ("https://u:to/ken@h.example/a", "https://***@h.example/a"),
            ("https://h.example/@a/b", "https://h.example/@a/b"),
            ("git@h.example:a", "git@h.example:a"),
        ] {
            assert_eq!(GitUrl::mask(text), shown);
        }
        let url = GitUrl::parse("https://h.example/a").unwrap();
        assert_eq!(
            (url.shown(true).as_str(), url.shown(false).as_str()),
            ("https://***@h.example/a", url.as_str())
        );
        assert_eq!(GitUrl::parse("git@h.example:a").unwrap().shown(true), "git@h.example:a");
    }

    /// Case git-submodules.
    #[test]
    fn git_submodules_a_relative_address_is_relative_to_the_parents() {
        for (parent, written, joined) in [
            (
                "https://h.example/acme/web.git",
                "../lib.git",
                "https://h.example/acme/lib.git",
            ),
            (
                "https://h.example:8443/acme/web/",
                "../../x/lib",
                "https://h.example:8443/x/lib",
            ),
            (
                "https://h.example/acme/web.git",
                "./lib.git",
                "https://h.example/acme/web.git/lib.git",
            ),
            ("git@h.example:acme/web.git", "../lib.git", "git@h.example:acme/lib.git"),
            ("git@h.example:acme/web.git", "../../lib.git", "git@h.example:lib.git"),
            (
                "ssh://git@h.example:2222/acme/web.git",
                "../lib.git",
                "ssh://git@h.example:2222/acme/lib.git",
            ),
            ("https://h.example/a", "git@other.example:x", "git@other.example:x"),
        ] {
            let joined_url = GitUrl::parse(parent).unwrap().join(written);
            assert_eq!(joined_url.unwrap().as_str(), joined, "{written}");
        }
        let parent = GitUrl::parse("https://h.example/acme/web.git").unwrap();
        for written in [
            "../../../x",
            "../../",
            "/srv/x",
            "x",
            "../-x y",
            "file:///etc",
            "ext::sh",
        ] {
            assert!(parent.join(written).is_err(), "{written}");
        }
        let by_ssh = GitUrl::parse("git@h.example:acme/lib.git").unwrap();
        assert_eq!(
            by_ssh.by_way_of(&parent).unwrap().as_str(),
            "https://h.example/acme/lib.git"
        );
        assert_eq!(by_ssh.by_way_of(&GitUrl::parse("https://o.example/a").unwrap()), None);
        assert_eq!(parent.by_way_of(&by_ssh), None);
    }
}
