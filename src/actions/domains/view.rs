//! A domain as it is shown: its settings without secrets, and how it is served now.

use serde::Serialize;

use super::input::{DomainInput, SiteUserInput};
use crate::model::certificate::CertificateChain;
use crate::model::domain::{Domain, Https, Tls};
use crate::model::ids::DomainId;
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
    /// `failed`, `custom` or `expired`.
    pub https: &'static str,
    /// The same in one sentence for people, with what to do.
    pub words: String,
    /// When the certificate ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
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
            allow_ips: input.allow_ips,
            basic_auth: input.basic_auth,
            certificate: input.certificate,
            state,
        }
    }
}

impl DomainState {
    /// How a domain is served.
    pub fn of(domain: &Domain, has_acme: bool, now: Timestamp) -> Self {
        match domain.https(has_acme) {
            Https::Off => Self::told("off", plain(domain, has_acme)),
            Https::Waiting => Self::told("waiting", "Plain http until its DNS leads to this machine."),
            Https::Acme => Self::told("pending", "The certificate is asked for."),
            Https::Custom => Self::custom(domain, now),
        }
    }

    fn told(https: &'static str, words: impl Into<String>) -> Self {
        Self {
            https,
            words: words.into(),
            expires_at: None,
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
            (
                "custom",
                format!("An uploaded certificate, signed by {}.", chain.issuer),
            )
        };
        Self {
            expires_at: Some(chain.expires_at),
            ..Self::told(https, words)
        }
    }
}

/// Why a domain is plain http.
fn plain(domain: &Domain, has_acme: bool) -> &'static str {
    if domain.tls != Tls::Auto {
        "Plain http, as chosen."
    } else if domain.host.is_wildcard() {
        "Plain http: a wildcard gets no certificate by itself. Upload one."
    } else if !domain.may_have_certificate() {
        "Plain http: no certificate can be had for such a host."
    } else if !has_acme {
        "Plain http until Dhow is started with --acme-email, or a certificate is uploaded."
    } else {
        "Plain http."
    }
}
