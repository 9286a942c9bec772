//! `/apps/{app}/credential` and `/apps/{app}/access-check`.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::JsonBody;
use super::caller::{Caller, Writer};
use super::{Api, Problem};
use crate::actions::json::parse_json;
use crate::actions::source::{CredentialInput, CredentialView, Reached};
use crate::model::access::Right;

/// The calls.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(show, replace, remove))
        .routes(routes!(check))
}

/// What a repository has, or what an image is.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
struct BranchesView {
    /// The one that the repository calls its default.
    default_branch: Option<String>,
    /// All of them, by name.
    branches: Vec<String>,
    /// What the image's name stands for now, as `name@sha256:…`; left out for a repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    /// The platforms that the image is for, such as `linux/arm64`, if this server's is not among them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other_platforms: Vec<String>,
}

#[utoipa::path(get, path = "/apps/{app}/credential", tag = "source", summary = "What opens the app's repository or registry, without the secret", operation_id = "credential_show", params(("app" = String, Path, description = "Slug of the app")), responses((status = 200, body = CredentialView)))]
async fn show(caller: Caller, Path(app): Path<String>) -> Result<Json<CredentialView>, Problem> {
    let (app, right) = caller.actions().find_app(&caller.actor, &app).await?;
    Ok(Json(caller.actions().show_credential(&app, right).await?))
}

#[utoipa::path(put, path = "/apps/{app}/credential", tag = "source", summary = "Store a token, or a key that is made or given", operation_id = "credential_replace", params(("app" = String, Path, description = "Slug of the app")), request_body = CredentialInput, responses((status = 200, body = CredentialView)))]
async fn replace(
    Writer(caller): Writer,
    Path(app): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<Json<CredentialView>, Problem> {
    let app = caller.app(app, Right::Change).await?;
    let input = parse_json(body)?;
    Ok(Json(
        caller.actions().replace_credential(&caller.actor, &app, input).await?,
    ))
}

#[utoipa::path(delete, path = "/apps/{app}/credential", tag = "source", summary = "Forget the credential", operation_id = "credential_remove", params(("app" = String, Path, description = "Slug of the app")), responses((status = 204, description = "There is none any more")))]
async fn remove(Writer(caller): Writer, Path(app): Path<String>) -> Result<StatusCode, Problem> {
    let app = caller.app(app, Right::Change).await?;
    caller.actions().remove_credential(&caller.actor, &app).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(post, path = "/apps/{app}/access-check", tag = "source", summary = "Ask the repository for its branches, or the registry for the image, within seconds; a refusal names what speaks against it", operation_id = "access_check", params(("app" = String, Path, description = "Slug of the app")), responses((status = 200, body = BranchesView)))]
async fn check(Writer(caller): Writer, Path(app): Path<String>) -> Result<Json<BranchesView>, Problem> {
    let app = caller.app(app, Right::Change).await?;
    Ok(Json(match caller.actions().check_access(&caller.actor, &app).await? {
        Reached::Repository(branches) => BranchesView {
            default_branch: branches.default,
            branches: branches.names,
            ..BranchesView::default()
        },
        Reached::Image(resolved) => BranchesView {
            image: Some(resolved.reference),
            other_platforms: resolved.other_platforms,
            ..BranchesView::default()
        },
    }))
}
