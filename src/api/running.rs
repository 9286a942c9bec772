//! `/apps/{app}/start`, `stop`, `restart` and `apply`: what happens to an app without new code.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;

use super::caller::Caller;
use super::deployments::accepted;
use super::{Api, Problem};
use crate::model::access::Right;

/// The calls.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/apps/{app}/start", post(start))
        .route("/apps/{app}/stop", post(stop))
        .route("/apps/{app}/restart", post(restart))
        .route("/apps/{app}/apply", post(apply))
}

async fn start(caller: Caller, Path(app): Path<String>) -> Result<Response, Problem> {
    let app = caller.app(app, Right::Deploy).await?;
    let deployment = caller.actions().start(&caller.actor, &app).await?;
    Ok(accepted(&app, deployment))
}

async fn stop(caller: Caller, Path(app): Path<String>) -> Result<StatusCode, Problem> {
    let app = caller.app(app, Right::Deploy).await?;
    caller.actions().stop(&caller.actor, &app).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn restart(caller: Caller, Path(app): Path<String>) -> Result<Response, Problem> {
    let app = caller.app(app, Right::Deploy).await?;
    let deployment = caller.actions().restart(&caller.actor, &app).await?;
    Ok(accepted(&app, deployment))
}

/// Has the settings and variables of now take effect; a build only where one of its inputs changed.
async fn apply(caller: Caller, Path(app): Path<String>) -> Result<Response, Problem> {
    let app = caller.app(app, Right::Deploy).await?;
    let deployment = caller.actions().apply_settings(&caller.actor, &app).await?;
    Ok(accepted(&app, deployment))
}
