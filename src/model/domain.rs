//! Domains: which hosts (and paths below them) belong to an app, and how they are served.
//!
//! They belong to the app and not to a release, apply at once and survive every rollback. The rule for when a
//! domain has a certificate is here and nowhere else.

use super::Invalid;
use super::host::Host;
use super::ids::DomainId;
use super::path_prefix::PathPrefix;

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

/// A host, with the path below it, attached to an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// Its row's id.
    pub id: DomainId,
    /// Unique in the instance together with the path prefix.
    pub host: Host,
    /// Only requests below this path are the domain's.
    pub path_prefix: PathPrefix,
    /// How it gets its certificate.
    pub tls: Tls,
    /// Instead of being served, requests are sent on to this host, path and query kept.
    pub redirect_to: Option<Host>,
}

impl Domain {
    /// Whether it is served by https, with plain http only redirecting there. `has_acme`: certificates can be had.
    pub fn has_tls(&self, has_acme: bool) -> bool {
        self.tls == Tls::Auto && has_acme && self.host.is_public_name()
    }
}

/// Refuses a redirect that would come back to `host`, directly or by way of the redirects of `domains`.
pub fn check_redirect(host: &Host, redirect_to: &Host, domains: &[Domain]) -> Result<(), Invalid> {
    let mut next = redirect_to;
    for _ in 0..=domains.len() {
        if next == host {
            return Err(Invalid::new(format!(
                "The redirect to {redirect_to} would come back to {host} for ever."
            )));
        }
        match domains
            .iter()
            .filter(|domain| &domain.host == next)
            .find_map(|domain| domain.redirect_to.as_ref())
        {
            Some(further) => next = further,
            None => return Ok(()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Domain, Tls, check_redirect};
    use crate::model::host::Host;
    use crate::model::ids::DomainId;
    use crate::model::path_prefix::PathPrefix;

    fn host(text: &str) -> Host {
        Host::parse(text).expect("a host")
    }

    fn domain(name: &str, tls: Tls, redirect_to: Option<&str>) -> Domain {
        let redirect_to = redirect_to.map(host);
        Domain {
            id: DomainId(1),
            host: host(name),
            path_prefix: PathPrefix::root(),
            tls,
            redirect_to,
        }
    }

    #[test]
    fn auto_means_a_certificate_only_where_one_can_be_had() {
        for (name, tls, has_acme, has_tls) in [
            ("a.example.com", Tls::Auto, true, true),
            ("a.example.com", Tls::Auto, false, false),
            ("a.example.com", Tls::Off, true, false),
            ("a.localhost", Tls::Auto, true, false),
            ("203.0.113.7", Tls::Auto, true, false),
        ] {
            assert_eq!(
                domain(name, tls, None).has_tls(has_acme),
                has_tls,
                "{name} {tls:?} {has_acme}"
            );
        }
    }

    #[test]
    fn a_redirect_that_comes_back_is_refused() {
        let domains = [
            domain("b.example", Tls::Auto, None),
            domain("b.example", Tls::Auto, Some("c.example")),
            domain("c.example", Tls::Auto, Some("a.example")),
            domain("d.example", Tls::Auto, Some("e.example")),
        ];
        for (target, is_allowed) in [
            ("a.example", false),
            ("b.example", false),
            ("c.example", false),
            ("d.example", true),
            ("z.example", true),
        ] {
            let answer = check_redirect(&host("a.example"), &host(target), &domains);
            assert_eq!(answer.is_ok(), is_allowed, "{target}: {answer:?}");
        }
    }

    #[test]
    fn tls_words_are_read_as_written() {
        for tls in [Tls::Auto, Tls::Off, Tls::Custom] {
            assert_eq!(Tls::parse(tls.as_str()), Ok(tls));
        }
        assert!(Tls::parse("Auto").is_err());
    }
}
