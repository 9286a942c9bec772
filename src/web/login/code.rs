//! The second step of signing in: a code of the authenticator app, or a recovery code.

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::Form;
use serde::Deserialize;
use tower_sessions::Session;

use super::Wanted;
use crate::web::Web;
use crate::web::client::Visitor;
use crate::web::error::Result;
use crate::web::layout::{Frame, Layout};
use crate::web::session;
use crate::web::signed_in::LocalPath;

#[derive(Deserialize)]
pub(super) struct CodeForm {
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

#[derive(Template, WebTemplate)]
#[template(path = "login/code.html")]
struct CodePage {
    layout: Layout,
    next: LocalPath,
    is_refused: bool,
}

pub(super) async fn show(frame: Frame, session: Session, Query(wanted): Query<Wanted>) -> Result<Response> {
    let next = LocalPath::parse(&wanted.next).unwrap_or_default();
    if session::find_pending(&session).await?.is_none() {
        return Ok(Redirect::to(&next.sign_in_url()).into_response());
    }
    let layout = frame.titled("Enter a code");
    Ok(CodePage {
        layout,
        next,
        is_refused: false,
    }
    .into_response())
}

pub(super) async fn check(
    State(web): State<Web>,
    frame: Frame,
    session: Session,
    Visitor(client): Visitor,
    Form(form): Form<CodeForm>,
) -> Result<Response> {
    let next = LocalPath::parse(&form.next).unwrap_or_default();
    let Some(pending) = session::find_pending(&session).await? else {
        return Ok(Redirect::to(&next.sign_in_url()).into_response());
    };
    if let Some(user) = web.actions.finish_sign_in(&client, &pending, &form.code).await? {
        if session::sign_in_by_password(&web.actions, &session, &client, &user, &pending).await? {
            return Ok(Redirect::to(next.as_str()).into_response());
        }
        return Ok(Redirect::to(&next.sign_in_url()).into_response());
    }
    let layout = frame.titled("Enter a code").refused();
    let page = CodePage {
        layout,
        next,
        is_refused: true,
    };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}
