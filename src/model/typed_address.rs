//! A domain as people type or paste it: a bare host, or the address of a page, taken apart.
//!
//! The path of a pasted address becomes the domain's path prefix. What a domain cannot have (another port, a user,
//! a query) is refused and never dropped, since whoever typed it meant something by it.

use super::Invalid;
use super::host::Host;
use super::path_prefix::PathPrefix;

/// The parts of what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedAddress {
    /// The host, which may be a wildcard.
    pub host: Host,
    /// The path, where there is more than `/`.
    pub path_prefix: Option<PathPrefix>,
}

impl TypedAddress {
    /// Takes a host or an http(s) address apart. The refusal names the part that does not fit.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let rest = without_scheme(text);
        if rest.contains("://") {
            Host::parse(rest)?;
        }
        let (authority, path) = match rest.find(['/', '?', '#']) {
            Some(at) if !rest.contains(char::is_whitespace) => rest.split_at(at),
            _ => (rest, ""),
        };
        let host = Host::parse_pattern(authority)?;
        if let Some(at) = path.find(['?', '#']) {
            return Err(Invalid::new(format!(
                "A domain has no query: leave out “{}”.",
                &path[at..]
            )));
        }
        let path_prefix = Some(PathPrefix::parse(path)?).filter(|path| !path.is_root());
        Ok(Self { host, path_prefix })
    }

    /// Reads the host that requests are sent on to; it stands alone, since path and query are kept.
    pub fn parse_target(text: &str) -> Result<Host, Invalid> {
        let rest = without_scheme(text.trim());
        Host::parse(rest.strip_suffix('/').unwrap_or(rest))
    }
}

fn without_scheme(text: &str) -> &str {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    scheme.map_or(text, |scheme| &text[scheme.len()..])
}

#[cfg(test)]
mod tests {
    use super::TypedAddress;

    #[test]
    fn route_domain_typed_as_url_is_taken_apart() {
        for (text, host, path) in [
            ("app.example.com", "app.example.com", None),
            (" app.example.com ", "app.example.com", None),
            ("app.example.com/", "app.example.com", None),
            ("HTTPS://App.Example.com", "app.example.com", None),
            ("http://app.example.com/shop/", "app.example.com", Some("/shop")),
            ("app.example.com/%62log", "app.example.com", Some("/blog")),
            ("https://*.example.com/", "*.example.com", None),
        ] {
            let typed = TypedAddress::parse(text).expect(text);
            assert_eq!(typed.host.as_str(), host, "{text:?}");
            assert_eq!(typed.path_prefix.as_ref().map(|path| path.as_str()), path, "{text:?}");
        }
    }

    #[test]
    fn route_domain_typed_as_url_what_a_domain_cannot_have_is_refused_with_its_reason() {
        for (text, reason) in [
            ("https://App.Example.com:8443/p?x=1", "port"),
            ("https://app.example.com:443", "port"),
            ("app.example.com/p?x=1", "leave out “?x=1”"),
            ("https://app.example.com#top", "leave out “#top”"),
            ("http://u:p@app.example.com", "user name"),
            ("a.example.com,b.example.com", "Several"),
            ("https://a.example.com https://b.example.com", "Several"),
            ("x`) || Host(`evil.example.com", "Several"),
            ("x`)||Host(`evil.example.com", "not a host name"),
            ("ftp://app.example.com", "scheme"),
            ("https://", "empty"),
            ("https:///shop", "empty"),
            ("/shop", "empty"),
            ("app.example.com/a//b", "//"),
            ("app.example.com/{{", "{"),
            ("app.example.com\\x", "path"),
        ] {
            let refusal = TypedAddress::parse(text).expect_err(text).to_string();
            assert!(refusal.contains(reason), "{text:?}: {refusal}");
        }
    }

    #[test]
    fn a_target_is_a_host_alone() {
        for text in ["www.example.org", "https://WWW.example.org/", " www.example.org. "] {
            let host = TypedAddress::parse_target(text).expect(text);
            assert_eq!(host.as_str(), "www.example.org");
        }
        for text in [
            "",
            "https://www.example.org/shop",
            "*.example.org",
            "javascript:alert(1)",
            "www.example.org:80",
        ] {
            assert!(TypedAddress::parse_target(text).is_err(), "{text}");
        }
    }
}
