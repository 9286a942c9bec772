//! `/apps/{app}/env`.

use axum::extract::Path;
use axum::routing::get;
use axum::{Json, Router};

use super::body::JsonBody;
use super::caller::{Caller, Writer};
use super::{Api, Problem};
use crate::actions::env_vars::EnvInput;
use crate::actions::json::parse_json;
use crate::model::access::Right;

/// The calls.
pub fn router() -> Router<Api> {
    Router::new().route("/apps/{app}/env", get(show).put(replace).patch(merge))
}

async fn show(caller: Caller, Path(app): Path<String>) -> Result<Json<EnvInput>, Problem> {
    let app = caller.app(app, Right::View).await?;
    Ok(Json(caller.actions().show_env(&app).await?))
}

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
