//! Dynamic files as pure text: one an app, and one that makes Traefik's own API reachable for Dhow alone.
//!
//! Empty maps are left out, since the file provider refuses them and with them every other file. Every rule has a
//! priority of its own: Traefik's default is the length of the rule's text (Traefik docs, "Rules & Priority").

use super::dynamic::{
    CertificateFiles, DynamicFile, Http, LoadBalancer, Middleware, Router, RouterTls, ServerUrl, Service, Tls, TlsStore,
};
use super::mark::{self, Mark};
use super::text::dynamic_text;
use super::{API_USER, PRIVATE, RESOLVER, WEB, WEB_SECURE, certificate, guard, rules};
use crate::model::domain::Https;
use crate::model::route::{AppRoutes, Redirect, Route, Server};
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
    let http = Http {
        routers: routers(routes),
        middlewares: middlewares(routes, ports),
        services: services(routes),
    };
    let is_known = !routes.routes.is_empty() || routes.server.is_some();
    let tls = certificates(routes);
    is_known.then(|| dynamic_text(&DynamicFile { http, tls }))
}

/// The content of the file that is not an app's: it names the fallback certificate, holds the [`Mark`], and puts
/// Traefik's API and metrics on the private entry point, behind this password. It stands there as plain hashes only
/// (Traefik docs, "BasicAuth"): it must be long and random.
pub fn render_api(password: &str) -> String {
    let user = format!("{API_USER}:{{SHA}}{}", STANDARD.encode(Sha1::digest(password)));
    let (auth, mark) = ("dhow-password".to_owned(), Mark::of(password));
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
            (mark::NAME.to_owned(), mark.router()),
        ]),
        middlewares: BTreeMap::from([
            (mark::NAME.to_owned(), mark.middleware()),
            (
                auth.clone(),
                Middleware::BasicAuth {
                    users: vec![user],
                    remove_header: true,
                },
            ),
        ]),
        services: BTreeMap::new(),
    };
    let tls = Some(Tls {
        certificates: Vec::new(),
        stores: BTreeMap::from([(
            "default".to_owned(),
            TlsStore {
                default_certificate: certificate::files(),
            },
        )]),
    });
    dynamic_text(&DynamicFile { http, tls })
}

/// An app's services: the one that its server answers, and the same in HTTP/2 where a route wants that (Traefik docs,
/// "Services", which calls it h2c).
fn services(routes: &AppRoutes) -> BTreeMap<String, Service> {
    let service = |scheme: &str| {
        let url = |server: &Server| server.url().replacen("http://", scheme, 1);
        let servers = routes
            .server
            .iter()
            .map(|server| ServerUrl { url: url(server) })
            .collect();
        let load_balancer = LoadBalancer {
            servers,
            pass_host_header: true,
        };
        Service { load_balancer }
    };
    let mut services = BTreeMap::from([(service_name(&routes.app), service("http://"))]);
    if routes.routes.iter().any(|route| route.is_grpc) {
        services.insert(grpc_service_name(&routes.app), service("h2c://"));
    }
    services
}

/// Name of the service that speaks HTTP/2. No slug holds the underscore, so it is no other app's.
pub(super) fn grpc_service_name(app: &str) -> String {
    format!("app-{app}_grpc")
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
        let last_stop = |entry_point| match &route.redirect {
            Some(redirect) => redirecting(&routes.app, route, redirect, entry_point),
            None => serving(&routes.app, route, entry_point),
        };
        let secure = |tls| Router {
            tls: Some(tls),
            ..last_stop(WEB_SECURE)
        };
        let plain = match route.https {
            Https::Off => {
                routers.insert(name, last_stop(WEB));
                continue;
            }
            Https::Waiting => {
                routers.insert(name.clone(), secure(RouterTls::with_what_is_there()));
                last_stop(WEB)
            }
            Https::Acme | Https::Custom => {
                let tls = match route.https {
                    Https::Acme => RouterTls::by(RESOLVER),
                    _ => RouterTls::with_what_is_there(),
                };
                routers.insert(name.clone(), secure(tls));
                redirecting(&routes.app, route, &upgrade(route), WEB)
            }
        };
        if let Some(router) = plain_path(&routes.app, route) {
            routers.insert(format!("{name}_plain"), router);
        }
        routers.insert(format!("{name}_http"), plain);
    }
    routers
}

/// Where plain http of a route with https leads to: at once to where https would send it on to.
fn upgrade(route: &Route) -> Redirect {
    let here = || Redirect {
        host: route.host.clone(),
        has_tls: true,
    };
    route.redirect.clone().unwrap_or_else(here)
}

/// A router that hands a route's requests to the app.
fn serving(app: &str, route: &Route, entry_point: &'static str) -> Router {
    let host = rules::host(&route.host);
    let rule = rules::below(&host, &route.path_prefix);
    let service = if route.is_grpc {
        grpc_service_name(app)
    } else {
        service_name(app)
    };
    Router {
        middlewares: guard::names(app, route, entry_point),
        ..Router::new(entry_point, rule, rules::priority(route), &service)
    }
}

/// A router that hands requests for the one path to the app that is answered over plain http, too.
fn plain_path(app: &str, route: &Route) -> Option<Router> {
    let path = route.plain_path.as_ref().filter(|_| route.redirect.is_none())?;
    Some(Router {
        rule: format!("{} && Path(`{}`)", rules::host(&route.host), path.decoded()),
        priority: rules::priority(route) + 1,
        ..serving(app, route, WEB)
    })
}

/// A router that sends a route's requests on.
fn redirecting(app: &str, route: &Route, redirect: &Redirect, entry_point: &'static str) -> Router {
    let rule = rules::below(&rules::host(&route.host), &route.path_prefix);
    Router {
        middlewares: vec![redirect_name(app, redirect)],
        ..Router::new(entry_point, rule, rules::priority(route), "noop@internal")
    }
}

/// An app's middlewares by name: what guards it, and one for each place that requests are sent on to.
fn middlewares(routes: &AppRoutes, ports: PublicPorts) -> BTreeMap<String, Middleware> {
    let mut middlewares = BTreeMap::new();
    for route in &routes.routes {
        if route.redirect.is_some() || route.https.is_on() {
            let redirect = upgrade(route);
            middlewares.insert(redirect_name(&routes.app, &redirect), redirection(&redirect, ports));
        }
        if route.redirect.is_none() {
            middlewares.extend(guard::all(&routes.app, route, WEB_SECURE));
        }
    }
    middlewares
}

/// Uploaded certificates, each once.
fn certificates(routes: &AppRoutes) -> Option<Tls> {
    let mut certificates: Vec<CertificateFiles> = Vec::new();
    for pair in routes.routes.iter().filter_map(|route| route.certificate.as_ref()) {
        if certificates.iter().all(|known| known.cert_file != pair.chain) {
            certificates.push(CertificateFiles {
                cert_file: pair.chain.clone(),
                key_file: pair.key.clone(),
            });
        }
    }
    (!certificates.is_empty()).then(|| Tls {
        stores: BTreeMap::new(),
        certificates,
    })
}

/// The name says where it leads, so that a new target is a new name and can be seen in Traefik's API.
fn redirect_name(app: &str, redirect: &Redirect) -> String {
    let scheme = if redirect.has_tls { "https" } else { "http" };
    let host = redirect.host.as_str().replace('*', "any");
    format!("{}to_{scheme}_{host}", router_prefix(app))
}

/// Keeps path and query; a permanent one is 301 for GET and 308 for all other methods (Traefik docs, "RedirectRegex").
pub(super) fn redirection(redirect: &Redirect, ports: PublicPorts) -> Middleware {
    let (scheme, port) = match (redirect.has_tls, ports) {
        (true, PublicPorts { https: 443, .. }) => ("https", String::new()),
        (true, PublicPorts { https, .. }) => ("https", format!(":{https}")),
        (false, PublicPorts { http: 80, .. }) => ("http", String::new()),
        (false, PublicPorts { http, .. }) => ("http", format!(":{http}")),
    };
    let (regex, replacement) = if redirect.host.is_wildcard() {
        let host = "^https?://([^/:]+)[^/]*(.*)$";
        (host, format!("{scheme}://${{1}}{port}${{2}}"))
    } else {
        let host = &redirect.host;
        ("^https?://[^/]+(.*)$", format!("{scheme}://{host}{port}${{1}}"))
    };
    Middleware::RedirectRegex {
        regex: regex.to_owned(),
        replacement,
        permanent: true,
    }
}

#[cfg(test)]
mod tests;
