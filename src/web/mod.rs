//! Pages: HTML rendered here, plain links and forms, made better by htmx. One file a resource.
//!
//! A handler reads through the extractors of `load`, changes through `actions`, and fails with a [`error::PageError`],
//! which `present` turns into a page, a fragment or problem+json. Nothing here trusts that JavaScript runs.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;

use crate::actions::Actions;
use crate::config::MAX_BODY_BYTES;

pub mod apps;
pub mod assets;
pub mod client;
pub mod connections;
pub mod deployments;
pub mod error;
pub mod flash;
pub mod forms;
pub mod layout;
pub mod load;
pub mod moment;
pub mod session;
pub mod signed_in;
pub mod sse;
pub mod status;
pub mod typed;

mod account;
mod ansi;
mod audit;
mod csrf;
mod dashboard;
mod deliveries;
mod domains;
pub mod door;
mod env;
mod headers;
mod health;
mod invitations;
mod login;
mod made_link;
mod members;
mod present;
mod projects;
mod qr;
mod releases;
mod setup;
mod users;
mod webhook;

/// What every handler works with.
#[derive(Clone)]
pub struct Web {
    /// What a user may do, and the database to read from.
    pub actions: Actions,
    /// Ends streams when Dhow stops.
    pub stop: CancellationToken,
    /// Open streams of pages.
    pub streams: Arc<sse::Streams>,
}

impl Web {
    fn new(actions: Actions, stop: CancellationToken) -> Self {
        Self {
            actions,
            stop,
            streams: Arc::default(),
        }
    }
}

/// All pages, to be wrapped by [`with_sessions`].
pub fn router(actions: Actions, stop: CancellationToken) -> Router {
    Router::new()
        .merge(account::router())
        .merge(apps::router())
        .merge(audit::router())
        .merge(dashboard::router())
        .merge(deliveries::router())
        .merge(deployments::router())
        .merge(domains::router())
        .merge(env::router())
        .merge(invitations::router())
        .merge(login::router())
        .merge(members::router())
        .merge(projects::router())
        .merge(releases::router())
        .merge(setup::router())
        .merge(users::router())
        .merge(webhook::router())
        .fallback(|| async { StatusCode::NOT_FOUND })
        .with_state(Web::new(actions, stop))
}

/// What needs no session: the files of `static/`, `/healthz`, `/readyz`.
pub fn open_router(actions: Actions, stop: CancellationToken) -> Router {
    Router::new()
        .merge(assets::router())
        .merge(health::router())
        .with_state(Web::new(actions, stop))
        .layer(from_fn(headers::add))
}

/// Puts around pages and API what they share: sessions, the refusal of foreign origins, limits, readable failures,
/// headers and compression.
pub fn with_sessions(router: Router, actions: &Actions, stop: &CancellationToken) -> Router {
    let web = Web::new(actions.clone(), stop.clone());
    // The last one is the outermost.
    router
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(actions.clone(), csrf::check))
        .layer(from_fn_with_state(actions.clone(), session::identify))
        .layer(session::layer(actions))
        .layer(from_fn_with_state(web, present::present))
        .layer(from_fn(headers::add))
        .layer(CompressionLayer::new())
}
