//! One deployment: where it is, how it ended, and its log.

use askama::Template;
use askama::filters::HtmlSafe;
use askama_web::WebTemplate;
use axum::extract::{Path, State};

use super::log::{LogEnd, LogLines};
use super::view::{DeploymentLine, Outcome, Steps};
use crate::actions::Actions;
use crate::db;
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::deployment::{Deployment, ErrorKind, Status, Step, StepRun, Trigger};
use crate::model::domain::Domain;
use crate::model::ids::{AppId, DeploymentId};
use crate::model::release::Release;
use crate::model::time::Timestamp;
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
    retry: Option<Retry>,
    open: Option<Address>,
}

/// What it prints is made by its template, which escapes.
impl HtmlSafe for DeploymentActions {}

/// How the same is asked for once more.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Retry {
    /// The button.
    words: &'static str,
    /// Where it posts to, below the app.
    path: &'static str,
    /// The commit that is wanted, where one was.
    commit: Option<String>,
    /// The release that is wanted back: its page says what differs before anything is posted.
    release: Option<i64>,
}

impl Retry {
    /// For a deployment that ended without success. A release whose image is gone cannot be had once more.
    fn of(app: &App, deployment: &Deployment, release: Option<&Release>) -> Option<Self> {
        let kind = deployment.error.as_ref().map(|(kind, _)| *kind);
        let (words, path) = match deployment.trigger {
            Trigger::Rollback | Trigger::Restart if kind == Some(ErrorKind::ImageNotFound) => return None,
            Trigger::Rollback => ("Roll back again…", "rollback"),
            Trigger::Restart if app.stopped_at.is_some() => ("Start again", "start"),
            Trigger::Restart => ("Restart again", "restart"),
            Trigger::Config => ("Apply again", "apply"),
            Trigger::Manual | Trigger::Webhook | Trigger::Push | Trigger::Api => ("Deploy again", "deployments"),
        };
        let is_rollback = deployment.trigger == Trigger::Rollback;
        let release = release.filter(|_| is_rollback).map(|release| release.number);
        if is_rollback && release.is_none() {
            return None;
        }
        Some(Self {
            words,
            path,
            commit: deployment.wanted_commit.clone(),
            release,
        })
    }
}

/// What the database knows of a deployment.
struct Facts {
    app: App,
    deployment: Deployment,
    runs: Vec<StepRun>,
    domains: Vec<Domain>,
    is_newest: bool,
    /// The release that it brings back.
    release: Option<Release>,
    queue: Option<Queue>,
}

/// What stands before a queued deployment.
struct Queue {
    /// A deployment of the same app.
    of_app: Option<i64>,
    /// How many of other apps.
    others: i64,
    /// Seconds that an instance of the app which ends now may still take.
    stops_within: Option<i64>,
}

impl Queue {
    fn in_words(&self) -> String {
        match (self.of_app, self.stops_within, self.others) {
            (Some(number), Some(seconds), _) => format!(
                "Waits until deployment {number} of this app has ended; the version before has up to {seconds} s to stop."
            ),
            (Some(number), None, _) => {
                format!("Waits until deployment {number} of this app has ended; cancel that one if it is not wanted.")
            }
            (None, Some(seconds), _) => format!("Waits until the stopped instance has ended, {seconds} s at most."),
            (None, None, 0) => "Waits for its turn, which is next.".to_owned(),
            (None, None, 1) => "Waits for its turn: one deployment of another app is before it.".to_owned(),
            (None, None, count) => format!("Waits for its turn: {count} deployments of other apps are before it."),
        }
    }
}

impl Facts {
    fn read(c: &db::Tx, app: AppId, id: DeploymentId) -> db::Result<Option<Self>> {
        let Some((app, deployment)) = db::apps::find(c, app)?.zip(db::deployments::find(c, id)?) else {
            return Ok(None);
        };
        let newest = db::deployments::list_of_app(c, app.id, db::Page::first(1))?.pop();
        let is_newest = newest.is_some_and(|newest| newest.id == id);
        let wanted = match deployment.trigger {
            Trigger::Rollback => deployment.wanted_release_id,
            // Another one may serve by now, where more came after it.
            Trigger::Restart if is_newest => app.active_release_id,
            _ => None,
        };
        let is_queued = deployment.status == Status::Queued;
        let queue = || {
            let of_app = db::deployments::find_before_in_app(c, app.id, id)?;
            let is_retiring = |before: &Deployment| before.step == Some(Step::Retire);
            Ok::<_, db::Error>(Queue {
                stops_within: match &of_app {
                    Some(before) if is_retiring(before) => Some(i64::from(app.settings.run.stop_timeout_s)),
                    Some(_) => None,
                    None => app.stops_within(Timestamp::now()),
                },
                of_app: of_app.map(|before| before.number),
                others: db::deployments::count_before_of_others(c, id)?,
            })
        };
        Ok(Some(Self {
            queue: is_queued.then(queue).transpose()?,
            release: wanted
                .map(|release| db::releases::find(c, release))
                .transpose()?
                .flatten(),
            runs: db::deployments::list_steps(c, id)?,
            domains: db::domains::list_of_app(c, app.id)?,
            is_newest,
            app,
            deployment,
        }))
    }
}

impl Parts {
    /// Reads all of them, and the deployment that they are about, as it is now.
    pub async fn load(actions: &Actions, (app, right): (&App, Right), id: DeploymentId) -> Result<(Self, Deployment)> {
        let app_id = app.id;
        let facts = actions.db.read(move |c| Facts::read(c, app_id, id)).await?;
        let facts = facts.ok_or(crate::actions::Error::NotFound)?;
        let (app, deployment, release) = (&facts.app, &facts.deployment, facts.release.as_ref());
        let may_deploy = right >= Right::Deploy;
        let is_over = facts.is_newest && deployment.status.is_final();
        let has_succeeded = deployment.status == Status::Succeeded;
        let docker_is_away = actions.deployer.health().docker.is_err();
        let waits_for = facts.queue.as_ref().map(|queue| match docker_is_away {
            true => "Waits until Docker answers again.".to_owned(),
            false => queue.in_words(),
        });
        let parts = Self {
            actions: DeploymentActions {
                slug: app.slug.to_string(),
                number: deployment.number,
                can_cancel: may_deploy && can_cancel(deployment),
                retry: if may_deploy && is_over && !has_succeeded {
                    Retry::of(app, deployment, release)
                } else {
                    None
                },
                open: if is_over && has_succeeded && app.stopped_at.is_none() {
                    addresses(&actions.config, app, &facts.domains).into_iter().next()
                } else {
                    None
                },
            },
            line: DeploymentLine::of(deployment, release),
            steps: Steps::of(deployment, &facts.runs),
            outcome: Outcome::of(app, deployment, release.filter(|_| may_deploy), waits_for),
        };
        Ok((parts, facts.deployment))
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
    LoadedApp(app, right): LoadedApp,
    Path((_, number)): Path<(String, String)>,
    frame: Frame,
) -> Result<DeploymentPage> {
    let id = super::find(&web, &app, &number).await?.id;
    // The status is read before the log: a log that is shown as complete then is.
    let (parts, deployment) = Parts::load(&web.actions, (&app, right), id).await?;
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
        tabs: tabs(&app, Tab::Deployments),
        id,
        number: deployment.number,
        parts,
        follow_from: (!is_final).then(|| end.reader.offset()),
        log: if is_final { end.into_final() } else { end.shown },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queued_deployment_says_what_it_waits_for() {
        let words = |of_app, others| {
            let stops_within = None;
            Queue {
                of_app,
                others,
                stops_within,
            }
            .in_words()
        };
        let stopping = |of_app| {
            let (others, stops_within) = (1, Some(30));
            Queue {
                of_app,
                others,
                stops_within,
            }
            .in_words()
        };
        assert!(stopping(Some(6)).ends_with("has ended; the version before has up to 30 s to stop."));
        assert_eq!(
            stopping(None),
            "Waits until the stopped instance has ended, 30 s at most."
        );
        assert!(words(Some(6), 3).starts_with("Waits until deployment 6 of this app has ended; cancel"));
        assert_eq!(words(None, 0), "Waits for its turn, which is next.");
        assert!(words(None, 1).contains("one deployment of another app is before it"));
        assert!(words(None, 3).contains("3 deployments of other apps are before it"));
    }
}
