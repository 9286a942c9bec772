//! Signing in and out.

use askama::Template;
use askama_web::WebTemplate;
use axum::Extension;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum_extra::extract::Form;
use serde::Deserialize;
use tower_sessions::Session;

use super::Web;
use super::client::Visitor;
use super::error::Result;
use super::layout::{Frame, Layout};
use super::session;
use super::signed_in::LocalPath;
use crate::actions::sessions::SessionUser;
use crate::actions::sign_in::SignIn;

mod code;

/// The pages.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/login", get(show).post(sign_in))
        .route("/login/code", get(code::show).post(code::check))
        .route("/logout", post(sign_out))
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct LoginForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

#[derive(Template, WebTemplate)]
#[template(path = "login/show.html")]
struct LoginPage {
    layout: Layout,
    email: String,
    next: LocalPath,
    is_refused: bool,
    /// Nobody exists who could sign in.
    is_unclaimed: bool,
}

async fn show(
    State(web): State<Web>,
    frame: Frame,
    user: Option<Extension<SessionUser>>,
    Query(wanted): Query<Wanted>,
) -> Result<Response> {
    let next = LocalPath::parse(&wanted.next).unwrap_or_default();
    if user.is_some() {
        return Ok(Redirect::to(next.as_str()).into_response());
    }
    let is_unclaimed = web.actions.claim_token().await?.is_some();
    let layout = frame.titled("Sign in");
    Ok(LoginPage {
        layout,
        email: String::new(),
        next,
        is_refused: false,
        is_unclaimed,
    }
    .into_response())
}

async fn sign_in(
    State(web): State<Web>,
    frame: Frame,
    session: Session,
    Visitor(client): Visitor,
    Form(form): Form<LoginForm>,
) -> Result<Response> {
    let next = LocalPath::parse(&form.next).unwrap_or_default();
    let is_signed_in = match web.actions.sign_in(&client, &form.email, form.password).await? {
        SignIn::Done(user, step) => session::sign_in_by_password(&web.actions, &session, &client, &user, &step).await?,
        SignIn::NeedsCode(step) => {
            session::await_second_step(&session, &client, &step).await?;
            return Ok(Redirect::to(&next.second_step_url()).into_response());
        }
        SignIn::Refused => false,
    };
    if is_signed_in {
        return Ok(Redirect::to(next.as_str()).into_response());
    }
    let layout = frame.titled("Sign in").refused();
    let page = LoginPage {
        layout,
        email: form.email,
        next,
        is_refused: true,
        is_unclaimed: false,
    };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

async fn sign_out(
    State(web): State<Web>,
    user: Option<Extension<SessionUser>>,
    session: Session,
    Visitor(client): Visitor,
) -> Result<Redirect> {
    session::sign_out(&session).await?;
    if let Some(Extension(SessionUser(user))) = user {
        web.actions.note_sign_out(&client, &user).await?;
    }
    Ok(Redirect::to("/login"))
}
