//! Dynamic files as pure text: one an app, and one that makes Traefik's own API reachable for Dhow alone.
//!
//! Empty maps are left out, since the file provider refuses them and with them every other file. Every rule has a
//! priority of its own: Traefik's default is the length of the rule's text (Traefik docs, "Rules & Priority").

use super::dynamic::{
    DynamicFile, Http, LoadBalancer, Middleware, Router, RouterTls, ServerUrl, Service, Tls, TlsStore,
};
use super::text::dynamic_text;
use super::{API_USER, PRIVATE, RESOLVER, WEB, WEB_SECURE, certificate};
use crate::model::host::Host;
use crate::model::path_prefix::PathPrefix;
use crate::model::route::{AppRoutes, Redirect, Route};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use std::collections::BTreeMap;

/// The ports under which the entry points are reached from outside; redirects name them where they are unusual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicPorts {
    /// Of plain http.
    pub http: u16,
    /// Of https.
    pub https: u16,
}

/// Name of an app's dynamic file in [`DynamicFiles`](super::DynamicFiles).
pub fn app_file(app: &str) -> String {
    service_name(app)
}

/// Name of the dynamic file that [`render_api`] is for.
pub fn api_file() -> &'static str {
    "dhow"
}

/// The content of an app's dynamic file; `None` when Traefik has nothing to know of it, so that no file may exist.
pub fn render(routes: &AppRoutes, ports: PublicPorts) -> Option<String> {
    let service = LoadBalancer {
        servers: routes
            .server
            .iter()
            .map(|server| ServerUrl { url: server.url() })
            .collect(),
        pass_host_header: true,
    };
    let http = Http {
        routers: routers(routes),
        middlewares: middlewares(routes, ports),
        services: BTreeMap::from([(service_name(&routes.app), Service { load_balancer: service })]),
    };
    let is_known = !routes.routes.is_empty() || routes.server.is_some();
    is_known.then(|| dynamic_text(&DynamicFile { http, tls: None }))
}

/// The content of the file that is not an app's: it names the fallback certificate and puts Traefik's API and
/// metrics on the private entry point, behind this password. It stands there as a plain hash only (Traefik docs, "BasicAuth"): it must be long and random.
pub fn render_api(password: &str) -> String {
    let user = format!("{API_USER}:{{SHA}}{}", STANDARD.encode(Sha1::digest(password)));
    let auth = "dhow-password".to_owned();
    let router = |rule: &str, service: &str| Router {
        middlewares: vec![auth.clone()],
        ..Router::new(PRIVATE, rule.to_owned(), 1, service)
    };
    let http = Http {
        routers: BTreeMap::from([
            ("dhow-api".to_owned(), router("PathPrefix(`/api/`)", "api@internal")),
            (
                "dhow-metrics".to_owned(),
                router("Path(`/metrics`)", "prometheus@internal"),
            ),
        ]),
        middlewares: BTreeMap::from([(
            auth.clone(),
            Middleware::BasicAuth {
                users: vec![user],
                remove_header: true,
            },
        )]),
        services: BTreeMap::new(),
    };
    let tls = Some(Tls {
        stores: BTreeMap::from([(
            "default".to_owned(),
            TlsStore {
                default_certificate: certificate::files(),
            },
        )]),
    });
    dynamic_text(&DynamicFile { http, tls })
}

/// Name of an app's service, without the provider.
pub(super) fn service_name(app: &str) -> String {
    format!("app-{app}")
}

/// What the names of all routers of an app begin with. No slug holds the underscore, so it is no other app's.
pub(super) fn router_prefix(app: &str) -> String {
    format!("app-{app}_")
}

/// An app's routers by name.
pub(super) fn routers(routes: &AppRoutes) -> BTreeMap<String, Router> {
    let mut routers = BTreeMap::new();
    for (index, route) in routes.routes.iter().enumerate() {
        let name = format!("{}{index}", router_prefix(&routes.app));
        let last_stop = match &route.redirect {
            Some(redirect) => redirecting(&routes.app, route, redirect),
            None => serving(&routes.app, route),
        };
        if !route.has_tls {
            routers.insert(name, last_stop);
            continue;
        }
        let secure = Redirect {
            host: route.host.clone(),
            has_tls: true,
        };
        let redirect = route.redirect.as_ref().unwrap_or(&secure);
        routers.insert(format!("{name}_http"), redirecting(&routes.app, route, redirect));
        let tls = Some(RouterTls {
            cert_resolver: RESOLVER,
        });
        routers.insert(
            name,
            Router {
                entry_points: [WEB_SECURE],
                tls,
                ..last_stop
            },
        );
    }
    routers
}

/// A router that hands a route's requests to the app.
fn serving(app: &str, route: &Route) -> Router {
    Router::new(
        WEB,
        rule(&route.host, &route.path_prefix),
        priority(&route.path_prefix),
        &service_name(app),
    )
}

/// A router that sends a route's requests on.
fn redirecting(app: &str, route: &Route, redirect: &Redirect) -> Router {
    let router = Router::new(
        WEB,
        rule(&route.host, &route.path_prefix),
        priority(&route.path_prefix),
        "noop@internal",
    );
    Router {
        middlewares: vec![redirect_name(app, redirect)],
        ..router
    }
}

/// An app's middlewares by name: one for each place that requests are sent on to.
fn middlewares(routes: &AppRoutes, ports: PublicPorts) -> BTreeMap<String, Middleware> {
    let mut middlewares = BTreeMap::new();
    for route in &routes.routes {
        let secure = route.has_tls.then(|| Redirect {
            host: route.host.clone(),
            has_tls: true,
        });
        if let Some(redirect) = route.redirect.clone().or(secure) {
            middlewares.insert(redirect_name(&routes.app, &redirect), redirection(&redirect, ports));
        }
    }
    middlewares
}

/// The name says where it leads, so that a new target is a new name and can be seen in Traefik's API.
fn redirect_name(app: &str, redirect: &Redirect) -> String {
    let scheme = if redirect.has_tls { "https" } else { "http" };
    format!("{}to_{scheme}_{}", router_prefix(app), redirect.host)
}

/// Keeps path and query; a permanent one is 301 for GET and 308 for all other methods (Traefik docs, "RedirectRegex").
fn redirection(redirect: &Redirect, ports: PublicPorts) -> Middleware {
    let origin = match (redirect.has_tls, ports) {
        (true, PublicPorts { https: 443, .. }) => format!("https://{}", redirect.host),
        (true, PublicPorts { https, .. }) => format!("https://{}:{https}", redirect.host),
        (false, PublicPorts { http: 80, .. }) => format!("http://{}", redirect.host),
        (false, PublicPorts { http, .. }) => format!("http://{}:{http}", redirect.host),
    };
    Middleware::RedirectRegex {
        regex: "^https?://[^/]+(.*)$".to_owned(),
        replacement: format!("{origin}${{1}}"),
        permanent: true,
    }
}

/// Whole segments only: `PathPrefix` alone compares plain text, and `/blog` would take `/blogger` too.
fn rule(host: &Host, path_prefix: &PathPrefix) -> String {
    if path_prefix.is_root() {
        return format!("Host(`{host}`)");
    }
    let path = path_prefix.decoded();
    format!("Host(`{host}`) && (Path(`{path}`) || PathPrefix(`{path}/`))")
}

/// Of two prefixes that match a path, the longer one wins. Never 0, which stands for Traefik's own default.
fn priority(path_prefix: &PathPrefix) -> usize {
    path_prefix.as_str().len()
}

#[cfg(test)]
mod tests;
