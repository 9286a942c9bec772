//! Which requests a router takes, and which of two routers that could take one does.
//!
//! Every rule has a priority of its own, since Traefik's default is the length of the rule's text (Traefik docs,
//! "Rules & Priority"): a host counts more than a wildcard that covers it, then the longer path.

use crate::model::host::Host;
use crate::model::path_prefix::PathPrefix;
use crate::model::route::Route;

/// More than the length of any path prefix.
const EXACT_HOST: usize = 1_000;
/// More than what [`priority`] answers.
pub(super) const ABOVE_ALL: usize = 5 * EXACT_HOST;

/// The condition for a host; of a wildcard one label is open. Traefik compares in lower case.
pub(super) fn host(host: &Host) -> String {
    match host.wildcard_parent() {
        Some(parent) => format!("HostRegexp(`^[^.]+[.]{}$`)", parent.replace('.', "[.]")),
        None => format!("Host(`{host}`)"),
    }
}

/// The rule for a path and whatever is below. Whole segments only: `PathPrefix` alone compares plain text, and `/blog`
/// would take `/blogger` too.
pub(super) fn below(host: &str, path_prefix: &PathPrefix) -> String {
    if path_prefix.is_root() {
        return host.to_owned();
    }
    let path = path_prefix.decoded();
    format!("{host} && (Path(`{path}`) || PathPrefix(`{path}/`))")
}

/// Even, so that a single path can stand between a route and the next longer one. Never 0, which stands for Traefik's
/// own default.
pub(super) fn priority(route: &Route) -> usize {
    let length = route.path_prefix.as_str().len();
    let host = if route.host.is_wildcard() { 0 } else { EXACT_HOST };
    2 * (host + length)
}
