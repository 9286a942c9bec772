//! `/apps/{app}/domains`.

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::routing::{delete, get};
use axum::{Json, Router};
use serde::Deserialize;

use super::body::JsonBody;
use super::caller::{Caller, Writer};
use super::list::Items;
use super::{Api, Problem};
use crate::actions::domains::DomainInput;
use crate::actions::json::parse_json;
use crate::db;
use crate::model::access::Right;

/// The calls.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/apps/{app}/domains", get(list).post(add))
        .route("/apps/{app}/domains/{host}", delete(remove))
}

async fn list(caller: Caller, Path(app): Path<String>) -> Result<Json<Items<DomainInput>>, Problem> {
    let app = caller.app(app, Right::View).await?.id;
    let domains = caller
        .actions()
        .db
        .read(move |c| db::domains::list_of_app(c, app))
        .await?;
    Ok(Json(Items::all(domains.iter().rev().map(DomainInput::from).collect())))
}

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

async fn remove(
    Writer(caller): Writer,
    Path((app, host)): Path<(String, String)>,
    Query(which): Query<Which>,
) -> Result<StatusCode, Problem> {
    let app = caller.app(app, Right::Change).await?;
    caller
        .actions()
        .remove_domain(&caller.actor, &app, &host, which.path_prefix.as_deref())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
