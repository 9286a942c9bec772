//! Dhow's proxy module against a real Traefik in a container: what is written is served, what is confirmed is
//! true, and nothing that Dhow writes can take another app away.
//!
//! Needs an engine and the images `traefik:v3.7` and `busybox:1` (`make testbed`).

#![allow(clippy::print_stdout, reason = "measured times are a part of what a run tells")]

mod bed;
mod client;
#[path = "../support/docker_cli.rs"]
mod docker_cli;
mod files;
#[path = "../support/free_port.rs"]
mod free_port;
mod routes;
mod switches;

use dhow::model::domain::{Domain, Tls};
use dhow::model::host::Host;
use dhow::model::path_prefix::PathPrefix;
use dhow::model::route::{AppRoutes, Server};
use tokio::sync::{Mutex, MutexGuard};

/// One proxy at a time: times are measured here, on machines with two cores.
async fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

fn domain(host: &str, path: &str, tls: Tls, redirect_to: Option<&str>) -> Domain {
    let parse = |text: &str| Host::parse_pattern(text).expect("a host");
    let path_prefix = PathPrefix::parse(path).expect("a path");
    Domain {
        tls,
        points_here: true,
        redirect_to: redirect_to.map(parse),
        ..Domain::new(parse(host), path_prefix)
    }
}

/// An app at plain http hosts.
fn app(slug: &str, places: &[(&str, &str)], server: &Server) -> AppRoutes {
    let domains: Vec<Domain> = places
        .iter()
        .map(|(host, path)| domain(host, path, Tls::Off, None))
        .collect();
    AppRoutes::derive(slug, &domains, Some(server.clone()), false)
}
