//! The host of a domain: a name or an IPv4 address, in the one spelling that the database, the proxy's rules and
//! every comparison share.
//!
//! Refuses whatever is more than a host (scheme, port, path, lists), so that no text of a user's can become a part of
//! a routing rule. Invariant: `[a-z0-9.-]` only, after `*.` where wildcards are allowed; at most 253 bytes.

use super::Invalid;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use std::fmt;
use std::net::Ipv4Addr;

const ALLOWED: &str = "Write only the host, such as app.example.com";
/// Leaves room for the longest label in place of the star.
const MAX_PARENT_BYTES: usize = 253 - 64;

/// A host name (RFC 1123, international ones in punycode) or an IPv4 address; lower case, no trailing dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Host(String);

impl Host {
    /// Reads a user's text: trims it, lower-cases it, drops one trailing dot and turns an international name into
    /// punycode (UTS 46, non-transitional). The refusal names what is allowed.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let name = text.strip_suffix('.').unwrap_or(text);
        if name.is_empty() {
            return Err(Invalid::new(format!("The host is empty. {ALLOWED}.")));
        }
        refuse_what_is_no_host(name)?;
        if let Ok(address) = name.parse::<Ipv4Addr>() {
            return Ok(Self(address.to_string()));
        }
        let name = Uts46::new()
            .to_ascii(
                name.as_bytes(),
                AsciiDenyList::STD3,
                Hyphens::CheckFirstLast,
                DnsLength::Verify,
            )
            .map_err(|_| {
                Invalid::new(format!(
                    "This is not a host name. {ALLOWED}: labels of letters, digits and inner hyphens, up to 63 \
                     characters each and 253 in all."
                ))
            })?
            .into_owned();
        if ends_in_number(&name) {
            return Err(Invalid::new(format!(
                "A host that ends in a number must be an IPv4 address, such as 203.0.113.7. {ALLOWED}."
            )));
        }
        Ok(Self(name))
    }

    /// The same, and `*.` before a name: every host that has one label more (RFC 4592 as certificates read it,
    /// RFC 6125 §6.4.3).
    pub fn parse_pattern(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let Some(parent) = text.strip_prefix("*.") else {
            return Self::parse(text);
        };
        let parent = Self::parse(parent)?;
        if parent.as_str().parse::<Ipv4Addr>().is_ok() || parent.0.len() > MAX_PARENT_BYTES {
            return Err(Invalid::new(
                "A wildcard stands before a name, such as *.example.com, and for one label.",
            ));
        }
        Ok(Self(format!("*.{parent}")))
    }

    /// The host as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name below which every host is meant, for a wildcard.
    pub fn wildcard_parent(&self) -> Option<&str> {
        self.0.strip_prefix("*.")
    }

    /// Whether it stands for more than one host.
    pub fn is_wildcard(&self) -> bool {
        self.wildcard_parent().is_some()
    }

    /// Whether it is an IPv4 address.
    pub fn is_address(&self) -> bool {
        self.0.parse::<Ipv4Addr>().is_ok()
    }

    /// The wildcard that would stand for this host, too.
    pub fn covering_wildcard(&self) -> Option<Self> {
        if self.is_wildcard() || self.is_address() {
            return None;
        }
        let (_, parent) = self.0.split_once('.')?;
        Some(Self(format!("*.{parent}")))
    }

    /// Whether a certificate authority could know this host: neither `localhost`, nor a name below it (RFC 6761),
    /// nor an address.
    pub fn is_public_name(&self) -> bool {
        let is_local = self.0 == "localhost" || self.0.ends_with(".localhost");
        !is_local && !self.is_address()
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Answers what people paste instead of a host with a sentence about just that.
fn refuse_what_is_no_host(name: &str) -> Result<(), Invalid> {
    let reason = if name.contains([',', ';']) || name.contains(char::is_whitespace) {
        "Several hosts are several domains: add them one by one"
    } else if name.contains("://") {
        "The scheme (as https://) is not part of the host"
    } else if name.contains('@') {
        "A user name or password is not part of the host"
    } else if name.contains(['/', '?', '#', '\\']) {
        "The path is not part of the host: it has a field of its own"
    } else if name.contains(['[', ']']) || name.matches(':').count() > 1 {
        "IPv6 addresses cannot be domains here; IPv4 addresses can"
    } else if name.contains(':') {
        "The port is not part of the host: domains are served on the ports of the proxy"
    } else if name.contains('*') {
        "A wildcard is *. and a name, and cannot stand here"
    } else {
        return Ok(());
    };
    Err(Invalid::new(format!("{reason}. {ALLOWED}.")))
}

/// Browsers read such a host as an address (URL standard, "ends in a number checker"), so it would never arrive.
fn ends_in_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let is_hex = last
        .strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    is_hex || last.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::Host;
    use proptest::prelude::*;

    #[test]
    fn a_host_has_one_spelling() {
        let table = [
            ("app.example.com", "app.example.com"),
            (" App.EXAMPLE.com\t", "app.example.com"),
            ("app.example.com.", "app.example.com"),
            ("localhost", "localhost"),
            ("Bücher.example", "xn--bcher-kva.example"),
            ("straße.example", "xn--strae-oqa.example"),
            ("ｅｘａｍｐｌｅ。com", "example.com"),
            ("r3---sn.example.com", "r3---sn.example.com"),
            ("203.0.113.7", "203.0.113.7"),
            ("7.example", "7.example"),
        ];
        for (text, host) in table {
            assert_eq!(
                Host::parse(text).map(|host| host.to_string()),
                Ok(host.to_owned()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn route_domain_typed_as_url_is_refused_with_its_reason() {
        let table = [
            ("https://App.Example.com:8443/p?x=1", "scheme"),
            ("app.example.com/", "path"),
            ("app.example.com/blog", "path"),
            ("app.example.com:8443", "port"),
            ("u:p@app.example.com", "user name"),
            ("http://u:p@app.example.com", "scheme"),
            ("a.example.com,b.example.com", "Several"),
            ("a.example.com b.example.com", "Several"),
            ("a.example.com\nb.example.com", "Several"),
            ("x`) || Host(`evil.example.com", "Several"),
            ("x`)||Host(`evil.example.com", "not a host name"),
            ("*.example.com", "wildcard"),
            ("[::1]", "IPv6"),
            ("::1", "IPv6"),
            ("", "empty"),
            (" . ", "empty"),
            ("a..b", "not a host name"),
            ("a.b..", "not a host name"),
            ("-a.b", "not a host name"),
            ("a-.b", "not a host name"),
            ("a_b.example", "not a host name"),
            ("{{env}}.example", "not a host name"),
            ("a%2eb", "not a host name"),
            ("xn--a.example", "not a host name"),
            ("a\u{0}.b", "not a host name"),
            ("127.1", "ends in a number"),
            ("1.2.3.400", "ends in a number"),
            ("0x7f000001", "ends in a number"),
            ("2130706433", "ends in a number"),
        ];
        for (text, reason) in table {
            let refusal = Host::parse(text).expect_err(text).to_string();
            assert!(
                refusal.contains(reason) && refusal.contains("app.example.com"),
                "{text:?}: {refusal}"
            );
        }
        assert!(Host::parse(&format!("{}.com", "a".repeat(64))).is_err());
        assert!(Host::parse(&format!("{}.com", "a".repeat(63))).is_ok());
        let longest = [&*"a".repeat(61), &"b".repeat(63), &"c".repeat(63), &"d".repeat(63)].join(".");
        assert_eq!(longest.len(), 253);
        assert!(Host::parse(&longest).is_ok() && Host::parse(&format!("e{longest}")).is_err());
    }

    #[test]
    fn a_wildcard_stands_for_one_label_before_a_name() {
        for (text, pattern) in [
            ("*.Example.com.", "*.example.com"),
            ("*.bücher.example", "*.xn--bcher-kva.example"),
            ("app.example.com", "app.example.com"),
        ] {
            assert_eq!(Host::parse_pattern(text).expect(text).as_str(), pattern);
        }
        let too_long = format!("*.{}", ["a".repeat(63), "b".repeat(63), "c".repeat(63)].join("."));
        for text in [
            "*",
            "*.",
            "*.*.example.com",
            "a.*.example.com",
            "*example.com",
            "*.203.0.113.7",
            &too_long,
        ] {
            assert!(Host::parse_pattern(text).is_err(), "{text}");
        }
        let covering = |text: &str| {
            let host = Host::parse_pattern(text).expect(text);
            host.covering_wildcard().map(|pattern| pattern.to_string())
        };
        assert_eq!(covering("a.b.example.com"), Some("*.b.example.com".to_owned()));
        assert_eq!(
            (covering("localhost"), covering("203.0.113.7"), covering("*.a.b")),
            (None, None, None)
        );
    }

    #[test]
    fn only_names_that_others_can_resolve_are_public() {
        for (text, is_public) in [
            ("app.example.com", true),
            ("notlocalhost", true),
            ("localhost", false),
            ("Shop.LocalHost.", false),
            ("127.0.0.1", false),
        ] {
            assert_eq!(Host::parse(text).expect("a host").is_public_name(), is_public, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_holds_nothing_that_a_rule_could_read(text in "\\PC{0,40}|[a-zA-Z0-9.`(){}|&:/ -]{0,40}") {
            if let Ok(host) = Host::parse(&text) {
                prop_assert!(host.as_str().len() <= 253);
                prop_assert!(host.as_str().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b)));
                prop_assert_eq!(Host::parse(host.as_str()), Ok(host));
            }
        }
    }
}
