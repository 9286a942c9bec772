//! The way back to a release: what differs first, then one button.

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use tower_sessions::Session;

use crate::actions::{Actions, Error};
use crate::db;
use crate::model::Invalid;
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::deployment::CommitInfo;
use crate::model::difference::{Change, Difference};
use crate::model::domain::Domain;
use crate::model::release::Release;
use crate::web::Web;
use crate::web::apps::cost::seconds_to_live;
use crate::web::apps::head::{AppHead, Tab, find_live};
use crate::web::apps::pending::SettingView;
use crate::web::apps::running::to_deployment;
use crate::web::deployments::view::CommitView;
use crate::web::error::Result;
use crate::web::layout::{Frame, Layout};
use crate::web::load::LoadedApp;
use crate::web::moment::Moment;
use crate::web::signed_in::SignedIn;
use crate::web::typed::Typed;

#[derive(Deserialize)]
pub struct Wanted {
    #[serde(default)]
    release: String,
}

#[derive(Template, WebTemplate)]
#[template(path = "releases/rollback.html")]
struct RollbackPage {
    layout: Layout,
    head: AppHead,
    wanted: WantedView,
    is_primary: bool,
    hides_deploy: bool,
}

/// What is wanted, and whether it can be had.
enum WantedView {
    /// There is no such release; holds what was asked for.
    Unknown(String),
    /// It serves already, or would if it were not stopped.
    Live(i64),
    /// It can come back.
    Plan(Box<Plan>),
}

/// What a rollback does.
#[derive(Debug)]
struct Plan {
    number: i64,
    live: i64,
    made: Moment,
    /// What it is of, `commit` or `image`.
    thing: &'static str,
    commit: Option<CommitView>,
    /// The whole id of its commit, to build it again.
    sha: Option<String>,
    live_commit: Option<CommitView>,
    /// Whether both are of one commit, or of one image.
    is_same_commit: bool,
    settings: Vec<SettingView>,
    variables: Vec<VariableRow>,
    /// Why the difference cannot be told.
    trouble: Option<String>,
    image: Image,
    domains: Vec<String>,
    seconds: i64,
    is_stopped: bool,
}

/// A variable that differs; its values stay unseen.
#[derive(Debug, PartialEq, Eq)]
struct VariableRow {
    key: String,
    from: &'static str,
    to: &'static str,
}

#[derive(Debug, PartialEq, Eq)]
enum Image {
    Here,
    Gone,
    /// The engine does not answer; the sentence says why.
    Unknown(String),
}

/// What the database knows of it.
struct Facts {
    active: Release,
    release: Release,
    domains: Vec<Domain>,
    seconds: i64,
}

/// The page.
pub async fn show(
    State(web): State<Web>,
    LoadedApp(app, right): LoadedApp,
    frame: Frame,
    Query(Wanted { release }): Query<Wanted>,
) -> Result<Response> {
    let head = AppHead::load(&web.actions, &app, right, Tab::Deployments).await?;
    let wanted = WantedView::load(&web.actions, &app, release).await?;
    let status = match wanted {
        WantedView::Unknown(_) => StatusCode::NOT_FOUND,
        WantedView::Live(_) | WantedView::Plan(_) => StatusCode::OK,
    };
    let page = RollbackPage {
        layout: frame.titled(wanted.title(&head.name)),
        head,
        wanted,
        is_primary: false,
        hides_deploy: true,
    };
    Ok((status, page).into_response())
}

/// The button.
pub async fn roll_back(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, right): LoadedApp,
    session: Session,
    typed: Typed,
) -> Result<Redirect> {
    if right < Right::Deploy {
        return Err(Error::Forbidden.into());
    }
    let number = typed.text("release").and_then(|number| number.parse().ok());
    let number = number.ok_or_else(|| Error::field("release", Invalid::new("Use a release's number.")))?;
    let asked = web.actions.roll_back(&actor, &app, number).await;
    to_deployment(&session, &app, asked).await
}

impl WantedView {
    async fn load(actions: &Actions, app: &App, wanted: String) -> Result<Self> {
        let Ok(number) = wanted.parse::<i64>() else {
            return Ok(Self::Unknown(wanted));
        };
        let id = app.id;
        let facts = actions.db.read(move |c| {
            let (active, release) = (find_live(c, id)?, db::releases::find_by_number(c, id, number)?);
            let domains = db::domains::list_of_app(c, id)?;
            let seconds = seconds_to_live(c, id)?;
            Ok(active.zip(release).map(|((_, active), release)| Facts {
                active,
                release,
                domains,
                seconds,
            }))
        });
        match facts.await? {
            None => Ok(Self::Unknown(format!("v{number}"))),
            Some(facts) if facts.active.id == facts.release.id => Ok(Self::Live(number)),
            Some(facts) => Ok(Self::Plan(Box::new(Plan::load(actions, app, facts).await?))),
        }
    }

    fn title(&self, app: &str) -> String {
        match self {
            Self::Unknown(_) => format!("No such release of {app}"),
            Self::Live(number) => format!("v{number} of {app} is live"),
            Self::Plan(plan) => format!("Roll {app} back to v{}", plan.number),
        }
    }
}

impl Plan {
    async fn load(actions: &Actions, app: &App, facts: Facts) -> Result<Self> {
        let (difference, trouble) = match actions.rollback_difference(&facts.active, &facts.release).await {
            Ok(difference) => (difference, None),
            Err(Error::Conflict(sentence)) => (Difference::default(), Some(sentence)),
            Err(error) => return Err(error.into()),
        };
        let image = match actions.has_image(&facts.release).await {
            Ok(true) => Image::Here,
            Ok(false) => Image::Gone,
            Err(Error::Unavailable(sentence)) => Image::Unknown(sentence),
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            trouble,
            is_stopped: app.stopped_at.is_some(),
            ..Self::of(&facts, &difference, image)
        })
    }

    fn of(facts: &Facts, difference: &Difference, image: Image) -> Self {
        let sha = |release: &Release| release.commit.as_ref().map(|commit: &CommitInfo| commit.sha.clone());
        let view = |release: &Release| CommitView::of(release.commit.as_ref(), release.image.as_ref());
        let is_same = sha(&facts.release) == sha(&facts.active) && facts.release.image == facts.active.image;
        // The image's name stands there once, with its digest.
        let named = difference
            .settings
            .iter()
            .filter(|setting| setting.name != "source.image");
        Self {
            number: facts.release.number,
            live: facts.active.number,
            made: Moment::of(facts.release.created_at),
            thing: if facts.release.image.is_some() {
                "image"
            } else {
                "commit"
            },
            commit: view(&facts.release),
            sha: sha(&facts.release),
            live_commit: view(&facts.active),
            is_same_commit: is_same,
            settings: named.map(SettingView::from).collect(),
            variables: difference
                .variables
                .iter()
                .map(|changed| {
                    let (from, to) = match changed.change {
                        Change::Added => ("not set", "set"),
                        Change::Changed => ("set", "another value"),
                        Change::Removed => ("set", "not set"),
                    };
                    let key = changed.key.clone();
                    VariableRow { key, from, to }
                })
                .collect(),
            trouble: None,
            image,
            domains: facts.domains.iter().map(|domain| domain.host.to_string()).collect(),
            seconds: facts.seconds,
            is_stopped: false,
        }
    }

    /// Whether nothing differs that has a name.
    fn changes_nothing(&self) -> bool {
        self.is_same_commit && self.settings.is_empty() && self.variables.is_empty() && self.trouble.is_none()
    }
}

#[cfg(test)]
mod tests;
