//! `/apps/{app}/domains`.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::JsonBody;
use super::caller::{Caller, Writer};
use super::list::Items;
use super::query::Asked;
use super::{Api, Problem};
use crate::actions::domains::DomainInput;
use crate::actions::json::parse_json;
use crate::db;
use crate::model::access::Right;

/// The calls.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(remove))
}

#[utoipa::path(get, path = "/apps/{app}/domains", tag = "domains", summary = "The domains, newest first", operation_id = "domains_list", params(("app" = String, Path, description = "Slug of the app")), responses((status = 200, body = Items<DomainInput>)))]
async fn list(caller: Caller, Path(app): Path<String>) -> Result<Json<Items<DomainInput>>, Problem> {
    let app = caller.app(app, Right::View).await?.id;
    let domains = caller
        .actions()
        .db
        .read(move |c| db::domains::list_of_app(c, app))
        .await?;
    Ok(Json(Items::all(domains.iter().rev().map(DomainInput::from).collect())))
}

#[utoipa::path(post, path = "/apps/{app}/domains", tag = "domains", summary = "Add a domain; it applies at once", operation_id = "domains_add", params(("app" = String, Path, description = "Slug of the app")), request_body = DomainInput, responses((status = 201, body = DomainInput)))]
async fn add(
    Writer(caller): Writer,
    Path(app): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<DomainInput>), Problem> {
    let app = caller.app(app, Right::Change).await?;
    let input: DomainInput = parse_json(body)?;
    let domain = caller.actions().add_domain(&caller.actor, &app, &input).await?;
    Ok((StatusCode::CREATED, Json(DomainInput::from(&domain))))
}

/// Which of a host's paths is meant; all of them when left out.
#[derive(Deserialize)]
struct Which {
    path_prefix: Option<String>,
}

#[utoipa::path(delete, path = "/apps/{app}/domains/{host}", tag = "domains", summary = "Remove a domain", operation_id = "domains_remove", params(("app" = String, Path, description = "Slug of the app"), ("host" = String, Path, description = "The host name"), ("path_prefix" = Option<String>, Query, description = "Only this path of the host; all when left out")), responses((status = 204, description = "Removed")))]
async fn remove(
    Writer(caller): Writer,
    Path((app, host)): Path<(String, String)>,
    Asked(which): Asked<Which>,
) -> Result<StatusCode, Problem> {
    let app = caller.app(app, Right::Change).await?;
    caller
        .actions()
        .remove_domain(&caller.actor, &app, &host, which.path_prefix.as_deref())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
