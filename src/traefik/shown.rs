//! Routers and services as Traefik's API shows them (Traefik docs, "API & Dashboard").

use serde::Deserialize;
use std::fmt;

/// A router or service as the API shows it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    pub(super) name: String,
    status: String,
    #[serde(default)]
    pub(super) rule: String,
    #[serde(default)]
    pub(super) middlewares: Vec<String>,
    #[serde(default)]
    tls: ShownTls,
    #[serde(default)]
    error: Vec<String>,
    load_balancer: Option<ShownLoadBalancer>,
}

#[derive(Deserialize)]
struct ShownLoadBalancer {
    #[serde(default)]
    servers: Vec<ShownServer>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ShownTls {
    cert_resolver: Option<String>,
}

#[derive(Deserialize)]
struct ShownServer {
    url: String,
}

impl Shown {
    pub(super) fn is_enabled(&self) -> bool {
        self.status == "enabled"
    }

    /// Where its certificates are asked for.
    pub(super) fn resolver(&self) -> Option<&str> {
        self.tls.cert_resolver.as_deref()
    }

    pub(super) fn servers(&self) -> Vec<&str> {
        let servers = self.load_balancer.iter().flat_map(|balancer| &balancer.servers);
        servers.map(|server| server.url.as_str()).collect()
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.name, self.status)?;
        if !self.rule.is_empty() {
            write!(f, " with the rule {}", self.rule)?;
        }
        if !self.error.is_empty() {
            write!(f, ": {}", self.error.join("; "))?;
        }
        Ok(())
    }
}
