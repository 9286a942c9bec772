//! The REST API, `/api/v1`: JSON in and out, thin over `actions`. One file a resource.
//!
//! A caller is known before path, query and body are looked at. Errors are problem+json in one place.

use axum::Router;
use axum::extract::FromRef;
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use crate::actions::Actions;

mod apps;
mod audit;
mod body;
mod build_plan;
mod caller;
mod deployments;
mod domains;
mod env;
mod invitations;
mod list;
mod logs;
mod members;
mod openapi;
mod problem;
mod projects;
mod query;
mod releases;
mod running;
mod source;
mod users;
mod webhook;

pub use problem::Problem;

/// What handlers work with.
#[derive(Clone, FromRef)]
struct Api {
    actions: Actions,
    stop: CancellationToken,
}

/// All calls; unknown ones below `/api` answer problem+json too.
pub fn router(actions: Actions, stop: CancellationToken) -> Router {
    let calls = OpenApiRouter::with_openapi(openapi::Description::openapi())
        .merge(projects::router())
        .merge(apps::router())
        .merge(env::router())
        .merge(domains::router())
        .merge(source::router())
        .merge(build_plan::router())
        .merge(deployments::router())
        .merge(releases::router())
        .merge(webhook::router())
        .merge(running::router())
        .merge(logs::router())
        .merge(members::router())
        .merge(users::router())
        .merge(invitations::router())
        .merge(audit::router());
    let calls = openapi::described(calls)
        .fallback(problem::unknown_call)
        .method_not_allowed_fallback(problem::unknown_method);
    Router::new().nest("/api/v1", calls).with_state(Api { actions, stop })
}
