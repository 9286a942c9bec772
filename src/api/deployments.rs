//! `/apps/{app}/deployments` and `/deployments/{id}`.

use axum::Json;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::JsonBody;
use super::caller::Caller;
use super::list::{Items, Paging, PagingQuery, with_one_more};
use super::{Api, Problem};
use crate::actions::json::parse_json;
use crate::db;
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::deployment::{CommitInfo, Deployment, ErrorKind, Status, Step, StepRun, Trigger};
use crate::model::source::PulledImage;
use crate::model::time::Timestamp;

/// The calls.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show))
        .routes(routes!(cancel))
}

/// A deployment as shown.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DeploymentView {
    id: i64,
    app: String,
    number: i64,
    #[schema(value_type = String)]
    status: Status,
    #[schema(value_type = Option<String>)]
    step: Option<Step>,
    #[schema(value_type = String)]
    trigger: Trigger,
    commit: Option<CommitView>,
    /// The ready image that was asked for; null for an app that is built.
    source_image: Option<SourceImageView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
    error: Option<ErrorView>,
    release: Option<i64>,
    switch: Option<SwitchView>,
    steps: Vec<StepView>,
}

/// A commit as shown.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CommitView {
    sha: String,
    message: String,
    author: String,
}

/// A ready image as shown.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SourceImageView {
    /// What was asked for.
    name: String,
    /// What that stood for, `sha256:…`; null while it is not known, and for an image that only the engine has.
    digest: Option<String>,
}

impl From<PulledImage> for SourceImageView {
    fn from(image: PulledImage) -> Self {
        Self {
            name: image.name,
            digest: image.digest,
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ErrorView {
    #[schema(value_type = String)]
    kind: ErrorKind,
    message: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SwitchView {
    requests: i64,
    failed: i64,
    ms: i64,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct StepView {
    #[schema(value_type = String)]
    step: Step,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    ms: Option<i64>,
}

impl DeploymentView {
    fn new(app: &str, deployment: Deployment, steps: Vec<StepRun>) -> Self {
        let switch = deployment.switch.map(|switch| SwitchView {
            requests: switch.requests,
            failed: switch.failed,
            ms: switch.millis,
        });
        let step_view = |run: StepRun| StepView {
            step: run.step,
            started_at: run.started_at,
            ms: run.millis,
        };
        Self {
            id: deployment.id.0,
            app: app.to_owned(),
            number: deployment.number,
            status: deployment.status,
            step: deployment.step,
            trigger: deployment.trigger,
            commit: deployment.commit.map(CommitView::from),
            source_image: deployment.image.map(SourceImageView::from),
            created_at: deployment.created_at,
            started_at: deployment.started_at,
            finished_at: deployment.finished_at,
            error: deployment.error.map(|(kind, message)| ErrorView { kind, message }),
            release: deployment.release_number,
            switch,
            steps: steps.into_iter().map(step_view).collect(),
        }
    }
}

impl From<CommitInfo> for CommitView {
    fn from(commit: CommitInfo) -> Self {
        Self {
            sha: commit.sha,
            message: commit.message,
            author: commit.author,
        }
    }
}

#[utoipa::path(get, path = "/apps/{app}/deployments", tag = "deployments", summary = "The deployments of an app, newest first", operation_id = "deployments_list", params(("app" = String, Path, description = "Slug of the app"), PagingQuery), responses((status = 200, body = Items<DeploymentView>)))]
async fn list(
    caller: Caller,
    Path(app): Path<String>,
    Paging(page): Paging,
) -> Result<Json<Items<DeploymentView>>, Problem> {
    let app = caller.app(app, Right::View).await?;
    let id = app.id;
    let rows = caller.actions().db.read(move |c| {
        let deployments = db::deployments::list_of_app(c, id, with_one_more(page))?;
        deployments
            .into_iter()
            .map(|row| Ok((db::deployments::list_steps(c, row.id)?, row)))
            .collect::<db::Result<Vec<_>>>()
    });
    let show = |(steps, row): (Vec<StepRun>, Deployment)| DeploymentView::new(app.slug.as_str(), row, steps);
    Ok(Json(Items::page(rows.await?, page, |(_, row)| row.number, show)))
}

/// What shall be deployed.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    commit: Option<String>,
    /// Whether the newest commit is built with the newest base images and without the build cache, whatever is there.
    #[serde(default)]
    fresh: bool,
}

#[utoipa::path(post, path = "/apps/{app}/deployments", tag = "deployments", summary = "Deploy the newest commit, or another one; for a ready image, what its name stands for now", operation_id = "deployments_create", params(("app" = String, Path, description = "Slug of the app")), request_body = Wanted, responses((status = 202, body = DeploymentView, description = "In the queue")))]
async fn create(caller: Caller, Path(app): Path<String>, JsonBody(body): JsonBody) -> Result<Response, Problem> {
    let app = caller.app(app, Right::Deploy).await?;
    let wanted: Wanted = parse_json(body)?;
    let deployment = caller
        .actions()
        .deploy(
            &caller.actor,
            &app,
            Trigger::Api,
            wanted.commit.as_deref(),
            wanted.fresh,
        )
        .await?;
    Ok(accepted(&app, deployment))
}

/// The answer to a request that was put into the queue.
pub fn accepted(app: &App, deployment: Deployment) -> Response {
    let location = format!("/api/v1/deployments/{}", deployment.id);
    let view = DeploymentView::new(app.slug.as_str(), deployment, Vec::new());
    (StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(view)).into_response()
}

#[utoipa::path(get, path = "/deployments/{id}", tag = "deployments", summary = "One deployment", operation_id = "deployments_show", params(("id" = i64, Path, description = "Id of the deployment")), responses((status = 200, body = DeploymentView)))]
async fn show(caller: Caller, Path(id): Path<String>) -> Result<Json<DeploymentView>, Problem> {
    let (deployment, app) = caller.deployment(&id).await?;
    view(&caller, &app, deployment).await
}

async fn view(caller: &Caller, app: &App, deployment: Deployment) -> Result<Json<DeploymentView>, Problem> {
    let id = deployment.id;
    let steps = caller
        .actions()
        .db
        .read(move |c| db::deployments::list_steps(c, id))
        .await?;
    Ok(Json(DeploymentView::new(app.slug.as_str(), deployment, steps)))
}

#[utoipa::path(post, path = "/deployments/{id}/cancel", tag = "deployments", summary = "Cancel a deployment that is not live yet", operation_id = "deployments_cancel", params(("id" = i64, Path, description = "Id of the deployment")), responses((status = 202, body = DeploymentView, description = "Being cancelled")))]
async fn cancel(caller: Caller, Path(id): Path<String>) -> Result<(StatusCode, Json<DeploymentView>), Problem> {
    let (deployment, app) = caller.deployment(&id).await?;
    let deployment = caller.actions().cancel_deployment(&caller.actor, deployment.id).await?;
    Ok((StatusCode::ACCEPTED, view(&caller, &app, deployment).await?))
}
