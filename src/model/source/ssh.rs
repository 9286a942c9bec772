//! The address of a repository behind SSH, in the two forms that git-clone(1) knows: `ssh://user@host:port/path`, and
//! `user@host:path`, which has no port.
//!
//! User, host and path end up in a command on the other side and in a negotiation on this one: none of them may begin
//! with a dash, and the path may hold nothing that ends its quotes.

use std::fmt;

use url::{Host, Url};

use super::url::refusal;
use crate::model::Invalid;

const PORT: u16 = 22;
const USER: &str = "git";

/// Who, where, and which repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct SshAddress {
    pub(super) user: String,
    pub(super) host: Host,
    port: Option<u16>,
    /// As the server gets it: from its root, or relative to the user's home.
    pub(super) path: String,
    is_scp: bool,
}

impl SshAddress {
    /// Reads what follows `ssh://`.
    pub(super) fn parse_url(rest: &str) -> Result<Self, Invalid> {
        let (authority, path) = rest
            .split_once('/')
            .ok_or_else(|| refusal("names a server, but no repository on it"))?;
        let (user, place) = authority.rsplit_once('@').unwrap_or((USER, authority));
        if user.contains(':') {
            return Err(Invalid::new(
                "The repository's address contains a password, and Dhow signs in to SSH with a key. Remove the password \
                 and make a key for the app.",
            ));
        }
        let (host, port) = parse_place(place)?;
        // What git does: `/~ada/web.git` is in Ada's home.
        let path = if path.starts_with('~') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        Self {
            user: user.to_owned(),
            host,
            port: port.filter(|port| *port != PORT),
            path,
            is_scp: false,
        }
        .checked()
    }

    /// Reads `user@host:path`; `None` when it is not of that form.
    pub(super) fn parse_scp(text: &str) -> Option<Result<Self, Invalid>> {
        let (user, rest) = text.split_once('@')?;
        if user.contains(['/', ':']) {
            return None;
        }
        let host_end = if rest.starts_with('[') {
            rest.find(']')? + 1
        } else {
            rest.find(':')?
        };
        let (host, path) = rest.split_at(host_end);
        let path = path.strip_prefix(':')?;
        Some(Self::from_scp(user, host, path))
    }

    fn from_scp(user: &str, host: &str, path: &str) -> Result<Self, Invalid> {
        if host.contains('/') {
            return Err(refusal("names a host that cannot be read"));
        }
        if let Some((port, rest)) = path.split_once('/').filter(|(port, _)| port.parse::<u16>().is_ok()) {
            return Err(Invalid::new(format!(
                "In this form of address no port can be given: {port} would be a folder. For port {port} write \
                 ssh://{user}@{host}:{port}/{rest}"
            )));
        }
        Self {
            user: user.to_owned(),
            host: parse_place(host)?.0,
            port: None,
            path: path.to_owned(),
            is_scp: true,
        }
        .checked()
    }

    fn checked(self) -> Result<Self, Invalid> {
        let is_user_sign = |c: char| c.is_ascii_alphanumeric() || "_.-+".contains(c);
        if self.user.is_empty() || self.user.starts_with('-') || !self.user.chars().all(is_user_sign) {
            return Err(refusal("has a user name that cannot be read"));
        }
        if self.path.trim_matches('/').is_empty() || self.path == "~" {
            return Err(refusal("names a server, but no repository on it"));
        }
        if self.path.starts_with('-') || self.path.contains(['\'', '!', '"', '`', '%', '?', '#']) {
            return Err(refusal("has a path with quotes, marks or a dash at its beginning"));
        }
        if self.path.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(refusal("has a path with . or .. in it"));
        }
        Ok(self)
    }

    /// The TCP port, written or implied.
    pub(super) fn port(&self) -> u16 {
        self.port.unwrap_or(PORT)
    }

    /// The same with another path on the same server.
    pub(super) fn with_path(&self, path: String) -> Result<Self, Invalid> {
        Self { path, ..self.clone() }.checked()
    }
}

impl fmt::Display for SshAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, host, path, .. } = self;
        if self.is_scp {
            return write!(f, "{user}@{host}:{path}");
        }
        write!(f, "ssh://{user}@{host}")?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "{}{path}", if path.starts_with('~') { "/" } else { "" })
    }
}

/// Host and port in the spelling that the URL standard gives web addresses, so that names and numbers mean the same in
/// both.
fn parse_place(place: &str) -> Result<(Host, Option<u16>), Invalid> {
    let unreadable = || refusal("names a host that cannot be read");
    if place.is_empty() || place.starts_with('-') || place.contains(['@', '?', '#']) {
        return Err(unreadable());
    }
    let url = Url::parse(&format!("https://{place}/")).map_err(|_| unreadable())?;
    // The scheme's own port is not kept by the parser; what was written is.
    let port = match place.rsplit_once(':') {
        Some((_, port)) if !port.contains(']') => Some(port.parse().map_err(|_| unreadable())?),
        _ => None,
    };
    let host = url.host().ok_or_else(unreadable)?.to_owned();
    if port == Some(0) || matches!(&host, Host::Domain(name) if name.starts_with('-')) {
        return Err(unreadable());
    }
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use crate::model::source::GitUrl;

    /// Case git-ssh-url-forms.
    #[test]
    fn git_ssh_url_forms_user_port_and_path_are_kept() {
        for (text, kept, user, host, port, path) in [
            (
                "ssh://git@git.example.com:2222/acme/web.git",
                "ssh://git@git.example.com:2222/acme/web.git",
                "git",
                "git.example.com",
                2222,
                "/acme/web.git",
            ),
            (
                "git@git.example.com:acme/web.git",
                "git@git.example.com:acme/web.git",
                "git",
                "git.example.com",
                22,
                "acme/web.git",
            ),
            (
                "ssh://deploy@[2001:db8::1]:2222/a/b.git",
                "ssh://deploy@[2001:db8::1]:2222/a/b.git",
                "deploy",
                "2001:db8::1",
                2222,
                "/a/b.git",
            ),
            ("git@[::1]:a.git", "git@[::1]:a.git", "git", "::1", 22, "a.git"),
            (
                "SSH://GIT.example.com:22/a",
                "ssh://git@git.example.com/a",
                "git",
                "git.example.com",
                22,
                "/a",
            ),
            (
                "git+ssh://git@h.example/a",
                "ssh://git@h.example/a",
                "git",
                "h.example",
                22,
                "/a",
            ),
            (
                "ssh://ada@h.example/~/web.git",
                "ssh://ada@h.example/~/web.git",
                "ada",
                "h.example",
                22,
                "~/web.git",
            ),
            (
                "git@h.example:/srv/a.git",
                "git@h.example:/srv/a.git",
                "git",
                "h.example",
                22,
                "/srv/a.git",
            ),
            (
                "ssh://git@0x7f.1:443/a",
                "ssh://git@127.0.0.1:443/a",
                "git",
                "127.0.0.1",
                443,
                "/a",
            ),
        ] {
            let url = GitUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(
                (url.as_str(), url.host().as_str(), url.port(), url.path()),
                (kept, host, port, path)
            );
            assert_eq!(url.ssh_user(), Some(user));
            assert!(url.is_encrypted());
            assert_eq!(GitUrl::parse(kept).unwrap(), url, "what is stored is read as the same");
        }
    }

    /// Case git-ssh-url-forms.
    #[test]
    fn git_ssh_url_forms_a_port_in_the_scp_form_is_refused_with_the_other_form() {
        let message = GitUrl::parse("git@git.example.com:2222/acme/web.git").unwrap_err().0;
        assert!(
            message.ends_with("ssh://git@git.example.com:2222/acme/web.git"),
            "{message}"
        );
    }

    #[test]
    fn what_could_be_an_option_or_end_a_quote_is_refused() {
        for text in [
            "ssh://-oProxyCommand=x/a",
            "ssh://-oProxyCommand=x@h.example/a",
            "ssh://git@-h.example/a",
            "-oProxyCommand=x@h.example:a",
            "git@-oProxyCommand=x:a",
            "git@h.example:-x",
            "git@h.example:~",
            "git@h.example:",
            "git@h.example:a'b",
            "git@h.example:../a",
            "git@h.example:/",
            "git@h/x:a",
            "ssh://git@h.example",
            "ssh://git@h.example/",
            "ssh://git@h.example:0/a",
            "ssh://git@h.example:99999/a",
            "ssh://git@h.example/a/../b",
            "ssh://git@h.example/a%27b",
            "ssh://git@/a",
            "ssh://@h.example/a",
            "ssh://git@h.example:22:23/a",
            "ssh:///a",
        ] {
            assert!(GitUrl::parse(text).is_err(), "{text}");
        }
        let message = GitUrl::parse("ssh://git:TESTTOKEN123@h.example/a").unwrap_err().0;
        assert!(message.contains("key") && !message.contains("TESTTOKEN"), "{message}");
    }
}
