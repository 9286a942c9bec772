//! `/apps/{app}/env` and `/projects/{project}/env`: the same calls for an app's own variables and for those that a
//! project shares with its apps.

use axum::Json;
use axum::extract::Path;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{JsonBody, TextBody};
use super::caller::{Caller, Writer};
use super::query::Asked;
use super::{Api, Problem};
use crate::actions::env_vars::{EnvImport, EnvInput, EnvPatch, Owner};
use crate::actions::json::parse_json;
use crate::model::access::Right;

/// The calls.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(show, replace, merge))
        .routes(routes!(import))
        .routes(routes!(show_shared, replace_shared, merge_shared))
}

#[utoipa::path(get, path = "/apps/{app}/env", tag = "variables", summary = "The variables; values of secrets are null", operation_id = "env_show", params(("app" = String, Path, description = "Slug of the app")), responses((status = 200, body = EnvInput)))]
async fn show(caller: Caller, Path(app): Path<String>) -> Result<Json<EnvInput>, Problem> {
    let app = caller.app(app, Right::View).await?;
    Ok(Json(caller.actions().show_env(Owner::App(&app)).await?))
}

#[utoipa::path(put, path = "/apps/{app}/env", tag = "variables", summary = "Replace all variables; null keeps the value of a secret", operation_id = "env_replace", params(("app" = String, Path, description = "Slug of the app")), request_body = EnvInput, responses((status = 200, body = EnvInput)))]
async fn replace(
    Writer(caller): Writer,
    Path(app): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<Json<EnvInput>, Problem> {
    let app = caller.app(app, Right::Change).await?;
    let (actor, owner) = (&caller.actor, Owner::App(&app));
    Ok(Json(
        caller.actions().replace_env(actor, owner, parse_json(body)?).await?,
    ))
}

#[utoipa::path(patch, path = "/apps/{app}/env", tag = "variables", summary = "Add, change and delete variables; what is left out of one stays as it is", operation_id = "env_merge", params(("app" = String, Path, description = "Slug of the app")), request_body = EnvPatch, responses((status = 200, body = EnvInput)))]
async fn merge(
    Writer(caller): Writer,
    Path(app): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<Json<EnvInput>, Problem> {
    let app = caller.app(app, Right::Change).await?;
    let (actor, owner) = (&caller.actor, Owner::App(&app));
    Ok(Json(caller.actions().merge_env(actor, owner, parse_json(body)?).await?))
}

/// What an import is based on.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// The version that the change is based on; a stale one is refused.
    version: Option<i64>,
}

#[utoipa::path(post, path = "/apps/{app}/env/import", tag = "variables", summary = "Add and change variables by a .env text; use and secrecy of what is there stay", operation_id = "env_import", params(("app" = String, Path, description = "Slug of the app"), ImportQuery), request_body(content = String, content_type = "text/plain"), responses((status = 200, body = EnvImport)))]
async fn import(
    Writer(caller): Writer,
    Path(app): Path<String>,
    Asked(ImportQuery { version }): Asked<ImportQuery>,
    TextBody(text): TextBody,
) -> Result<Json<EnvImport>, Problem> {
    let app = caller.app(app, Right::Change).await?;
    let imported = caller
        .actions()
        .import_env(&caller.actor, Owner::App(&app), &text, version);
    Ok(Json(imported.await?))
}

#[utoipa::path(get, path = "/projects/{project}/env", tag = "variables", summary = "What a project shares with its apps; values of secrets are null", operation_id = "project_env_show", params(("project" = String, Path, description = "Slug of the project")), responses((status = 200, body = EnvInput)))]
async fn show_shared(caller: Caller, Path(project): Path<String>) -> Result<Json<EnvInput>, Problem> {
    let project = caller.project(project, Right::View).await?;
    Ok(Json(caller.actions().show_env(Owner::Project(&project)).await?))
}

#[utoipa::path(put, path = "/projects/{project}/env", tag = "variables", summary = "Replace what a project shares; null keeps the value of a secret", operation_id = "project_env_replace", params(("project" = String, Path, description = "Slug of the project")), request_body = EnvInput, responses((status = 200, body = EnvInput)))]
async fn replace_shared(
    Writer(caller): Writer,
    Path(project): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<Json<EnvInput>, Problem> {
    let project = caller.project(project, Right::Change).await?;
    let (actor, owner) = (&caller.actor, Owner::Project(&project));
    Ok(Json(
        caller.actions().replace_env(actor, owner, parse_json(body)?).await?,
    ))
}

#[utoipa::path(patch, path = "/projects/{project}/env", tag = "variables", summary = "Add, change and delete what a project shares; what is left out of one stays as it is", operation_id = "project_env_merge", params(("project" = String, Path, description = "Slug of the project")), request_body = EnvPatch, responses((status = 200, body = EnvInput)))]
async fn merge_shared(
    Writer(caller): Writer,
    Path(project): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<Json<EnvInput>, Problem> {
    let project = caller.project(project, Right::Change).await?;
    let (actor, owner) = (&caller.actor, Owner::Project(&project));
    Ok(Json(caller.actions().merge_env(actor, owner, parse_json(body)?).await?))
}
