//! `/git/{app}.git`: `git push` to an app whose source is `push`, with a token as the password.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use super::push::{BranchChange, Operation, PushLimits, PushOutcome, PushServer, PushToken, challenge};
use crate::actions::{Actions, Error};
use crate::git::HostedRepository;
use crate::model::app::App;
use crate::model::user::Actor;

/// What the handler works with.
#[derive(Clone)]
struct Git {
    actions: Actions,
    pushes: PushServer,
    address: SocketAddr,
}

/// The paths of the smart protocol. Bodies are limited by [`PushLimits`], not by the limit for forms.
pub fn router(actions: Actions, address: SocketAddr) -> Router {
    let state = Git {
        actions,
        pushes: PushServer::new(PushLimits::default()),
        address,
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
            let deploy = move |outcome| deploy(git.actions, git.address, actor, app, outcome);
            git.pushes.serve(request, operation, repository, deploy).await
        }
        Err(error) => refuse(&error),
    }
}

async fn open(actions: &Actions, app: App) -> Result<(App, HostedRepository), Error> {
    let dir = actions.hosted_repository(&app);
    let opened = tokio::task::spawn_blocking(move || HostedRepository::open(&dir)).await;
    let repository = opened.map_err(anyhow::Error::from)?.map_err(anyhow::Error::from)?;
    Ok((app, repository))
}

/// Deploys what was pushed and answers the lines that the pusher sees.
async fn deploy(actions: Actions, address: SocketAddr, actor: Actor, app: App, outcome: PushOutcome) -> Vec<String> {
    let Some(commit) = outcome.commit else {
        return vec![format!(
            "Stored. Only pushes to {} are deployed.",
            outcome.deploy_branch
        )];
    };
    let is_new = |change: &BranchChange| change.branch == outcome.deploy_branch && change.before.is_none();
    let mut lines = Vec::new();
    if outcome.changes.iter().any(is_new) {
        lines.push(format!("From now on pushes to {} are deployed.", outcome.deploy_branch));
    }
    match actions.deploy_push(&actor, &app, &commit.sha.to_string()).await {
        Ok(deployment) => {
            let (slug, number) = (&app.slug, deployment.number);
            lines.push(format!("Deployment {number} of {slug} is queued."));
            lines.push(format!("Watch it at http://{address}/apps/{slug}/deployments/{number}"));
        }
        Err(error) => {
            tracing::error!(app = %app.slug, error = format!("{error:#}"), "a push was stored but not deployed");
            lines.push(format!("Stored, but not deployed: {error}. Deploy it from the panel."));
        }
    }
    lines
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
            "This token may not push; it needs the scope deploy.".to_owned(),
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
