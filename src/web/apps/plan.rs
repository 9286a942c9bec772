//! How an app's source is built, as it was last seen: what it was recognised as and why, and the Dockerfile.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::response::Redirect;
use axum::routing::get;

use super::head::{AppHead, Tab};
use crate::actions::Error;
use crate::db;
use crate::model::app::{App, Builder};
use crate::model::build_plan::{PlanOutcome, SeenPlan, WrittenPlan};
use crate::model::source::Source;
use crate::web::Web;
use crate::web::error::Result;
use crate::web::layout::{Frame, Layout};
use crate::web::load::LoadedApp;
use crate::web::moment::Moment;
use crate::web::signed_in::SignedIn;

/// The page.
pub fn router() -> Router<Web> {
    Router::new().route("/apps/{app}/plan", get(show).post(look))
}

/// What is known of an app's build.
#[derive(Debug, Default)]
pub struct PlanView {
    /// Whether somebody is looking now.
    pub is_looking: bool,
    /// Whether Dhow would write the Dockerfile if it had to.
    pub is_written_here: bool,
    /// When it was seen.
    pub seen: Option<Moment>,
    /// The commit that was looked at.
    pub commit: String,
    /// What Dhow writes.
    pub written: Option<WrittenPlan>,
    /// Where the repository's own Dockerfile is.
    pub own: Option<String>,
    /// Why it cannot be built or be had.
    pub trouble: Option<String>,
}

impl PlanView {
    /// What was last seen of an app's source.
    pub fn of(app: &App, seen: Option<SeenPlan>) -> Self {
        let view = Self {
            is_written_here: app.settings.build.builder != Builder::Dockerfile,
            ..Self::default()
        };
        let Some(SeenPlan { outcome, seen_at }) = seen else {
            return view;
        };
        let view = Self {
            is_looking: outcome.is_none(),
            seen: outcome.is_some().then(|| Moment::of(seen_at)),
            ..view
        };
        match outcome {
            None => view,
            Some(PlanOutcome::Own { commit, path }) => Self {
                commit,
                own: Some(path),
                ..view
            },
            Some(PlanOutcome::Written { commit, written }) => Self {
                commit,
                written: Some(written),
                ..view
            },
            Some(PlanOutcome::Failed { message }) => Self {
                trouble: Some(message),
                ..view
            },
        }
    }
}

#[derive(Template, WebTemplate)]
#[template(path = "apps/plan.html")]
struct PlanPage {
    layout: Layout,
    head: AppHead,
    plan: PlanView,
    is_primary: bool,
    hides_deploy: bool,
}

async fn show(State(web): State<Web>, LoadedApp(app, right): LoadedApp, frame: Frame) -> Result<PlanPage> {
    if matches!(app.settings.source, Source::Image { .. }) {
        return Err(Error::NotFound.into());
    }
    let id = app.id;
    let seen = web.actions.db.read(move |c| db::build_plans::find(c, id)).await?;
    let head = AppHead::load(&web.actions, &app, right, Tab::Settings).await?;
    Ok(PlanPage {
        layout: frame.titled(format!("Build of {}", head.name)),
        plan: PlanView::of(&app, seen),
        is_primary: false,
        hides_deploy: false,
        head,
    })
}

async fn look(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, _): LoadedApp,
) -> Result<Redirect> {
    web.actions.look_at_source(&actor, &app).await?;
    Ok(Redirect::to(&format!("/apps/{}/plan", app.slug)))
}
