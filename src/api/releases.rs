//! `/apps/{app}/releases` and `/apps/{app}/rollback`.

use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::body::JsonBody;
use super::caller::Caller;
use super::deployments::{CommitView, accepted};
use super::list::{Items, Paging, with_one_more};
use super::{Api, Problem};
use crate::actions::json::parse_json;
use crate::db;
use crate::model::access::Right;
use crate::model::ids::ReleaseId;
use crate::model::release::Release;
use crate::model::time::Timestamp;

/// The calls.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/apps/{app}/releases", get(list))
        .route("/apps/{app}/rollback", post(roll_back))
}

#[derive(Debug, Serialize)]
struct ReleaseView {
    number: i64,
    active: bool,
    deployment: i64,
    image: String,
    commit: Option<CommitView>,
    created_at: Timestamp,
}

impl ReleaseView {
    fn new(release: Release, active: Option<ReleaseId>) -> Self {
        Self {
            number: release.number,
            active: active == Some(release.id),
            deployment: release.deployment_id.0,
            image: release.image_id,
            commit: release.commit.map(CommitView::from),
            created_at: release.created_at,
        }
    }
}

async fn list(
    caller: Caller,
    Path(app): Path<String>,
    Paging(page): Paging,
) -> Result<Json<Items<ReleaseView>>, Problem> {
    let app = caller.app(app, Right::View).await?;
    let id = app.id;
    let rows = caller
        .actions()
        .db
        .read(move |c| db::releases::list_of_app(c, id, with_one_more(page)))
        .await?;
    let show = |row: Release| ReleaseView::new(row, app.active_release_id);
    Ok(Json(Items::page(rows, page, |row| row.number, show)))
}

/// Which release shall come back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    release: i64,
}

async fn roll_back(caller: Caller, Path(app): Path<String>, JsonBody(body): JsonBody) -> Result<Response, Problem> {
    let app = caller.app(app, Right::Deploy).await?;
    let wanted: Wanted = parse_json(body)?;
    let deployment = caller.actions().roll_back(&caller.actor, &app, wanted.release).await?;
    Ok(accepted(&app, deployment))
}
