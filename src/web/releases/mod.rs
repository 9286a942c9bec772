//! Releases of an app: what was live and can be live again, and the way back to one of them.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get;

use super::Web;
use super::apps::head::{AppHead, Tab};
use super::deployments::Cursor;
use super::deployments::view::CommitView;
use super::error::Result;
use super::layout::{Frame, Layout};
use super::load::LoadedApp;
use super::moment::Moment;
use super::status::StatusWord;
use crate::db::{self, Page};
use crate::model::app::App;
use crate::model::deployment::Deployment;
use crate::model::ids::AppId;
use crate::model::release::Release;

mod rollback;

/// Releases on one page.
const LISTED: u32 = 50;

/// The pages.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/apps/{app}/releases", get(list))
        .route("/apps/{app}/rollback", get(rollback::show).post(rollback::roll_back))
}

#[derive(Template, WebTemplate)]
#[template(path = "releases/index.html")]
struct ReleasesPage {
    layout: Layout,
    head: AppHead,
    rows: Vec<ReleaseRow>,
    /// The cursor of the next page.
    older: Option<i64>,
    is_first: bool,
    is_primary: bool,
    hides_deploy: bool,
}

/// One row.
#[derive(Debug)]
struct ReleaseRow {
    number: i64,
    commit: Option<CommitView>,
    made: Moment,
    /// Number of the deployment that made it.
    deployment: i64,
    /// What it is now; nothing for one that was replaced, which can come back.
    status: Option<StatusWord>,
}

impl ReleaseRow {
    fn of(app: &App, release: &Release, deployment: &Deployment) -> Self {
        let status = if app.active_release_id == Some(release.id) {
            Some(if app.stopped_at.is_some() {
                StatusWord::STOPPED
            } else {
                StatusWord::LIVE
            })
        } else {
            // It is frozen before it has been found good.
            (!deployment.status.is_final()).then(|| deployment.status.into())
        };
        Self {
            number: release.number,
            commit: CommitView::of(release.commit.as_ref(), release.image.as_ref()),
            made: Moment::of(release.created_at),
            deployment: deployment.number,
            status,
        }
    }
}

async fn list(
    State(web): State<Web>,
    LoadedApp(app, right): LoadedApp,
    frame: Frame,
    Query(cursor): Query<Cursor>,
) -> Result<ReleasesPage> {
    let head = AppHead::load(&web.actions, &app, right, Tab::Deployments).await?;
    let before = cursor.before();
    // One more than is shown tells whether there is another page.
    let page = Page {
        limit: LISTED + 1,
        before,
    };
    let id = app.id;
    let found = web.actions.db.read(move |c| read(c, id, page)).await?;
    let shown = &found[..found.len().min(LISTED as usize)];
    Ok(ReleasesPage {
        layout: frame.titled(format!("Releases of {}", head.name)),
        rows: shown
            .iter()
            .map(|(release, deployment)| ReleaseRow::of(&app, release, deployment))
            .collect(),
        older: if found.len() > shown.len() {
            shown.last().map(|(release, _)| release.number)
        } else {
            None
        },
        is_first: before.is_none(),
        is_primary: true,
        hides_deploy: found.is_empty(),
        head,
    })
}

/// A page of releases, each with the deployment that made it.
fn read(c: &db::Tx, app: AppId, page: Page) -> db::Result<Vec<(Release, Deployment)>> {
    let mut found = Vec::new();
    for release in db::releases::list_of_app(c, app, page)? {
        if let Some(deployment) = db::deployments::find(c, release.deployment_id)? {
            found.push((release, deployment));
        }
    }
    Ok(found)
}
