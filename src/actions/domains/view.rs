//! A domain as it is shown: its settings without secrets, and how it is served now.

use std::net::IpAddr;

use serde::Serialize;

use super::input::{DomainInput, SiteUserInput};
use super::words;
use crate::deploy::{AcmeOutcome, Look};
use crate::model::certificate::CertificateChain;
use crate::model::domain::{Domain, Https};
use crate::model::ids::DomainId;
use crate::model::pointing::{Port80, Verdict};
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
    /// When the authority takes a request again, where it has had too many and says so.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub retry_at: Option<Timestamp>,
    /// Which authorities the domain's owner allows; null where that is nowhere restricted, or not known.
    pub caa: Option<CaaState>,
    /// What answers at port 80, where an authority asks, as seen from this machine: `proxy` (Dhow's own), `other` or
    /// `unreachable`. Null unless the DNS leads here and a certificate may be asked for.
    pub port_80: Option<Port80>,
    /// What the DNS says, where it was looked up: for `auto` and public names.
    pub dns: Option<DnsState>,
    /// The proxy could not be told yet; `words` say why.
    #[serde(skip)]
    pub is_unwritten: bool,
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

/// What CAA records say (RFC 8659).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CaaState {
    /// The name that has the records: the host, or the nearest one above it that has any.
    pub name: String,
    /// The authorities that may issue by HTTP-01; nobody may when empty.
    pub allowed: Vec<String>,
    /// Whether the authority that is asked must refuse; false where a directory of one's own is asked, whose name in
    /// such records is not known.
    pub forbids: bool,
}

/// What is known of a domain besides its settings.
pub(super) struct Seen<'a> {
    /// Whether certificates can be had.
    pub(super) has_acme: bool,
    /// The authority's name in CAA records.
    pub(super) authority: Option<&'static str>,
    /// Where the proxy listens for plain http.
    pub(super) http_port: u16,
    /// What was seen, if it was looked up.
    pub(super) look: Option<Look>,
    /// What became of its certificate by ACME.
    pub(super) outcome: AcmeOutcome,
    /// An uploaded certificate of any app that is for its host.
    pub(super) uploaded: Option<&'a CertificateChain>,
}

impl DomainState {
    /// The records to make while the DNS does not lead here.
    pub fn missing_records(&self) -> Vec<String> {
        let missing = self.dns.as_ref().filter(|dns| dns.verdict != Verdict::Right);
        missing.map(|dns| dns.records.clone()).unwrap_or_default()
    }

    /// How a domain is served.
    pub(super) fn of(domain: &Domain, seen: Seen<'_>, now: Timestamp) -> Self {
        let look = seen.look.as_ref();
        let mut state = match domain.https(seen.has_acme) {
            Https::Off => Self::told("off", words::plain(domain, seen.has_acme)),
            Https::Waiting => Self::told("waiting", words::waiting(look.map(|look| &look.pointing))),
            Https::Acme => match (&seen.outcome, seen.uploaded) {
                (AcmeOutcome::Pending, Some(chain)) => Self::covered(chain, now),
                (outcome, _) => Self::acme(outcome, now),
            },
            Https::Custom => Self::custom(domain, now),
        };
        state.dns = look.map(|look| DnsState {
            verdict: look.pointing.verdict,
            found: look.pointing.found.clone(),
            wanted: look.pointing.wanted.clone(),
            records: look.pointing.records(&domain.host),
        });
        if let (Https::Waiting | Https::Acme, Some(look)) = (domain.https(seen.has_acme), look) {
            state.add_what_an_authority_sees(look, &seen);
        }
        state
    }

    /// A certificate that is there says only what stands against its renewal for sure.
    fn add_what_an_authority_sees(&mut self, look: &Look, seen: &Seen<'_>) {
        let is_issued = self.https == "issued";
        self.caa = look.caa.as_ref().map(|caa| CaaState {
            name: caa.name.clone(),
            allowed: caa.allowed.clone(),
            forbids: seen.authority.is_some_and(|authority| caa.forbids(authority)),
        });
        self.port_80 = look.port_80;
        let caa = look.caa.as_ref().filter(|_| !is_issued || seen.authority.is_some());
        let about_caa = caa.and_then(|caa| words::caa(caa, seen.authority));
        let port_80 = look.port_80.filter(|_| !is_issued);
        let about_port_80 = port_80.and_then(|found| words::port_80(found, &look.pointing.found, seen.http_port));
        for more in [about_port_80, about_caa].into_iter().flatten() {
            let end = if self.words.ends_with('.') { " " } else { ". " };
            self.words.push_str(end);
            self.words.push_str(&more);
        }
    }

    /// The same, or that the proxy does not know it yet and why.
    pub(super) fn unless_unwritten(self, reason: Option<&str>) -> Self {
        let Some(reason) = reason else { return self };
        Self {
            words: format!("Stored, but not served so yet. {reason} Dhow tries again every few seconds."),
            is_unwritten: true,
            ..self
        }
    }

    fn told(https: &'static str, words: impl Into<String>) -> Self {
        Self {
            https,
            words: words.into(),
            expires_at: None,
            retry_at: None,
            caa: None,
            port_80: None,
            dns: None,
            is_unwritten: false,
        }
    }

    fn acme(outcome: &AcmeOutcome, now: Timestamp) -> Self {
        match outcome {
            AcmeOutcome::Issued { expires_at, .. } if *expires_at <= now => Self {
                expires_at: Some(*expires_at),
                ..Self::told("expired", "The certificate is over, and no newer one was had.")
            },
            AcmeOutcome::Issued { expires_at, issuer } => Self {
                expires_at: Some(*expires_at),
                ..Self::told("issued", format!("Signed by {issuer}, renewed by itself."))
            },
            AcmeOutcome::Pending => Self::told("pending", "The certificate is asked for; this takes seconds."),
            AcmeOutcome::Untold(reason) => Self::told(
                "unknown",
                format!("Whether there is a certificate is not known: {reason}"),
            ),
            AcmeOutcome::Failed(refusal) => Self {
                retry_at: refusal.retry_at,
                ..Self::told("failed", words::refused(refusal))
            },
        }
    }

    /// The proxy asks for none where an uploaded certificate is for the host, too.
    fn covered(chain: &CertificateChain, now: Timestamp) -> Self {
        let whose = "A certificate uploaded for another domain serves this one, too";
        let told = if chain.expires_at <= now {
            Self::told("expired", format!("{whose}, and is over. Upload a newer one there."))
        } else {
            let words = format!("{whose}, so none is asked for; signed by {}.", chain.issuer);
            Self::told("custom", words)
        };
        Self {
            expires_at: Some(chain.expires_at),
            ..told
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

#[cfg(test)]
mod tests {
    use super::{AcmeOutcome, CertificateChain, DomainState, Look, Port80, Seen, Verdict};
    use crate::deploy::Refusal;
    use crate::model::caa::Caa;
    use crate::model::domain::{Domain, Tls};
    use crate::model::host::Host;
    use crate::model::path_prefix::PathPrefix;
    use crate::model::pointing::{Found, Pointing};
    use crate::model::time::Timestamp;
    use std::net::IpAddr;

    fn look(text: &str) -> Look {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        Look {
            pointing: Pointing::new(Found::Addresses(vec![address(text)]), &[address("9.9.9.9")], &[]),
            caa: None,
            port_80: None,
        }
    }

    fn seen(look: Option<Look>, outcome: AcmeOutcome) -> Seen<'static> {
        Seen {
            has_acme: true,
            authority: Some("letsencrypt.org"),
            http_port: 80,
            look,
            outcome,
            uploaded: None,
        }
    }

    #[test]
    fn what_an_authority_sees_is_told_until_there_is_a_certificate() {
        let at = Timestamp::from_millis;
        let mut domain = Domain::new(Host::parse("a.example.com").expect("a host"), PathPrefix::root());
        domain.points_here = true;
        let bad = Look {
            caa: Some(Caa {
                name: "example.com".to_owned(),
                allowed: vec!["sectigo.com".to_owned()],
            }),
            port_80: Some(Port80::Unreachable),
            ..look("9.9.9.9")
        };
        let refused = AcmeOutcome::Failed(Refusal::of(
            "acme: error: 429 :: retry after 2025-07-17 12:34:59 UTC: see x",
        ));
        let state = |authority, outcome| {
            let seen = Seen {
                authority,
                ..seen(Some(bad.clone()), outcome)
            };
            DomainState::of(&domain, seen, at(1_000))
        };
        let failed = state(Some("letsencrypt.org"), refused);
        assert_eq!(failed.retry_at, Timestamp::parse("2025-07-17T12:34:59Z"));
        assert_eq!(failed.port_80, Some(Port80::Unreachable));
        assert!(failed.caa.is_some_and(|caa| caa.forbids && caa.name == "example.com"));
        for words in [
            "see x. Port 80 of 9.9.9.9",
            "before 2025-07-17 12:34:59 UTC",
            "only sectigo.com, so",
        ] {
            assert!(failed.words.contains(words), "{}", failed.words);
        }
        let issued = AcmeOutcome::Issued {
            expires_at: at(2_000),
            issuer: "CN=CA".to_owned(),
        };
        let by_them = state(Some("letsencrypt.org"), issued.clone());
        assert!(by_them.words.contains("must refuse") && !by_them.words.contains("Port 80"));
        let by_own = state(None, issued);
        assert_eq!(by_own.words, "Signed by CN=CA, renewed by itself.");
        assert!(by_own.caa.is_some_and(|caa| !caa.forbids));
        assert!(
            state(None, AcmeOutcome::Pending)
                .words
                .ends_with("allow only sectigo.com.")
        );
    }

    #[test]
    fn a_state_says_what_is_and_what_to_do() {
        let at = Timestamp::from_millis;
        let mut domain = Domain::new(Host::parse("a.example.com").expect("a host"), PathPrefix::root());
        let state = |domain: &Domain, has_acme, look, outcome| {
            let seen = Seen {
                has_acme,
                ..seen(look, outcome)
            };
            DomainState::of(domain, seen, at(1_000))
        };
        let waiting = state(&domain, true, Some(look("8.8.8.8")), AcmeOutcome::Pending);
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
        let refused = AcmeOutcome::Failed(Refusal::of("403 :: said no"));
        for (outcome, https) in [
            (AcmeOutcome::Pending, "pending"),
            (issued(2_000), "issued"),
            (issued(1_000), "expired"),
            (AcmeOutcome::Untold("acme.json cannot be read".to_owned()), "unknown"),
            (refused.clone(), "failed"),
        ] {
            assert_eq!(state(&domain, true, None, outcome).https, https);
        }
        assert!(state(&domain, true, None, refused).words.contains("said no"));
        let uploaded = |year: i32| {
            let mut parameters = rcgen::CertificateParams::new(vec!["*.example.com".to_owned()]).expect("names");
            parameters.not_after = rcgen::date_time_ymd(year, 1, 2);
            let key = rcgen::KeyPair::generate().expect("a key");
            let pem = parameters.self_signed(&key).expect("a certificate").pem();
            CertificateChain::parse(&pem).expect("a chain")
        };
        for (chain, https) in [(uploaded(2040), "custom"), (uploaded(1969), "expired")] {
            let seen = Seen {
                uploaded: Some(&chain),
                ..seen(None, AcmeOutcome::Pending)
            };
            assert_eq!(DomainState::of(&domain, seen, at(1_000)).https, https);
        }
        domain.tls = Tls::Off;
        assert_eq!(state(&domain, true, None, AcmeOutcome::Pending).https, "off");
    }
}
