//! A domain as it is shown: its settings without secrets, and how it is served now.

use std::net::IpAddr;

use serde::Serialize;

use super::input::{DomainInput, SiteUserInput};
use crate::deploy::AcmeOutcome;
use crate::model::certificate::CertificateChain;
use crate::model::domain::{Domain, Https, Tls};
use crate::model::ids::DomainId;
use crate::model::pointing::{Pointing, Verdict};
use crate::model::time::Timestamp;

/// A domain as shown.
#[derive(Clone, Serialize, utoipa::ToSchema)]
pub struct DomainView {
    /// Its row, by which the newest is known.
    #[serde(skip)]
    pub id: DomainId,
    /// The host name, or a wildcard.
    pub host: String,
    /// Only requests below this path.
    pub path_prefix: String,
    /// Its place among the app's domains, from 1 on; the first one is the app's address.
    pub position: i64,
    /// Whether the app is asked for paths without the prefix.
    pub strip_prefix: bool,
    /// `auto`, `off` or `custom`.
    pub tls: String,
    /// Whether a certificate is asked for although the DNS does not lead here.
    pub force: bool,
    /// The host that requests are sent on to.
    pub redirect_to: Option<String>,
    /// Whether browsers are told to use https only.
    pub hsts: bool,
    /// Whether the app's health path is answered over plain http, too.
    pub plain_health: bool,
    /// Whether the app is spoken to in HTTP/2 without TLS, as gRPC needs it.
    pub grpc: bool,
    /// Addresses and networks that may open it; everybody when empty.
    pub allow_ips: Vec<String>,
    /// Who may open it; everybody when empty. Passwords are null.
    pub basic_auth: Vec<SiteUserInput>,
    /// The uploaded certificate's chain as PEM.
    pub certificate: Option<String>,
    /// How it is served now.
    pub state: DomainState,
}

/// How a domain is served now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DomainState {
    /// `off` (plain http), `waiting` (until the DNS leads here), `pending` (the certificate was asked for), `issued`,
    /// `unknown` (it was asked for, and the proxy's storage cannot be read), `failed`, `custom` or `expired`.
    pub https: &'static str,
    /// The same in one sentence for people, with what to do.
    pub words: String,
    /// When the certificate ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// What the DNS says, where it was looked up: for `auto` and public names.
    pub dns: Option<DnsState>,
}

impl DomainView {
    /// A domain at its place, from 1 on.
    pub fn new(position: usize, domain: &Domain, state: DomainState) -> Self {
        let input = DomainInput::from(domain);
        Self {
            id: domain.id,
            host: input.host,
            path_prefix: input.path_prefix,
            position: i64::try_from(position).unwrap_or(i64::MAX),
            strip_prefix: input.strip_prefix,
            tls: input.tls,
            force: input.force,
            redirect_to: input.redirect_to,
            hsts: input.hsts,
            plain_health: input.plain_health,
            grpc: input.grpc,
            allow_ips: input.allow_ips,
            basic_auth: input.basic_auth,
            certificate: input.certificate,
            state,
        }
    }
}

/// What the DNS says of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DnsState {
    /// `right`, `wrong`, `missing` or `unknown`.
    pub verdict: Verdict,
    /// The addresses that it leads to.
    #[schema(value_type = Vec<String>)]
    pub found: Vec<IpAddr>,
    /// The addresses that it must lead to; none where this machine's public address is not known.
    #[schema(value_type = Vec<String>)]
    pub wanted: Vec<IpAddr>,
    /// The records to make, as zone files spell them.
    pub records: Vec<String>,
}

/// What is known of a domain besides its settings.
pub(super) struct Seen {
    /// Whether certificates can be had.
    pub(super) has_acme: bool,
    /// Where its DNS leads, if it was looked up.
    pub(super) pointing: Option<Pointing>,
    /// What became of its certificate by ACME.
    pub(super) outcome: AcmeOutcome,
}

impl DomainState {
    /// The records to make while the DNS does not lead here.
    pub fn missing_records(&self) -> Vec<String> {
        let missing = self.dns.as_ref().filter(|dns| dns.verdict != Verdict::Right);
        missing.map(|dns| dns.records.clone()).unwrap_or_default()
    }

    /// How a domain is served.
    pub(super) fn of(domain: &Domain, seen: Seen, now: Timestamp) -> Self {
        let dns = seen.pointing.as_ref().map(|pointing| DnsState {
            verdict: pointing.verdict,
            found: pointing.found.clone(),
            wanted: pointing.wanted.clone(),
            records: pointing.records(&domain.host),
        });
        let state = match domain.https(seen.has_acme) {
            Https::Off => Self::told("off", plain(domain, seen.has_acme)),
            Https::Waiting => Self::told("waiting", waiting(seen.pointing.as_ref())),
            Https::Acme => Self::acme(seen.outcome, now),
            Https::Custom => Self::custom(domain, now),
        };
        Self { dns, ..state }
    }

    fn told(https: &'static str, words: impl Into<String>) -> Self {
        Self {
            https,
            words: words.into(),
            expires_at: None,
            dns: None,
        }
    }

    fn acme(outcome: AcmeOutcome, now: Timestamp) -> Self {
        match outcome {
            AcmeOutcome::Issued { expires_at, .. } if expires_at <= now => Self {
                expires_at: Some(expires_at),
                ..Self::told("expired", "The certificate is over, and no newer one was had.")
            },
            AcmeOutcome::Issued { expires_at, issuer } => Self {
                expires_at: Some(expires_at),
                ..Self::told("issued", format!("Signed by {issuer}, renewed by itself."))
            },
            AcmeOutcome::Pending => Self::told("pending", "The certificate is asked for; this takes seconds."),
            AcmeOutcome::Untold(reason) => Self::told(
                "unknown",
                format!("Whether there is a certificate is not known: {reason}"),
            ),
            AcmeOutcome::Failed(reason) => Self::told("failed", format!("No certificate was had: {reason}")),
        }
    }

    fn custom(domain: &Domain, now: Timestamp) -> Self {
        let chain = domain
            .certificate
            .as_ref()
            .map(|stored| CertificateChain::parse(&stored.chain));
        let Some(Ok(chain)) = chain else {
            return Self::told("failed", "The stored certificate cannot be read. Upload it again.");
        };
        let is_over = chain.expires_at <= now;
        let (https, words) = if is_over {
            (
                "expired",
                "The uploaded certificate is over. Upload a newer one.".to_owned(),
            )
        } else {
            ("custom", format!("Uploaded, signed by {}.", chain.issuer))
        };
        Self {
            expires_at: Some(chain.expires_at),
            ..Self::told(https, words)
        }
    }
}

/// What a domain waits for.
fn waiting(pointing: Option<&Pointing>) -> String {
    let list = |addresses: &[IpAddr]| addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ");
    let Some(pointing) = pointing else {
        return "Plain http until its DNS is seen to lead to this machine.".to_owned();
    };
    let should = if pointing.wanted.is_empty() {
        "this machine".to_owned()
    } else {
        list(&pointing.wanted)
    };
    match pointing.verdict {
        Verdict::Right => "Its DNS leads here; the certificate is asked for next.".to_owned(),
        Verdict::Wrong => format!(
            "Its DNS leads to {}, not to {should} alone. Plain http until then.",
            list(&pointing.found)
        ),
        Verdict::Missing => format!("Its DNS has no address. Let it lead to {should}; plain http until then."),
        Verdict::Unknown => {
            let reason = pointing.reason.as_deref().unwrap_or_default();
            format!("The DNS could not be asked ({reason}). Plain http until it says that the host leads here.")
        }
    }
}

/// Why a domain is plain http.
fn plain(domain: &Domain, has_acme: bool) -> &'static str {
    if domain.tls != Tls::Auto {
        "As chosen."
    } else if domain.host.is_wildcard() {
        "A wildcard gets no certificate by itself. Upload one."
    } else if !domain.may_have_certificate() {
        "No certificate can be had for such a host."
    } else if !has_acme {
        "Until Dhow is started with --acme-email, or a certificate is uploaded."
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::{AcmeOutcome, DomainState, Pointing, Seen, Verdict};
    use crate::model::domain::{Domain, Tls};
    use crate::model::host::Host;
    use crate::model::path_prefix::PathPrefix;
    use crate::model::pointing::Found;
    use crate::model::time::Timestamp;
    use std::net::IpAddr;

    #[test]
    fn a_state_says_what_is_and_what_to_do() {
        let at = Timestamp::from_millis;
        let mut domain = Domain::new(Host::parse("a.example.com").expect("a host"), PathPrefix::root());
        let found = |text: &str| {
            let address: IpAddr = text.parse().expect("an address");
            Some(Pointing::new(
                Found::Addresses(vec![address]),
                &["9.9.9.9".parse().expect("an address")],
                &[],
            ))
        };
        let state = |domain: &Domain, has_acme, pointing, outcome| {
            let seen = Seen {
                has_acme,
                pointing,
                outcome,
            };
            DomainState::of(domain, seen, at(1_000))
        };
        let waiting = state(&domain, true, found("8.8.8.8"), AcmeOutcome::Pending);
        assert_eq!(waiting.https, "waiting");
        assert!(waiting.words.contains("8.8.8.8, not to 9.9.9.9"), "{}", waiting.words);
        let dns = waiting.dns.expect("looked up");
        assert_eq!(
            (dns.verdict, dns.records.join("")),
            (Verdict::Wrong, "a.example.com. A 9.9.9.9".to_owned())
        );
        assert_eq!(state(&domain, false, None, AcmeOutcome::Pending).https, "off");
        domain.points_here = true;
        let issued = |millis| AcmeOutcome::Issued {
            expires_at: at(millis),
            issuer: "CN=CA".to_owned(),
        };
        let refused = AcmeOutcome::Failed("429 :: retry after noon".to_owned());
        for (outcome, https) in [
            (AcmeOutcome::Pending, "pending"),
            (issued(2_000), "issued"),
            (issued(1_000), "expired"),
            (AcmeOutcome::Untold("acme.json cannot be read".to_owned()), "unknown"),
            (refused.clone(), "failed"),
        ] {
            assert_eq!(state(&domain, true, None, outcome).https, https);
        }
        assert!(state(&domain, true, None, refused).words.contains("retry after noon"));
        domain.tls = Tls::Off;
        assert_eq!(state(&domain, true, None, AcmeOutcome::Pending).https, "off");
    }
}
