//! The claim: whoever has the link that Dhow printed at its start becomes the owner.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use axum_extra::extract::Form;
use serde::Deserialize;
use tower_sessions::Session;

use super::Web;
use super::client::Visitor;
use super::error::Result;
use super::flash;
use super::forms::FormErrors;
use super::layout::{Frame, Layout};
use super::session;
use crate::actions::Error;

const LABELS: &[(&str, &str)] = &[("email", "Email"), ("password", "Password")];

/// The page.
pub fn router() -> Router<Web> {
    Router::new().route("/setup", get(show).post(claim))
}

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    token: String,
}

#[derive(Deserialize)]
struct ClaimForm {
    #[serde(default)]
    token: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
}

#[derive(Template, WebTemplate)]
#[template(path = "setup.html")]
struct ClaimPage {
    layout: Layout,
    token: String,
    email: String,
    errors: FormErrors,
}

#[derive(Template, WebTemplate)]
#[template(path = "setup_refused.html")]
struct RefusedPage {
    layout: Layout,
    is_claimed: bool,
}

async fn show(State(web): State<Web>, frame: Frame, Query(link): Query<Link>) -> Result<Response> {
    if !web.actions.is_claim_good(&link.token).await? {
        return refuse(&web, frame).await;
    }
    let layout = frame.titled("Claim this Dhow");
    Ok(ClaimPage {
        layout,
        token: link.token,
        email: String::new(),
        errors: FormErrors::none(),
    }
    .into_response())
}

async fn claim(
    State(web): State<Web>,
    frame: Frame,
    session: Session,
    Visitor(client): Visitor,
    Form(form): Form<ClaimForm>,
) -> Result<Response> {
    let user = match web
        .actions
        .claim(&client, &form.token, &form.email, &form.password)
        .await
    {
        Ok(user) => user,
        Err(Error::Forbidden) => return refuse(&web, frame).await,
        Err(error) => {
            let errors = FormErrors::from_error(error, LABELS)?;
            let layout = frame.titled("Claim this Dhow").refused();
            let page = ClaimPage {
                layout,
                token: form.token,
                email: form.email,
                errors,
            };
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    session::sign_in(&session, &client, &user).await?;
    flash::done(&session, "This Dhow is yours now.").await?;
    Ok(Redirect::to("/").into_response())
}

async fn refuse(web: &Web, frame: Frame) -> Result<Response> {
    let is_claimed = web.actions.claim_token().await?.is_none();
    let layout = frame.titled(if is_claimed { "Already claimed" } else { "Link not good" });
    Ok((StatusCode::FORBIDDEN, RefusedPage { layout, is_claimed }).into_response())
}
