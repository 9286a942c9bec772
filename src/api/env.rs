//! `/apps/{app}/env`.

use axum::Json;
use axum::extract::Path;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::JsonBody;
use super::caller::{Caller, Writer};
use super::{Api, Problem};
use crate::actions::env_vars::EnvInput;
use crate::actions::json::parse_json;
use crate::model::access::Right;

/// The calls.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(show, replace, merge))
}

#[utoipa::path(get, path = "/apps/{app}/env", tag = "variables", summary = "The variables; values of secrets are null", operation_id = "env_show", params(("app" = String, Path, description = "Slug of the app")), responses((status = 200, body = EnvInput)))]
async fn show(caller: Caller, Path(app): Path<String>) -> Result<Json<EnvInput>, Problem> {
    let app = caller.app(app, Right::View).await?;
    Ok(Json(caller.actions().show_env(&app).await?))
}

#[utoipa::path(put, path = "/apps/{app}/env", tag = "variables", summary = "Replace all variables; null keeps the value of a secret", operation_id = "env_replace", params(("app" = String, Path, description = "Slug of the app")), request_body = EnvInput, responses((status = 200, body = EnvInput)))]
async fn replace(
    Writer(caller): Writer,
    Path(app): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<Json<EnvInput>, Problem> {
    let app = caller.app(app, Right::Change).await?;
    Ok(Json(
        caller
            .actions()
            .replace_env(&caller.actor, &app, parse_json(body)?)
            .await?,
    ))
}

#[utoipa::path(patch, path = "/apps/{app}/env", tag = "variables", summary = "Add, change and delete variables", operation_id = "env_merge", params(("app" = String, Path, description = "Slug of the app")), request_body = EnvInput, responses((status = 200, body = EnvInput)))]
async fn merge(
    Writer(caller): Writer,
    Path(app): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<Json<EnvInput>, Problem> {
    let app = caller.app(app, Right::Change).await?;
    Ok(Json(
        caller
            .actions()
            .merge_env(&caller.actor, &app, parse_json(body)?)
            .await?,
    ))
}
