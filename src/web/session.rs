//! Sessions of browsers: the cookie, who it stands for, signing in and out.
//!
//! A session exists only for somebody who signed in. It is written at sign-in, for a flash message, and about once a
//! day so that its life goes on; reading a page writes nothing.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time::Duration;
use tower_sessions::{Expiry, Session, SessionManagerLayer};

use super::error::PageError;
use crate::actions::Actions;
use crate::actions::sessions::{SessionUser, Sessions, USER_KEY};
use crate::config::SESSION_IDLE_S;
use crate::db;
use crate::model::ids::UserId;
use crate::model::time::Timestamp;
use crate::model::user::User;

/// Name of the cookie.
const COOKIE: &str = "dhow_session";
/// In the session's data: when its life was last prolonged, in milliseconds since 1970.
const RENEWED_KEY: &str = "renewed_at";
/// How old that may become, in milliseconds: one write a day for each browser.
const RENEW_AFTER_MS: i64 = 24 * 3600 * 1_000;
/// Whether the cookie travels by https only. The panel has no name of its own behind TLS yet.
const IS_BEHIND_TLS: bool = false;

/// Finds the session of a request and writes what changed in it.
pub fn layer(actions: &Actions) -> SessionManagerLayer<Sessions> {
    SessionManagerLayer::new(Sessions::new(actions.db.clone()))
        .with_name(COOKIE)
        .with_path("/")
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_secure(IS_BEHIND_TLS)
        .with_expiry(Expiry::OnInactivity(Duration::seconds(SESSION_IDLE_S)))
}

/// Puts the session's user into the request, for pages and API alike, and into the answer, for error pages.
pub async fn identify(State(actions): State<Actions>, session: Session, mut request: Request, next: Next) -> Response {
    let user = match find_user(&actions, &session).await {
        Ok(user) => user.map(SessionUser),
        Err(error) => return PageError::from(error).into_response(),
    };
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

async fn renew(session: &Session) -> anyhow::Result<()> {
    let renewed_at: i64 = session.get(RENEWED_KEY).await?.unwrap_or_default();
    let now = Timestamp::now();
    if now.millis_since(Timestamp::from_millis(renewed_at)) > RENEW_AFTER_MS {
        session.insert(RENEWED_KEY, now.as_millis()).await?;
    }
    Ok(())
}

/// Begins a session for a user, under a new id and with nothing of what a former one held.
pub async fn sign_in(session: &Session, user: &User) -> Result<(), PageError> {
    begin(session, user).await.map_err(PageError::from)
}

async fn begin(session: &Session, user: &User) -> anyhow::Result<()> {
    session.clear().await;
    session.cycle_id().await?;
    session.insert(USER_KEY, user.id).await?;
    session.insert(RENEWED_KEY, Timestamp::now().as_millis()).await?;
    Ok(())
}

/// Ends a session, here and in the browser.
pub async fn sign_out(session: &Session) -> Result<(), PageError> {
    session
        .flush()
        .await
        .map_err(|error| PageError::from(anyhow::Error::from(error)))
}
