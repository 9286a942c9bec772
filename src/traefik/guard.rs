//! What stands between a visitor and the app: who may come in, and how the request is changed on its way.
//!
//! The names carry a digest of what they stand for, so that a change is a new name and can be seen in Traefik's API.

use sha2::{Digest as _, Sha256};

use super::WEB_SECURE;
use super::dynamic::Middleware;
use super::render::router_prefix;
use crate::model::ip_range::IpRange;
use crate::model::route::Route;

/// How long a browser uses https only after its last visit, in seconds: the year that preload lists ask for.
const STS_SECONDS: u32 = 31_536_000;

/// The names for a route at an entry point, in the order in which they see a request.
pub(super) fn names(app: &str, route: &Route, entry_point: &str) -> Vec<String> {
    all(app, route, entry_point).into_iter().map(|(name, _)| name).collect()
}

/// The middlewares themselves. Strict transport security is for https alone (RFC 6797 §7.2).
pub(super) fn all(app: &str, route: &Route, entry_point: &str) -> Vec<(String, Middleware)> {
    let mut found = Vec::new();
    if route.has_hsts && route.https.is_on() && entry_point == WEB_SECURE {
        found.push((
            "hsts",
            Middleware::Headers {
                sts_seconds: STS_SECONDS,
            },
        ));
    }
    if !route.allow_ips.is_empty() {
        let source_range = route.allow_ips.iter().map(IpRange::to_string).collect();
        found.push(("allow", Middleware::IpAllowList { source_range }));
    }
    if !route.users.is_empty() {
        let users = route.users.iter().map(|line| line.0.clone()).collect();
        let remove_header = true;
        found.push(("auth", Middleware::BasicAuth { users, remove_header }));
    }
    if route.strips_prefix && !route.path_prefix.is_root() {
        let prefixes = vec![route.path_prefix.decoded()];
        found.push(("strip", Middleware::StripPrefix { prefixes }));
    }
    let named = |(kind, middleware)| (name(app, kind, &middleware), middleware);
    found.into_iter().map(named).collect()
}

fn name(app: &str, kind: &str, middleware: &Middleware) -> String {
    let content = serde_json::to_vec(middleware).expect("texts and numbers always serialise");
    let digest: String = Sha256::digest(content)[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{}{kind}_{digest}", router_prefix(app))
}
