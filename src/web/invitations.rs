//! Invitations: the page behind a link, where somebody chooses a password, and open ones as rows of a table.
//!
//! A link that is used, too old, taken back or never was is answered by one and the same page.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use tower_sessions::Session;

use super::Web;
use super::client::Visitor;
use super::error::Result;
use super::flash;
use super::forms::FormErrors;
use super::layout::{Frame, Layout};
use super::moment::Moment;
use super::session;
use super::signed_in::{LocalPath, SignedIn};
use super::typed::Typed;
use crate::actions::Error;
use crate::model::ids::InvitationId;
use crate::model::invitation::Invitation;

const LABELS: &[(&str, &str)] = &[("password", "Password")];

/// The pages.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/invitations/take-back", post(take_back))
        .route("/invitations/{token}", get(show).post(accept))
}

/// An open invitation as a row, for `invitations/_open.html`.
pub struct InvitationRow {
    pub id: i64,
    pub email: String,
    /// What it gives.
    pub gives: String,
    pub inviter: String,
    pub expires: Moment,
}

impl From<Invitation> for InvitationRow {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id.0,
            gives: gives(&invitation),
            email: invitation.email,
            inviter: invitation.inviter.unwrap_or_default(),
            expires: Moment::until(invitation.expires_at),
        }
    }
}

fn gives(invitation: &Invitation) -> String {
    match &invitation.place {
        _ if invitation.resets.is_some() => "a new password".to_owned(),
        Some(place) => format!("{}, {} of {}", invitation.role, place.role, place.slug),
        None => invitation.role.to_string(),
    }
}

#[derive(Template, WebTemplate)]
#[template(path = "invitations/accept.html")]
struct AcceptPage {
    layout: Layout,
    token: String,
    email: String,
    gives: String,
    inviter: String,
    is_reset: bool,
    errors: FormErrors,
}

#[derive(Template, WebTemplate)]
#[template(path = "invitations/refused.html")]
struct RefusedPage {
    layout: Layout,
}

impl AcceptPage {
    async fn load(web: &Web, frame: Frame, token: String, errors: FormErrors) -> Result<Response> {
        let invitation = match web.actions.find_invitation(&token).await {
            Err(Error::NotFound) => return Ok(refuse(frame)),
            other => other?,
        };
        let is_reset = invitation.resets.is_some();
        let title = if is_reset {
            "Set a new password"
        } else {
            "Join this Dhow"
        };
        let layout = frame.titled(title);
        let (layout, status) = if errors.is_empty() {
            (layout, StatusCode::OK)
        } else {
            (layout.refused(), StatusCode::UNPROCESSABLE_ENTITY)
        };
        let page = Self {
            layout,
            token,
            gives: gives(&invitation),
            email: invitation.email,
            inviter: invitation.inviter.unwrap_or_default(),
            is_reset,
            errors,
        };
        Ok((status, page).into_response())
    }
}

fn refuse(frame: Frame) -> Response {
    let layout = frame.titled("Link not good");
    (StatusCode::NOT_FOUND, RefusedPage { layout }).into_response()
}

async fn show(State(web): State<Web>, frame: Frame, Path(token): Path<String>) -> Result<Response> {
    AcceptPage::load(&web, frame, token, FormErrors::none()).await
}

async fn accept(
    State(web): State<Web>,
    frame: Frame,
    session: Session,
    Visitor(client): Visitor,
    Path(token): Path<String>,
    typed: Typed,
) -> Result<Response> {
    let is_reset = match web.actions.find_invitation(&token).await {
        Err(Error::NotFound) => return Ok(refuse(frame)),
        other => other?.resets.is_some(),
    };
    match web
        .actions
        .accept_invitation(&client, &token, typed.value("password"))
        .await
    {
        // Whoever signs in after a reset does so in full: the link alone is no sign-in.
        Ok(_) if is_reset => Ok(Redirect::to("/login").into_response()),
        Ok(user) => {
            session::sign_in(&session, &client, &user).await?;
            flash::done(&session, "Welcome. This is your account from now on.").await?;
            Ok(Redirect::to("/").into_response())
        }
        Err(Error::NotFound) => Ok(refuse(frame)),
        Err(error) => {
            let errors = FormErrors::from_error(error, LABELS)?;
            AcceptPage::load(&web, frame, token, errors).await
        }
    }
}

async fn take_back(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    session: Session,
    typed: Typed,
) -> Result<Redirect> {
    let id = InvitationId(typed.value("id").parse().map_err(|_| Error::NotFound)?);
    web.actions.take_back_invitation(&actor, id).await?;
    flash::done(&session, "The link is good no more.").await?;
    let next = LocalPath::parse(typed.value("next")).unwrap_or_default();
    Ok(Redirect::to(next.as_str()))
}
