//! `/git/{app}.git`: `git push` to an app whose source is `push`, with a token as the password.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use tokio_util::sync::CancellationToken;

use super::push::{BranchChange, News, Operation, PushLimits, PushOutcome, PushServer, PushToken, Reply, challenge};
use crate::actions::{Actions, Error};
use crate::git::HostedRepository;
use crate::model::app::App;
use crate::model::deployment::Status;
use crate::model::ids::DeploymentId;
use crate::model::source::Branch;
use crate::model::user::Actor;

/// How many branches of a push the audit names.
const NAMED_BRANCHES: usize = 5;

/// What the handler works with.
#[derive(Clone)]
struct Git {
    actions: Actions,
    pushes: PushServer,
    stop: CancellationToken,
}

/// The paths of the smart protocol. Bodies are limited by [`PushLimits`], not by the limit for forms.
pub fn router(actions: Actions, stop: CancellationToken) -> Router {
    let state = Git {
        actions,
        pushes: PushServer::new(PushLimits::default()),
        stop,
    };
    Router::new()
        .route("/git/{repository}/{*operation}", any(serve))
        .layer(DefaultBodyLimit::disable())
        .with_state(state)
}

async fn serve(
    State(git): State<Git>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    PushToken(token): PushToken,
    Path((repository, operation)): Path<(String, String)>,
    request: Request,
) -> Response {
    let actor = match git.actions.actor_by_token(&token).await {
        Ok(Some(actor)) => actor.at(peer.ip()),
        Ok(None) => return challenge(),
        Err(error) => return refuse(&error),
    };
    let operation = Operation::parse(request.method(), &operation, request.uri().query());
    let (Some(slug), Some(operation)) = (repository.strip_suffix(".git"), operation) else {
        return refuse(&Error::NotFound);
    };
    let opened = match git.actions.find_pushed_app(&actor, slug).await {
        Ok(app) => open(&git.actions, app).await,
        Err(error) => Err(error),
    };
    match opened {
        Ok((app, repository)) => {
            let pushes = git.pushes.clone();
            let deploy = move |outcome| deploy(git, actor, app, outcome);
            pushes.serve(request, operation, repository, deploy).await
        }
        Err(error) => refuse(&error),
    }
}

async fn open(actions: &Actions, app: App) -> Result<(App, HostedRepository), Error> {
    let dir = actions.hosted_repository(&app);
    let branch = app.settings.source.branch().cloned();
    let opened = move || HostedRepository::open(&dir)?.deploying(branch.as_ref());
    let opened = tokio::task::spawn_blocking(opened).await;
    let repository = opened.map_err(anyhow::Error::from)?.map_err(anyhow::Error::from)?;
    Ok((app, repository))
}

/// Deploys what was pushed; the pusher sees the deployment's log, and fails when it does.
async fn deploy(git: Git, actor: Actor, app: App, outcome: PushOutcome) -> Reply {
    let branch = outcome.deploy_branch;
    let deployed = outcome.commit.as_ref().and_then(|_| Branch::parse(&branch).ok());
    let changes = in_words(&outcome.changes);
    if let Err(error) = git.actions.note_push(&actor, &app, &changes, deployed).await {
        tracing::error!(app = %app.slug, error = format!("{error:#}"), "a push was stored but not noted");
    }
    let Some(commit) = outcome.commit else {
        let is_gone = |change: &BranchChange| change.after.is_none();
        let line = if outcome.changes.iter().any(|it| it.branch == branch && is_gone(it)) {
            format!("Deleted. What runs stays as it is; the next push to {branch} is deployed again.")
        } else if outcome.changes.iter().all(is_gone) {
            format!("Deleted. Only pushes to {branch} are deployed.")
        } else {
            format!("Stored. Only pushes to {branch} are deployed; the app's settings say which branch that is.")
        };
        return Reply {
            lines: vec![line],
            news: None,
        };
    };
    let is_new = |change: &BranchChange| change.branch == branch && change.before.is_none();
    let mut lines = Vec::new();
    if outcome.changes.iter().any(is_new) {
        lines.push(format!("From now on pushes to {branch} are deployed."));
    }
    match git.actions.deploy_push(&actor, &app, &branch, &commit.sha).await {
        Ok(deployment) => {
            let (slug, number, panel) = (&app.slug, deployment.number, git.actions.config.panel_url());
            lines.push(format!("Deployment {number} of {slug} is queued."));
            lines.push(format!("Watch it at {panel}/apps/{slug}/deployments/{number}"));
            let news = news(git.actions, git.stop, actor, deployment.id);
            Reply {
                lines,
                news: Some((branch, news)),
            }
        }
        Err(error) => {
            tracing::error!(app = %app.slug, error = format!("{error:#}"), "a push was stored but not deployed");
            lines.push(format!("Stored, but not deployed: {error}. Deploy it from the panel."));
            Reply { lines, news: None }
        }
    }
}

/// Which branches were changed and to what, the first few by name.
fn in_words(changes: &[BranchChange]) -> String {
    let mut words: Vec<String> = changes
        .iter()
        .take(NAMED_BRANCHES)
        .map(|change| match &change.after {
            Some(commit) => format!("{} {}", change.branch, commit.short()),
            None => format!("{} removed", change.branch),
        })
        .collect();
    if changes.len() > NAMED_BRANCHES {
        words.push(format!("{} more", changes.len() - NAMED_BRANCHES));
    }
    words.join(", ")
}

/// A deployment's log as it grows, and its end unless that is good.
fn news(actions: Actions, stop: CancellationToken, actor: Actor, id: DeploymentId) -> BoxStream<'static, News> {
    let parts = actions
        .follow_log(id, 0)
        .take_until(stop.cancelled_owned())
        .take_until(actions.sight_lost(&actor, id));
    let lines = parts.flat_map(|part| {
        let text = part.map(|part| part.text).unwrap_or_default();
        let lines: Vec<News> = text.lines().map(|line| News::Line(line.to_owned())).collect();
        stream::iter(lines)
    });
    let end = stream::once(async move { end(&actions, &actor, id).await });
    lines.chain(end.filter_map(std::future::ready)).boxed()
}

async fn end(actions: &Actions, actor: &Actor, id: DeploymentId) -> Option<News> {
    let found = actions.find_deployment(actor, id).await;
    let Ok((deployment, _)) = found else {
        return Some(News::Lost(
            "The deployment can no longer be seen with this token.".to_owned(),
        ));
    };
    let number = deployment.number;
    let reason = match deployment.status {
        Status::Succeeded => return None,
        Status::Failed => {
            let (_, message) = deployment.error.unzip();
            let message = message.unwrap_or_default();
            format!("deployment {number} failed: {message}")
        }
        Status::Cancelled => format!("deployment {number} was cancelled"),
        Status::Superseded => format!("a newer request took the place of deployment {number}"),
        Status::Queued | Status::Running => {
            return Some(News::Lost(format!(
                "What was pushed is stored, and deployment {number} goes on. Its end cannot be told: Dhow is being \
                 stopped, or this token is no longer good."
            )));
        }
    };
    Some(News::Refused(reason))
}

/// An error as git shows it: its text behind `remote:`.
fn refuse(error: &Error) -> Response {
    let (status, text) = match error {
        Error::NotFound => (
            StatusCode::NOT_FOUND,
            "There is no such app, or nothing to push to there.".to_owned(),
        ),
        Error::Forbidden => (
            StatusCode::FORBIDDEN,
            "This token may not use the repository; it needs the scope deploy, and its owner a role that may."
                .to_owned(),
        ),
        Error::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, error.to_string()),
        Error::Conflict(text) | Error::Unavailable(text) => (StatusCode::CONFLICT, text.clone()),
        Error::Invalid(_) | Error::Internal(_) => {
            tracing::error!(error = format!("{error:#}"), "a push failed by a fault of Dhow");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Dhow met a fault of its own; see its log.".to_owned(),
            )
        }
    };
    (status, format!("{text}\n")).into_response()
}
