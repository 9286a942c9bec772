//! An app at a glance: what needs a hand, what is under way, what was deployed last, how it is made.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::routing::get;

use super::cost::seconds_to_live;
use super::head::{AppHead, Tab};
use super::pending::Pending;
use super::plan::PlanView;
use crate::actions::Actions;
use crate::db::{self, Page};
use crate::model::access::Right;
use crate::model::app::{App, Builder, HealthPath};
use crate::model::deployment::{Deployment, Status, Step};
use crate::model::source::{Branch, Source};
use crate::model::time::Timestamp;
use crate::web::Web;
use crate::web::deployments::rows::DeploymentRow;
use crate::web::deployments::view::Steps;
use crate::web::error::Result;
use crate::web::layout::{Frame, Layout};
use crate::web::load::LoadedApp;
use crate::web::moment::Moment;
use crate::web::status::StatusWord;

/// Deployments that the overview lists.
const LISTED: u32 = 5;

/// The page.
pub fn router() -> Router<Web> {
    Router::new().route("/apps/{app}", get(show))
}

#[derive(Template, WebTemplate)]
#[template(path = "apps/show.html", blocks = ["main"])]
pub struct AppPage {
    layout: Layout,
    head: AppHead,
    failed: Option<FailedView>,
    pending: Option<Pending>,
    /// Seconds until a restarted instance serves.
    restart_seconds: i64,
    now: Option<NowView>,
    /// How it will be built, as long as nothing was deployed.
    plan: PlanView,
    rows: Vec<DeploymentRow>,
    made: MadeView,
    /// How to deploy it, for an app that is pushed to.
    push: Option<PushView>,
    is_primary: bool,
    hides_deploy: bool,
}

/// The newest deployment, if it failed.
struct FailedView {
    number: i64,
    when: Moment,
    message: String,
}

/// The deployment that is under way.
struct NowView {
    number: i64,
    status: StatusWord,
    steps: Steps,
    /// Whether visitors get what it brings.
    is_live: bool,
}

/// How the app is made.
struct MadeView {
    url: String,
    /// Whether that is a ready image.
    is_image: bool,
    branch: String,
    builder: &'static str,
    dockerfile: String,
    context: String,
    port: u16,
    /// Why it is that port, where nobody has chosen it.
    port_note: &'static str,
    health_path: String,
    timeout_s: u32,
    limits: String,
}

async fn show(State(web): State<Web>, LoadedApp(app, right): LoadedApp, frame: Frame) -> Result<AppPage> {
    AppPage::load(&web.actions, (&app, right), frame).await
}

impl AppPage {
    /// Reads the page of an app.
    pub async fn load(actions: &Actions, (app, right): (&App, Right), frame: Frame) -> Result<Self> {
        let head = AppHead::load(actions, app, right, Tab::Overview).await?;
        let (id, watch) = (app.id, head.watch);
        let read = actions.db.read(move |c| {
            let newest = db::deployments::list_of_app(c, id, Page::first(LISTED))?;
            let now = match watch {
                Some(number) => db::deployments::find_by_number(c, id, number)?,
                None => None,
            };
            let runs = now
                .as_ref()
                .map(|now| db::deployments::list_steps(c, now.id))
                .transpose()?;
            let plan = if newest.is_empty() {
                db::build_plans::find(c, id)?
            } else {
                None
            };
            Ok((newest, now.zip(runs), seconds_to_live(c, id)?, plan))
        });
        let (newest, now, restart_seconds, plan) = read.await?;
        let pending = Pending::load(actions, app, right, watch).await?;
        let failed = newest.first().filter(|deployment| deployment.status == Status::Failed);
        let failed = failed.map(FailedView::from);
        let mut layout = frame.titled(head.name.clone());
        layout.has_failure = failed.is_some() || head.condition.is_some();
        Ok(Self {
            layout,
            failed,
            pending,
            restart_seconds: restart_seconds + app.stops_within(Timestamp::now()).unwrap_or(0),
            now: now.map(|(now, runs)| NowView {
                number: now.number,
                status: now.status.into(),
                steps: Steps::of(&now, &runs),
                is_live: now.step.is_some_and(Step::is_live),
            }),
            rows: newest.iter().map(DeploymentRow::from).collect(),
            plan: PlanView::of(app, plan),
            made: MadeView::from(app),
            push: PushView::of(actions, app),
            is_primary: true,
            // Its place is in the box that says what will happen.
            hides_deploy: newest.is_empty(),
            head,
        })
    }

    /// Whether the page will change: a deployment is under way, the first push is waited for, or the instance is not
    /// steady.
    pub const fn will_change(&self) -> bool {
        self.now.is_some()
            || self.plan.is_looking
            || self.head.condition.is_some()
            || (self.push.is_some() && self.rows.is_empty())
    }
}

impl From<&Deployment> for FailedView {
    fn from(deployment: &Deployment) -> Self {
        let message = deployment
            .error
            .as_ref()
            .map(|(_, message)| message.clone())
            .unwrap_or_default();
        let when = Moment::of(deployment.finished_at.unwrap_or(deployment.created_at));
        Self {
            number: deployment.number,
            when,
            message,
        }
    }
}

impl MadeView {
    /// The branch to push to deploy.
    fn branch_to_push(&self) -> &str {
        if self.branch.is_empty() { "main" } else { &self.branch }
    }
}

impl From<&App> for MadeView {
    fn from(app: &App) -> Self {
        let settings = &app.settings;
        let url = match &settings.source {
            Source::Git { url, .. } => url.to_string(),
            Source::Push { .. } => String::new(),
            Source::Image { image } => image.to_string(),
        };
        let context = &settings.build.context;
        let memory = settings.run.resources.memory_mb.map(|mb| format!("{mb} MiB of memory"));
        let cpus = settings
            .run
            .resources
            .cpus
            .map(|cpus| format!("{cpus} processor cores"));
        Self {
            url,
            is_image: matches!(settings.source, Source::Image { .. }),
            branch: settings.source.branch().map_or("", Branch::as_str).to_owned(),
            builder: match settings.build.builder {
                Builder::Auto => "automatic",
                Builder::Dockerfile => "Dockerfile",
                Builder::Static => "static site",
            },
            dockerfile: settings.build.dockerfile.as_str().to_owned(),
            context: if context.is_root() {
                ".".to_owned()
            } else {
                context.as_str().to_owned()
            },
            port: settings.run.port.get(),
            port_note: match (settings.is_port_guessed, app.active_release_id) {
                (false, _) => "",
                (true, Some(_)) => "found",
                (true, None) => "assumed",
            },
            health_path: settings
                .run
                .health
                .path
                .as_ref()
                .map_or("", HealthPath::as_str)
                .to_owned(),
            timeout_s: settings.run.health.timeout_s,
            limits: memory.into_iter().chain(cpus).collect::<Vec<_>>().join(", "),
        }
    }
}

/// What to type to deploy by push.
struct PushView {
    /// The panel, with a user name and where the token belongs.
    address: String,
}

impl PushView {
    fn of(actions: &Actions, app: &App) -> Option<Self> {
        if !matches!(app.settings.source, Source::Push { .. }) {
            return None;
        }
        let address = actions.config.panel_url().replacen("://", "://any:TOKEN@", 1);
        Some(Self { address })
    }
}
