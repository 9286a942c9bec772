//! Routes: what the proxy shall do with an app's requests, derived from its domains and its running instance.
//!
//! Never stored and never edited: whoever needs them derives them anew. The server is named by container and not
//! by address, because addresses are swapped by a reboot.

use std::fmt;

use super::Invalid;
use super::domain::{Domain, Https};
use super::host::Host;
use super::ip_range::IpRange;
use super::path_prefix::PathPrefix;
use super::slug::AppSlug;

/// The host that serves an app without domains of its own.
pub fn default_host(app: &AppSlug, base_domain: &Host) -> Result<Host, Invalid> {
    Host::parse(&format!("{app}.{base_domain}"))
}

/// Where an app is reached, as addresses to type in a browser, which a wildcard is not. `ports` are those for http and https.
pub fn addresses(
    app: &AppSlug,
    domains: &[Domain],
    base_domain: &Host,
    has_acme: bool,
    ports: (u16, u16),
) -> Vec<String> {
    let routes = AppRoutes::of_app(app, domains, base_domain, None, has_acme).map(|routes| routes.routes);
    routes
        .unwrap_or_default()
        .iter()
        .filter(|route| !route.host.is_wildcard())
        .map(|route| route.address(ports.0, ports.1))
        .collect()
}

/// All that the proxy knows of one app: the content of one dynamic file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRoutes {
    /// The app's slug, from which every name at the proxy is made.
    pub app: String,
    /// What reaches the app, in the order of its domains.
    pub routes: Vec<Route>,
    /// What answers; `None` while nothing runs: the routes then answer 503, so that a search engine keeps the pages.
    pub server: Option<Server>,
}

/// A container and the port in it that answers the requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The container's name, resolved in the project's network.
    pub container: String,
    /// Its TCP port.
    pub port: u16,
}

/// One host and path, and what happens there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Requests for this host.
    pub host: Host,
    /// And below this path.
    pub path_prefix: PathPrefix,
    /// The app is asked for paths without the prefix.
    pub strips_prefix: bool,
    /// Whether and how it is served by https.
    pub https: Https,
    /// Requests are sent on instead of served.
    pub redirect: Option<Redirect>,
    /// Browsers are told to use https only.
    pub has_hsts: bool,
    /// A path of the app that is answered over plain http too.
    pub plain_path: Option<PathPrefix>,
    /// The app is spoken to in HTTP/2 without TLS.
    pub is_grpc: bool,
    /// Only these networks are answered; empty: everybody.
    pub allow_ips: Vec<IpRange>,
    /// Only these are answered; empty: everybody.
    pub users: Vec<HtpasswdLine>,
    /// The uploaded certificate.
    pub certificate: Option<CertificatePair>,
}

/// A user's name and the hash of their password, as htpasswd files have them. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct HtpasswdLine(pub String);

impl fmt::Debug for HtpasswdLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HtpasswdLine")
    }
}

/// A certificate's chain and its key, both as PEM. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificatePair {
    /// The chain.
    pub chain: String,
    /// The key.
    pub key: String,
}

impl fmt::Debug for CertificatePair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CertificatePair")
    }
}

/// Where a route sends its requests on to, path and query kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// The host that they go to.
    pub host: Host,
    /// Whether they go to https there.
    pub has_tls: bool,
}

impl Server {
    /// Its URL, as the proxy's configuration and API spell it.
    pub fn url(&self) -> String {
        format!("http://{}:{}", self.container, self.port)
    }
}

impl Route {
    /// A route that serves an app at a host without a domain row, as the one below the base domain; plain http.
    pub fn plain(host: Host) -> Self {
        Self {
            host,
            path_prefix: PathPrefix::root(),
            strips_prefix: false,
            https: Https::Off,
            redirect: None,
            has_hsts: false,
            plain_path: None,
            is_grpc: false,
            allow_ips: Vec::new(),
            users: Vec::new(),
            certificate: None,
        }
    }

    /// The address to type in a browser; a port is named only where it is not the scheme's own.
    pub fn address(&self, http_port: u16, https_port: u16) -> String {
        let (scheme, port, usual) = if self.https.is_on() {
            ("https", https_port, 443)
        } else {
            ("http", http_port, 80)
        };
        let port = if port == usual {
            String::new()
        } else {
            format!(":{port}")
        };
        format!("{scheme}://{}{port}{}", self.host, self.path_prefix.as_str())
    }
}

impl AppRoutes {
    /// The routes of an app: its domains, or without any the host below the base domain.
    pub fn of_app(
        app: &AppSlug,
        domains: &[Domain],
        base_domain: &Host,
        server: Option<Server>,
        has_acme: bool,
    ) -> Result<Self, Invalid> {
        if !domains.is_empty() {
            return Ok(Self::derive(app.as_str(), domains, server, has_acme));
        }
        let route = Route::plain(default_host(app, base_domain)?);
        Ok(Self {
            app: app.to_string(),
            routes: vec![route],
            server,
        })
    }

    /// The routes of an app's domains, without what is sealed. `has_acme`: whether certificates can be had. A redirect
    /// goes to https when its target is a domain of this app that is served so, or, for a target that is none, when
    /// its own host is.
    pub fn derive(app: &str, domains: &[Domain], server: Option<Server>, has_acme: bool) -> Self {
        let route = |domain: &Domain| {
            let https = domain.https(has_acme);
            let redirect = domain.redirect_to.clone().map(|host| {
                let target = domains.iter().find(|other| other.host == host);
                Redirect {
                    has_tls: target.map_or(https, |other| other.https(has_acme)).is_on(),
                    host,
                }
            });
            Route {
                path_prefix: domain.path_prefix.clone(),
                strips_prefix: domain.strips_prefix,
                https,
                redirect,
                has_hsts: domain.has_hsts,
                is_grpc: domain.is_grpc,
                allow_ips: domain.allow_ips.clone(),
                ..Route::plain(domain.host.clone())
            }
        };
        Self {
            app: app.to_owned(),
            routes: domains.iter().map(route).collect(),
            server,
        }
    }

    /// An app that the proxy shall know nothing of.
    pub fn none(app: &str) -> Self {
        Self {
            app: app.to_owned(),
            routes: Vec::new(),
            server: None,
        }
    }
}
