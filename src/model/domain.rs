//! Domains: which hosts (and paths below them) belong to an app, and how they are served.
//!
//! They belong to the app and not to a release, apply at once and survive every rollback. The rules for when a
//! domain has a certificate and which redirects would never end are here and nowhere else.

use std::collections::HashSet;

use super::Invalid;
use super::host::Host;
use super::ids::DomainId;
use super::ip_range::IpRange;
use super::path_prefix::PathPrefix;
use super::site_user::SiteUserName;

/// How many domains an app may have: each is looked up again and again, and is several routers of the proxy.
pub const MAX_DOMAINS: u32 = 100;

/// How a domain gets its certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// By ACME where that is configured and the host is a public name; else plain http.
    #[default]
    Auto,
    /// Plain http only.
    Off,
    /// An uploaded certificate.
    Custom,
}

impl Tls {
    /// Reads the word that forms, the API and the database use.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            "custom" => Ok(Self::Custom),
            _ => Err(Invalid::new("TLS must be one of auto, off and custom.")),
        }
    }

    /// The word for it, as [`Tls::parse`] reads it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Off => "off",
            Self::Custom => "custom",
        }
    }
}

/// Whether and how a domain is served by https.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Https {
    /// Plain http only.
    Off,
    /// A certificate may be asked for once the host's DNS leads to this machine; until then plain http serves, and
    /// https with a certificate that no browser trusts.
    Waiting,
    /// A certificate by ACME; plain http leads to https.
    Acme,
    /// The uploaded certificate; plain http leads to https.
    Custom,
}

impl Https {
    /// Whether https is what visitors get.
    pub fn is_on(self) -> bool {
        matches!(self, Self::Acme | Self::Custom)
    }
}

/// An uploaded certificate as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCertificate {
    /// The chain as PEM, the host's own first.
    pub chain: String,
    /// Its key, sealed for [`Domain::key_identity`].
    pub sealed_key: Vec<u8>,
}

/// Somebody who may open a domain that asks for a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteUser {
    /// The name to type.
    pub name: SiteUserName,
    /// The password's hash, sealed for [`Domain::user_identity`].
    pub sealed: Vec<u8>,
}

/// A host, with the path below it, attached to an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// Its row's id.
    pub id: DomainId,
    /// Unique in the instance together with the path prefix; may be a wildcard.
    pub host: Host,
    /// Only requests below this path are the domain's.
    pub path_prefix: PathPrefix,
    /// Whether the app sees paths without the prefix.
    pub strips_prefix: bool,
    /// How it gets its certificate.
    pub tls: Tls,
    /// A certificate is asked for whatever the DNS says.
    pub is_forced: bool,
    /// The host's DNS was seen to lead to this machine.
    pub points_here: bool,
    /// Instead of being served, requests are sent on to this host, path and query kept.
    pub redirect_to: Option<Host>,
    /// Browsers are told to use https only (RFC 6797).
    pub has_hsts: bool,
    /// The app's health path is answered over plain http too.
    pub has_plain_health: bool,
    /// The app is spoken to in HTTP/2 without TLS (h2c), as gRPC needs it.
    pub is_grpc: bool,
    /// Only these networks may open it; empty: everybody.
    pub allow_ips: Vec<IpRange>,
    /// Only these may open it, with their password; empty: everybody.
    pub users: Vec<SiteUser>,
    /// The uploaded certificate.
    pub certificate: Option<StoredCertificate>,
}

impl Domain {
    /// A domain with nothing out of the ordinary.
    pub fn new(host: Host, path_prefix: PathPrefix) -> Self {
        Self {
            id: DomainId(0),
            host,
            path_prefix,
            strips_prefix: false,
            tls: Tls::default(),
            is_forced: false,
            points_here: false,
            redirect_to: None,
            has_hsts: false,
            has_plain_health: false,
            is_grpc: false,
            allow_ips: Vec::new(),
            users: Vec::new(),
            certificate: None,
        }
    }

    /// How it is served. `has_acme`: certificates can be had. HTTP-01 gives none to wildcards (RFC 8555 §8.3).
    pub fn https(&self, has_acme: bool) -> Https {
        match self.tls {
            Tls::Custom if self.certificate.is_some() => Https::Custom,
            Tls::Auto if has_acme && self.may_have_certificate() => {
                if self.points_here || self.is_forced {
                    Https::Acme
                } else {
                    Https::Waiting
                }
            }
            Tls::Auto | Tls::Off | Tls::Custom => Https::Off,
        }
    }

    /// Whether a certificate authority could give it a certificate by HTTP-01.
    pub fn may_have_certificate(&self) -> bool {
        self.host.is_public_name() && !self.host.is_wildcard()
    }

    /// What the key of its certificate is sealed for.
    pub fn key_identity(id: DomainId) -> String {
        format!("domain {id} key")
    }

    /// What the hash of a user's password is sealed for.
    pub fn user_identity(id: DomainId, name: &SiteUserName) -> String {
        format!("domain {id} user {}", name.as_str())
    }

    /// Host and path as people write them.
    pub fn written(&self) -> String {
        if self.path_prefix.is_root() {
            self.host.to_string()
        } else {
            format!("{}{}", self.host, self.path_prefix)
        }
    }
}

/// A host of any app, and where its requests are sent on to.
pub type Hop = (Host, Option<Host>);

/// The hops of domains. A host that has only paths leaves all others to the wildcard that covers it, and so goes on by its
/// hops, too.
pub fn hops(domains: Vec<(Host, PathPrefix, Option<Host>)>) -> Vec<Hop> {
    let whole: HashSet<Host> = domains
        .iter()
        .filter(|(_, path_prefix, _)| path_prefix.is_root())
        .map(|(host, ..)| host.clone())
        .collect();
    let mut hops: Vec<Hop> = domains.into_iter().map(|(host, _, target)| (host, target)).collect();
    let partial: HashSet<Host> = hops.iter().map(|(host, _)| host.clone()).collect();
    for host in partial.difference(&whole) {
        let Some(wildcard) = host.covering_wildcard() else {
            continue;
        };
        let by_wildcard: Vec<Hop> = hops
            .iter()
            .filter(|(known, _)| *known == wildcard)
            .map(|(_, target)| (host.clone(), target.clone()))
            .collect();
        hops.extend(by_wildcard);
    }
    hops
}

/// Whether requests that are sent to `start` would be sent round for ever by these domains of all apps. The hosts
/// count, whatever the paths.
pub fn is_endless(start: &Host, hops: &[Hop]) -> bool {
    let (mut on_the_way, mut finished) = (HashSet::new(), HashSet::new());
    let mut left = vec![(start, false)];
    while let Some((host, is_finished)) = left.pop() {
        if is_finished {
            finished.insert(host);
        } else if !finished.contains(host) {
            // Each host is entered once, however many ways lead to it: this runs while everybody's writes wait.
            if !on_the_way.insert(host) {
                return true;
            }
            left.push((host, true));
            left.extend(next(host, hops).map(|target| (target, false)));
        }
    }
    false
}

/// Where a host's requests go on to: by its own domains, or without any by those of the wildcard that covers it.
fn next<'a>(host: &'a Host, hops: &'a [Hop]) -> impl Iterator<Item = &'a Host> {
    let is_known = hops.iter().any(|(known, _)| known == host);
    let by = if is_known {
        Some(host.clone())
    } else {
        host.covering_wildcard()
    };
    hops.iter()
        .filter(move |(known, _)| by.as_ref() == Some(known))
        .filter_map(|(_, target)| target.as_ref())
}

#[cfg(test)]
mod tests {
    use super::{Domain, Https, StoredCertificate, Tls, hops, is_endless};
    use crate::model::host::Host;
    use crate::model::path_prefix::PathPrefix;

    fn host(text: &str) -> Host {
        Host::parse(text).expect("a host")
    }

    #[test]
    fn auto_means_a_certificate_only_where_one_can_be_had() {
        for (name, tls, has_acme, https) in [
            ("a.example.com", Tls::Auto, true, Https::Acme),
            ("a.example.com", Tls::Auto, false, Https::Off),
            ("a.example.com", Tls::Off, true, Https::Off),
            ("a.example.com", Tls::Custom, true, Https::Off),
            ("*.example.com", Tls::Auto, true, Https::Off),
            ("a.localhost", Tls::Auto, true, Https::Off),
            ("203.0.113.7", Tls::Auto, true, Https::Off),
        ] {
            let name = Host::parse_pattern(name).expect(name);
            let domain = Domain {
                tls,
                points_here: true,
                ..Domain::new(name, PathPrefix::root())
            };
            assert_eq!(domain.https(has_acme), https, "{domain:?} {has_acme}");
        }
    }

    #[test]
    fn route_acme_not_hammered_a_certificate_is_asked_for_once_the_dns_is_right_or_somebody_insists() {
        let mut domain = Domain::new(host("a.example.com"), PathPrefix::root());
        assert_eq!(
            (domain.https(true), domain.https(true).is_on()),
            (Https::Waiting, false)
        );
        domain.points_here = true;
        assert_eq!(domain.https(true), Https::Acme);
        (domain.points_here, domain.is_forced) = (false, true);
        assert_eq!(domain.https(true), Https::Acme);
        domain.tls = Tls::Custom;
        domain.certificate = Some(StoredCertificate {
            chain: String::new(),
            sealed_key: Vec::new(),
        });
        assert_eq!(domain.https(false), Https::Custom);
    }

    #[test]
    fn a_redirect_that_comes_back_is_endless_across_apps_and_wildcards() {
        let hop = |name: &str, target: Option<&str>| (Host::parse_pattern(name).expect(name), target.map(host));
        let hops = [
            hop("a.example", Some("b.example")),
            hop("b.example", None),
            hop("b.example", Some("c.example")),
            hop("c.example", Some("a.example")),
            hop("d.example", Some("e.example")),
            hop("self.example", Some("self.example")),
            hop("*.wild.example", Some("www.wild.example")),
            hop("www.wild.example", None),
            hop("*.round.example", Some("www.round.example")),
        ];
        for (start, is_expected) in [
            ("a.example", true),
            ("c.example", true),
            ("d.example", false),
            ("e.example", false),
            ("self.example", true),
            ("x.wild.example", false),
            ("x.round.example", true),
            ("www.round.example", true),
            ("unknown.example", false),
        ] {
            assert_eq!(is_endless(&host(start), &hops), is_expected, "{start}");
        }
    }

    #[test]
    fn redirects_with_a_billion_ways_through_them_are_seen_through_at_once() {
        let name = |layer: usize, side: usize| host(&format!("h{layer}-{side}.example"));
        let ways = |layer| [0, 1, 2, 3].map(|way| (name(layer, way / 2), Some(name(layer + 1, way % 2))));
        let mut hops: Vec<_> = (0..30).flat_map(ways).collect();
        assert!(!is_endless(&name(0, 0), &hops));
        hops.push((name(30, 1), Some(name(15, 0))));
        assert!(is_endless(&name(0, 0), &hops));
    }

    #[test]
    fn a_host_that_has_only_paths_does_not_hide_its_wildcard() {
        let is_looping = |path: &str| {
            let row = |name: &str, path: &str, target: Option<&str>| {
                let path_prefix = PathPrefix::parse(path).expect("a path");
                (Host::parse_pattern(name).expect(name), path_prefix, target.map(host))
            };
            let rows = vec![
                row("www.example.com", path, None),
                row("*.example.com", "/", Some("www.example.com")),
            ];
            is_endless(&host("www.example.com"), &hops(rows))
        };
        assert!(is_looping("/blog"));
        assert!(!is_looping("/"));
    }

    #[test]
    fn tls_words_are_read_as_written() {
        for tls in [Tls::Auto, Tls::Off, Tls::Custom] {
            assert_eq!(Tls::parse(tls.as_str()), Ok(tls));
        }
        assert!(Tls::parse("Auto").is_err());
    }
}
