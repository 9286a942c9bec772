//! `/apps/{app}/plan`: how the app's source would be built.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Caller;
use super::{Api, Problem};
use crate::db;
use crate::model::access::Right;
use crate::model::build_plan::{PlanOutcome, SeenPlan};
use crate::model::time::Timestamp;

/// The calls.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(show, look))
}

/// What was last seen of an app's source.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
struct PlanView {
    /// `own` where the repository brings its Dockerfile, `written` where Dhow writes it, `failed` where it cannot be built
    /// or be had; null while nobody has looked.
    kind: Option<&'static str>,
    /// Whether somebody is looking now.
    is_looking: bool,
    /// When it was seen.
    #[schema(value_type = Option<String>, format = DateTime)]
    seen_at: Option<Timestamp>,
    /// The first digits of the commit that was looked at.
    commit: Option<String>,
    /// What the source is, where Dhow writes the Dockerfile.
    summary: Option<String>,
    /// What led to it, most decisive first.
    reasons: Vec<ReasonView>,
    /// Where the repository's own Dockerfile is.
    path: Option<String>,
    /// The Dockerfile that Dhow writes.
    dockerfile: Option<String>,
    /// Further files that it copies.
    files: Vec<FileView>,
    /// Why it cannot be built or be had.
    message: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ReasonView {
    file: String,
    means: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct FileView {
    path: String,
    text: String,
}

impl PlanView {
    fn of(seen: Option<SeenPlan>) -> Self {
        let Some(SeenPlan { outcome, seen_at }) = seen else {
            return Self::default();
        };
        let Some(outcome) = outcome else {
            return Self {
                is_looking: true,
                ..Self::default()
            };
        };
        let at = Self {
            seen_at: Some(seen_at),
            ..Self::default()
        };
        match outcome {
            PlanOutcome::Own { commit, path } => Self {
                kind: Some("own"),
                commit: Some(commit),
                path: Some(path),
                ..at
            },
            PlanOutcome::Failed { message } => Self {
                kind: Some("failed"),
                message: Some(message),
                ..at
            },
            PlanOutcome::Written { commit, written } => Self {
                kind: Some("written"),
                commit: Some(commit),
                summary: Some(written.summary),
                reasons: (written.reasons.into_iter())
                    .map(|reason| ReasonView {
                        file: reason.file,
                        means: reason.means,
                    })
                    .collect(),
                dockerfile: Some(written.dockerfile),
                files: (written.files.into_iter())
                    .map(|file| FileView {
                        path: file.path,
                        text: file.text,
                    })
                    .collect(),
                ..at
            },
        }
    }
}

#[utoipa::path(get, path = "/apps/{app}/plan", tag = "source", summary = "How the app's source would be built, as it was last seen", operation_id = "plan_show", params(("app" = String, Path, description = "Slug of the app")), responses((status = 200, body = PlanView)))]
async fn show(caller: Caller, Path(app): Path<String>) -> Result<Json<PlanView>, Problem> {
    let app = caller.app(app, Right::View).await?;
    let id = app.id;
    let seen = caller.actions().db.read(move |c| db::build_plans::find(c, id)).await?;
    Ok(Json(PlanView::of(seen)))
}

#[utoipa::path(post, path = "/apps/{app}/plan", tag = "source", summary = "Have the app's source looked at", operation_id = "plan_look", params(("app" = String, Path, description = "Slug of the app")), responses((status = 202, description = "Somebody looks; ask for the plan again")))]
async fn look(caller: Caller, Path(app): Path<String>) -> Result<StatusCode, Problem> {
    let app = caller.app(app, Right::Deploy).await?;
    caller.actions().look_at_source(&caller.actor, &app).await?;
    Ok(StatusCode::ACCEPTED)
}
