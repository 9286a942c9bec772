//! Deployments of an app: the history, asking for one, one of them with its log, stopping it.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use axum::routing::{get, post};
use serde::Deserialize;
use tower_sessions::Session;

use self::rows::DeploymentRow;
use super::Web;
use super::apps::head::{AppHead, Tab};
use super::error::Result;
use super::flash;
use super::layout::{Frame, Layout};
use super::load::LoadedApp;
use super::signed_in::SignedIn;
use super::typed::Typed;
use crate::actions::Error;
use crate::db::{self, Page};
use crate::model::app::App;
use crate::model::deployment::{Deployment, Trigger};

mod log;
pub mod rows;
mod show;
mod stream;
pub mod view;

/// Deployments on one page of the history.
const LISTED: u32 = 50;

/// The pages.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/apps/{app}/deployments", get(history).post(deploy))
        .route("/apps/{app}/deployments/{number}", get(show::show))
        .route("/apps/{app}/deployments/{number}/cancel", post(cancel))
        .route("/apps/{app}/deployments/{number}/stream", get(stream::stream))
}

/// Where a page of a list begins.
#[derive(Deserialize)]
pub struct Cursor {
    /// The last number of the page before.
    #[serde(default)]
    cursor: String,
}

impl Cursor {
    /// The same as a number; anything else is the beginning.
    pub fn before(&self) -> Option<i64> {
        self.cursor.parse().ok()
    }
}

#[derive(Template, WebTemplate)]
#[template(path = "deployments/index.html")]
struct HistoryPage {
    layout: Layout,
    head: AppHead,
    rows: Vec<DeploymentRow>,
    /// The cursor of the next page.
    older: Option<i64>,
    is_first: bool,
    is_primary: bool,
    hides_deploy: bool,
}

async fn history(
    State(web): State<Web>,
    LoadedApp(app, right): LoadedApp,
    frame: Frame,
    Query(cursor): Query<Cursor>,
) -> Result<HistoryPage> {
    let head = AppHead::load(&web.actions, &app, right, Tab::Deployments).await?;
    let before = cursor.before();
    // One more than is shown tells whether there is another page.
    let page = Page {
        limit: LISTED + 1,
        before,
    };
    let found = web
        .actions
        .db
        .read(move |c| db::deployments::list_of_app(c, app.id, page))
        .await?;
    let shown = &found[..found.len().min(LISTED as usize)];
    Ok(HistoryPage {
        layout: frame.titled(format!("Deployments of {}", head.name)),
        rows: shown.iter().map(DeploymentRow::from).collect(),
        older: if found.len() > shown.len() {
            shown.last().map(|last| last.number)
        } else {
            None
        },
        is_first: before.is_none(),
        is_primary: true,
        hides_deploy: found.is_empty(),
        head,
    })
}

async fn deploy(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, _): LoadedApp,
    typed: Typed,
) -> Result<Redirect> {
    let is_fresh = typed.value("fresh") == "true";
    let deployment = web
        .actions
        .deploy(&actor, &app, Trigger::Manual, typed.text("commit"), is_fresh)
        .await?;
    Ok(Redirect::to(&format!(
        "/apps/{}/deployments/{}",
        app.slug, deployment.number
    )))
}

async fn cancel(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, _): LoadedApp,
    Path((_, number)): Path<(String, String)>,
    session: Session,
) -> Result<Redirect> {
    let deployment = find(&web, &app, &number).await?;
    match web.actions.cancel_deployment(&actor, deployment.id).await {
        Ok(_) => {}
        // It ended, or went live, while the page with the button was open.
        Err(Error::Conflict(sentence)) => flash::warn(&session, sentence).await?,
        Err(error) => return Err(error.into()),
    }
    Ok(Redirect::to(&format!(
        "/apps/{}/deployments/{}",
        app.slug, deployment.number
    )))
}

/// A deployment by the number in the path.
async fn find(web: &Web, app: &App, number: &str) -> Result<Deployment> {
    let number: i64 = number.parse().map_err(|_| Error::NotFound)?;
    let id = app.id;
    let found = web
        .actions
        .db
        .read(move |c| db::deployments::find_by_number(c, id, number))
        .await?;
    Ok(found.ok_or(Error::NotFound)?)
}
