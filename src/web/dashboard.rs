//! The first page: what needs a hand, every project with its apps, the last deployments. Kept up to date by one
//! stream.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Deserialize;

mod facts;
mod live;
mod view;

use super::Web;
use super::error::Result;
use super::layout::{Banner, Frame, Layout};
use super::signed_in::SignedIn;
use super::sse;
use crate::actions::Error;
use crate::model::ids::UserId;
use facts::{Facts, Which};
use live::Live;
use view::{Attention, Deployments, Parts, Projects};

/// The page and its stream.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/", get(show))
        .route("/dashboard/events", get(events))
}

#[derive(Template, WebTemplate)]
#[template(path = "dashboard/show.html")]
struct DashboardPage {
    layout: Layout,
    attention: Attention,
    projects: Projects,
    deployments: Deployments,
    which: Which,
    /// Where older projects are.
    older: Option<i64>,
    /// What the stream need not send again.
    seen: String,
}

/// For somebody who belongs to no project.
#[derive(Template, WebTemplate)]
#[template(path = "dashboard/nothing.html")]
struct NothingPage {
    layout: Layout,
}

async fn show(
    State(web): State<Web>,
    frame: Frame,
    signed_in: SignedIn,
    Query(which): Query<Which>,
) -> Result<Response> {
    let mut layout = frame.titled("Dashboard");
    let user = signed_in.user.id;
    let facts = web.actions.db.read(move |c| Facts::read(c, user, which)).await?;
    let facts = facts.ok_or(Error::NotFound)?;
    if facts.projects.is_empty() && !signed_in.actor.sees_all() {
        return Ok(NothingPage { layout }.into_response());
    }
    let older = facts.older;
    let parts = Parts::of(&facts, &web.actions.config, layout.banner.clone());
    let seen = parts.render()?.fingerprint();
    layout.has_failure |= !parts.attention.is_empty();
    let Parts {
        attention,
        projects,
        deployments,
        ..
    } = parts;
    Ok(DashboardPage {
        layout,
        attention,
        projects,
        deployments,
        which,
        older,
        seen,
    }
    .into_response())
}

#[derive(Deserialize)]
struct Seen {
    #[serde(default)]
    seen: String,
    #[serde(default)]
    before: Option<i64>,
}

async fn events(
    State(web): State<Web>,
    signed_in: SignedIn,
    Query(seen): Query<Seen>,
    headers: HeaderMap,
) -> Result<Response> {
    // After a reconnection the browser knows better than the page's address what it last saw.
    let last = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .map(str::to_owned);
    let live = Live::new(
        web.clone(),
        signed_in.user.id,
        Which { before: seen.before },
        last.unwrap_or(seen.seen),
    );
    Ok(sse::stream(&web, signed_in.user.id, live.events()))
}

impl Parts {
    /// What is true now.
    async fn read(web: &Web, user: UserId, which: Which) -> Result<Self> {
        let facts = web.actions.db.read(move |c| Facts::read(c, user, which)).await?;
        let facts = facts.ok_or(Error::NotFound)?;
        Ok(Self::of(&facts, &web.actions.config, Banner::now(web)))
    }
}
