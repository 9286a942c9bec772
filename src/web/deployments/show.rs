//! One deployment: where it is, how it ended, and its log.

use askama::Template;
use askama::filters::HtmlSafe;
use askama_web::WebTemplate;
use axum::extract::{Path, State};

use super::log::{LogEnd, LogLines};
use super::view::{DeploymentLine, Outcome, Steps};
use crate::actions::Actions;
use crate::db;
use crate::model::app::App;
use crate::model::deployment::{Deployment, Status, Step};
use crate::model::ids::DeploymentId;
use crate::web::Web;
use crate::web::apps::head::{Address, Tab, TabLink, addresses, tabs};
use crate::web::error::Result;
use crate::web::layout::{Frame, Layout};
use crate::web::load::LoadedApp;

#[derive(Template, WebTemplate)]
#[template(path = "deployments/show.html")]
pub struct DeploymentPage {
    layout: Layout,
    slug: String,
    app_name: String,
    project_slug: String,
    project_name: String,
    tabs: Vec<TabLink>,
    id: DeploymentId,
    number: i64,
    parts: Parts,
    log: LogLines,
    /// Where the stream goes on; `None` when nothing will follow.
    follow_from: Option<u64>,
}

/// What the stream replaces as the deployment goes on.
pub struct Parts {
    /// What can be done about it.
    pub actions: DeploymentActions,
    /// The line that names it.
    pub line: DeploymentLine,
    /// Its six steps.
    pub steps: Steps,
    /// How it ended.
    pub outcome: Outcome,
}

/// The buttons at the top.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "deployments/_actions.html")]
pub struct DeploymentActions {
    slug: String,
    number: i64,
    can_cancel: bool,
    can_retry: bool,
    open: Option<Address>,
}

/// What it prints is made by its template, which escapes.
impl HtmlSafe for DeploymentActions {}

impl Parts {
    /// Reads all of them, and the deployment that they are about, as it is now.
    pub async fn load(actions: &Actions, app: &App, id: DeploymentId) -> Result<(Self, Deployment)> {
        let app_id = app.id;
        let read = actions.db.read(move |c| {
            let deployment = db::deployments::find(c, id)?;
            let app = db::apps::find(c, app_id)?;
            let newest = db::deployments::list_of_app(c, app_id, db::Page::first(1))?.pop();
            let is_newest = newest.is_some_and(|newest| newest.id == id);
            Ok((
                deployment.zip(app),
                db::deployments::list_steps(c, id)?,
                db::domains::list_of_app(c, app_id)?,
                is_newest,
            ))
        });
        let (found, runs, domains, is_newest) = read.await?;
        let (deployment, app) = found.ok_or(crate::actions::Error::NotFound)?;
        let parts = Self {
            actions: DeploymentActions {
                slug: app.slug.to_string(),
                number: deployment.number,
                can_cancel: can_cancel(&deployment),
                can_retry: is_newest && deployment.status.is_final() && deployment.status != Status::Succeeded,
                open: if deployment.status == Status::Succeeded && is_newest {
                    addresses(&actions.config, &app, &domains).into_iter().next()
                } else {
                    None
                },
            },
            line: DeploymentLine::from(&deployment),
            steps: Steps::of(&deployment, &runs),
            outcome: Outcome::of(&app, &deployment),
        };
        Ok((parts, deployment))
    }
}

/// Once traffic goes to it, only a rollback helps.
fn can_cancel(deployment: &Deployment) -> bool {
    let is_live = deployment.step.is_some_and(Step::is_live);
    deployment.status == Status::Queued || (deployment.status == Status::Running && !is_live)
}

/// Reads the end of a log off the async threads.
pub async fn read_log_end(actions: &Actions, id: DeploymentId) -> anyhow::Result<LogEnd> {
    let logs = actions.logs.clone();
    Ok(tokio::task::spawn_blocking(move || LogEnd::read(&logs, id)).await??)
}

/// The page.
pub async fn show(
    State(web): State<Web>,
    LoadedApp(app): LoadedApp,
    Path((_, number)): Path<(String, String)>,
    frame: Frame,
) -> Result<DeploymentPage> {
    let id = super::find(&web, &app, &number).await?.id;
    // The status is read before the log: a log that is shown as complete then is.
    let (parts, deployment) = Parts::load(&web.actions, &app, id).await?;
    let end = read_log_end(&web.actions, id).await?;
    let project = app.project_id;
    let project = web.actions.db.read(move |c| db::projects::find(c, project)).await?;
    let is_final = deployment.status.is_final();
    let mut layout = frame.titled(format!("Deployment {} of {}", deployment.number, app.settings.name));
    layout.has_failure = deployment.status == Status::Failed;
    Ok(DeploymentPage {
        layout,
        slug: app.slug.to_string(),
        app_name: app.settings.name.to_string(),
        project_slug: app.project_slug.to_string(),
        project_name: project.map_or_else(String::new, |project| project.name.to_string()),
        tabs: tabs(app.slug.as_str(), Tab::Deployments),
        id,
        number: deployment.number,
        parts,
        follow_from: (!is_final).then(|| end.reader.offset()),
        log: if is_final { end.into_final() } else { end.shown },
    })
}
