//! The words of Traefik's dynamic configuration that Dhow uses, as its file provider spells them.
//!
//! Empty lists and maps are left out: `routers: {}` is "a standalone element" to Traefik, which then refuses the
//! whole directory (tried with 3.7; traefik/traefik#8921).

use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
pub(super) struct DynamicFile {
    pub(super) http: Http,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tls: Option<Tls>,
}

#[derive(Serialize)]
pub(super) struct Http {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) routers: BTreeMap<String, Router>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) middlewares: BTreeMap<String, Middleware>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) services: BTreeMap<String, Service>,
}

/// A router, as Traefik's file provider and its API spell it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Router {
    pub(super) entry_points: [&'static str; 1],
    pub(super) rule: String,
    pub(super) priority: usize,
    pub(super) service: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) middlewares: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tls: Option<RouterTls>,
}

impl Router {
    pub(super) fn new(entry_point: &'static str, rule: String, priority: usize, service: &str) -> Self {
        let service = service.to_owned();
        Self {
            entry_points: [entry_point],
            rule,
            priority,
            service,
            middlewares: Vec::new(),
            tls: None,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RouterTls {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cert_resolver: Option<&'static str>,
    /// Named, so that the element is never empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) options: Option<&'static str>,
}

impl RouterTls {
    /// With certificates that a resolver is asked for.
    pub(super) const fn by(resolver: &'static str) -> Self {
        Self {
            cert_resolver: Some(resolver),
            options: None,
        }
    }

    /// With the certificate that is there for the host, or the fallback.
    pub(super) const fn with_what_is_there() -> Self {
        Self {
            cert_resolver: None,
            options: Some("default"),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Middleware {
    /// Users as htpasswd files have them.
    BasicAuth {
        users: Vec<String>,
        remove_header: bool,
    },
    RedirectRegex {
        regex: String,
        replacement: String,
        permanent: bool,
    },
    StripPrefix {
        prefixes: Vec<String>,
    },
    IpAllowList {
        source_range: Vec<String>,
    },
    Headers {
        sts_seconds: u32,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Service {
    pub(super) load_balancer: LoadBalancer,
}

/// Without servers it answers 503, which is meant; `pass_host_header` then keeps the element from being empty.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoadBalancer {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) servers: Vec<ServerUrl>,
    pub(super) pass_host_header: bool,
}

#[derive(Serialize)]
pub(super) struct ServerUrl {
    pub(super) url: String,
}

#[derive(Serialize)]
pub(super) struct Tls {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) stores: BTreeMap<String, TlsStore>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) certificates: Vec<CertificateFiles>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TlsStore {
    pub(super) default_certificate: CertificateFiles,
}

/// Names of files, or what would stand in them (Traefik docs, "TLS", which reads either).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CertificateFiles {
    pub(super) cert_file: String,
    pub(super) key_file: String,
}
