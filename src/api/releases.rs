//! `/apps/{app}/releases` and `/apps/{app}/rollback`.

use axum::Json;
use axum::extract::Path;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::JsonBody;
use super::caller::Caller;
use super::deployments::{CommitView, DeploymentView, SourceImageView, accepted};
use super::list::{Items, Paging, PagingQuery, with_one_more};
use super::{Api, Problem};
use crate::actions::json::parse_json;
use crate::db;
use crate::model::access::Right;
use crate::model::ids::ReleaseId;
use crate::model::release::Release;
use crate::model::time::Timestamp;

/// The calls.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(roll_back))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ReleaseView {
    number: i64,
    active: bool,
    deployment: i64,
    image: String,
    commit: Option<CommitView>,
    /// The ready image that it is; null for one that was built.
    source_image: Option<SourceImageView>,
    #[schema(value_type = String, format = DateTime)]
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
            source_image: release.image.map(SourceImageView::from),
            created_at: release.created_at,
        }
    }
}

#[utoipa::path(get, path = "/apps/{app}/releases", tag = "releases", summary = "The releases of an app, newest first", operation_id = "releases_list", params(("app" = String, Path, description = "Slug of the app"), PagingQuery), responses((status = 200, body = Items<ReleaseView>)))]
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
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct WantedRelease {
    release: i64,
}

#[utoipa::path(post, path = "/apps/{app}/rollback", tag = "releases", summary = "Make an earlier release live again, without a build", operation_id = "releases_roll_back", params(("app" = String, Path, description = "Slug of the app")), request_body = WantedRelease, responses((status = 202, body = DeploymentView, description = "In the queue")))]
async fn roll_back(caller: Caller, Path(app): Path<String>, JsonBody(body): JsonBody) -> Result<Response, Problem> {
    let app = caller.app(app, Right::Deploy).await?;
    let wanted: WantedRelease = parse_json(body)?;
    let deployment = caller.actions().roll_back(&caller.actor, &app, wanted.release).await?;
    Ok(accepted(&app, deployment))
}
