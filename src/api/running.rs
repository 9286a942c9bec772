//! `/apps/{app}/start`, `stop`, `restart` and `apply`: what happens to an app without new code.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Caller;
use super::deployments::{DeploymentView, accepted};
use super::{Api, Problem};
use crate::model::access::Right;

/// The calls.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(start))
        .routes(routes!(stop))
        .routes(routes!(restart))
        .routes(routes!(apply))
}

#[utoipa::path(post, path = "/apps/{app}/start", tag = "apps", summary = "Start a stopped app", operation_id = "running_start", params(("app" = String, Path, description = "Slug of the app")), responses((status = 202, body = DeploymentView, description = "In the queue")))]
async fn start(caller: Caller, Path(app): Path<String>) -> Result<Response, Problem> {
    let app = caller.app(app, Right::Deploy).await?;
    let deployment = caller.actions().start(&caller.actor, &app).await?;
    Ok(accepted(&app, deployment))
}

#[utoipa::path(post, path = "/apps/{app}/stop", tag = "apps", summary = "Stop an app", operation_id = "running_stop", params(("app" = String, Path, description = "Slug of the app")), responses((status = 202, description = "Being stopped")))]
async fn stop(caller: Caller, Path(app): Path<String>) -> Result<StatusCode, Problem> {
    let app = caller.app(app, Right::Deploy).await?;
    caller.actions().stop(&caller.actor, &app).await?;
    Ok(StatusCode::ACCEPTED)
}

#[utoipa::path(post, path = "/apps/{app}/restart", tag = "apps", summary = "Replace the instance by a new one", operation_id = "running_restart", params(("app" = String, Path, description = "Slug of the app")), responses((status = 202, body = DeploymentView, description = "In the queue")))]
async fn restart(caller: Caller, Path(app): Path<String>) -> Result<Response, Problem> {
    let app = caller.app(app, Right::Deploy).await?;
    let deployment = caller.actions().restart(&caller.actor, &app).await?;
    Ok(accepted(&app, deployment))
}

/// Has the settings and variables of now take effect; a build only where one of its inputs changed.
#[utoipa::path(post, path = "/apps/{app}/apply", tag = "apps", summary = "Have changed settings and variables take effect", operation_id = "running_apply", params(("app" = String, Path, description = "Slug of the app")), responses((status = 202, body = DeploymentView, description = "In the queue")))]
async fn apply(caller: Caller, Path(app): Path<String>) -> Result<Response, Problem> {
    let app = caller.app(app, Right::Deploy).await?;
    let deployment = caller.actions().apply_settings(&caller.actor, &app).await?;
    Ok(accepted(&app, deployment))
}
