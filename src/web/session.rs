//! Sessions of browsers: the cookie, who it stands for, signing in and out.
//!
//! A session exists only for somebody who signed in, and for a few minutes for one who has given the password and owes
//! a code. It is written then, for a flash message, and once an hour so that its life goes on, up to its end at 30
//! days; else reading a page writes nothing.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time::Duration;
use tower_sessions::{Expiry, Session, SessionManagerLayer};

use super::client::Visitor;
use super::error::PageError;
use crate::actions::Actions;
use crate::actions::sessions::{ORIGIN_KEY, Origin, SEEN_KEY, SessionUser, Sessions, USER_KEY};
use crate::actions::sign_in::FirstStep;
use crate::config::SESSION_IDLE_S;
use crate::db;
use crate::model::client::Client;
use crate::model::ids::UserId;
use crate::model::time::Timestamp;
use crate::model::user::User;

/// Name of the cookie.
const COOKIE: &str = "dhow_session";
/// In the session's data: what the second step of a sign-in needs.
const PENDING_KEY: &str = "pending";
/// How old the moment of the last use may become, in milliseconds: one write an hour for each browser.
const RENEW_AFTER_MS: i64 = 3600 * 1_000;

/// Finds the session of a request and writes what changed in it.
pub fn layer(actions: &Actions) -> SessionManagerLayer<Sessions> {
    SessionManagerLayer::new(Sessions::new(actions.db.clone()))
        .with_name(COOKIE)
        .with_path("/")
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        // Made secure at the door through which https comes.
        .with_secure(false)
        .with_expiry(Expiry::OnInactivity(Duration::seconds(SESSION_IDLE_S)))
}

/// Puts from where somebody asks and the session's user into the request, for pages and API alike, and the user into the
/// answer, for error pages.
pub async fn identify(
    State(actions): State<Actions>,
    session: Session,
    Visitor(client): Visitor,
    mut request: Request,
    next: Next,
) -> Response {
    let user = match find_user(&actions, &session).await {
        Ok(user) => user.map(SessionUser),
        Err(error) => return PageError::from(error).into_response(),
    };
    request.extensions_mut().insert(client);
    if let Some(user) = &user {
        request.extensions_mut().insert(user.clone());
    }
    let mut response = next.run(request).await;
    if let Some(user) = user {
        response.extensions_mut().insert(user);
    }
    response
}

async fn find_user(actions: &Actions, session: &Session) -> anyhow::Result<Option<User>> {
    if session.id().is_none() {
        return Ok(None);
    }
    let Some(id) = session.get::<UserId>(USER_KEY).await? else {
        return Ok(None);
    };
    let user = actions.db.read(move |c| db::users::find_active(c, id)).await?;
    match user {
        Some(_) => renew(session).await?,
        None => session.flush().await?,
    }
    Ok(user)
}

/// Notes that the session is used, which also puts its end off.
async fn renew(session: &Session) -> anyhow::Result<()> {
    let seen_at: i64 = session.get(SEEN_KEY).await?.unwrap_or_default();
    let now = Timestamp::now();
    if now.millis_since(Timestamp::from_millis(seen_at)) > RENEW_AFTER_MS {
        session.insert(SEEN_KEY, now.as_millis()).await?;
    }
    Ok(())
}

/// Begins a session for a user, under a new id and with nothing of what a former one held.
pub async fn sign_in(session: &Session, client: &Client, user: &User) -> Result<(), PageError> {
    begin(session, client, USER_KEY, user.id).await
}

/// Begins a session by a password that was right when it was looked at. The session is stored before that is asked again,
/// so that whoever changes the password meanwhile either ends it or is noticed here; `false` then.
pub async fn sign_in_by_password(
    actions: &Actions,
    session: &Session,
    client: &Client,
    user: &User,
    step: &FirstStep,
) -> Result<bool, PageError> {
    sign_in(session, client, user).await?;
    session.save().await.map_err(anyhow::Error::from)?;
    if actions.still_counts(step).await? {
        return Ok(true);
    }
    sign_out(session).await?;
    Ok(false)
}

/// Begins a short session for nobody, which holds what the second step of a sign-in needs.
pub async fn await_second_step(session: &Session, client: &Client, pending: &FirstStep) -> Result<(), PageError> {
    begin(session, client, PENDING_KEY, pending).await
}

/// What the second step of a sign-in needs, of a session that waits for it.
pub async fn find_pending(session: &Session) -> Result<Option<FirstStep>, PageError> {
    Ok(session.get(PENDING_KEY).await.map_err(anyhow::Error::from)?)
}

async fn begin(session: &Session, client: &Client, key: &str, holds: impl Serialize) -> Result<(), PageError> {
    let begun = async {
        session.clear().await;
        session.cycle_id().await?;
        session.insert(ORIGIN_KEY, Origin::of(client)).await?;
        session.insert(SEEN_KEY, Timestamp::now().as_millis()).await?;
        session.insert(key, holds).await
    };
    begun.await.map_err(|error| PageError::from(anyhow::Error::from(error)))
}

/// Ends a session, here and in the browser.
pub async fn sign_out(session: &Session) -> Result<(), PageError> {
    session
        .flush()
        .await
        .map_err(|error| PageError::from(anyhow::Error::from(error)))
}
