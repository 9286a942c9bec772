//! API tokens of whoever is signed in: for programs, and for `git push`.

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::Form;
use serde::Deserialize;
use tower_sessions::Session;

use crate::db;
use crate::model::Invalid;
use crate::model::ids::TokenId;
use crate::model::text::Name;
use crate::model::time::Timestamp;
use crate::model::user::Scope;
use crate::web::Web;
use crate::web::client::Visitor;
use crate::web::error::Result;
use crate::web::flash;
use crate::web::layout::{Frame, Layout};
use crate::web::moment::Moment;
use crate::web::signed_in::SignedIn;
use crate::web::typed::Typed;

/// How long a token may be good, as offered.
pub(super) struct Lifetime {
    pub(super) value: &'static str,
    pub(super) words: &'static str,
    days: Option<i64>,
}

pub(super) const LIFETIMES: &[Lifetime] = &[
    Lifetime::new("90d", "in 90 days", Some(90)),
    Lifetime::new("30d", "in 30 days", Some(30)),
    Lifetime::new("365d", "in a year", Some(365)),
    Lifetime::new("never", "never", None),
];

impl Lifetime {
    const fn new(value: &'static str, words: &'static str, days: Option<i64>) -> Self {
        Self { value, words, days }
    }

    /// The days of an offer.
    fn parse(text: &str) -> std::result::Result<Option<i64>, Invalid> {
        let offer = LIFETIMES.iter().find(|offer| offer.value == text);
        offer
            .map(|offer| offer.days)
            .ok_or_else(|| Invalid::new("Choose one of the times."))
    }
}

/// A token as the page shows it.
pub(super) struct TokenRow {
    pub(super) id: TokenId,
    pub(super) name: String,
    pub(super) scope: &'static str,
    pub(super) made: Moment,
    pub(super) expires: Option<Moment>,
    pub(super) is_expired: bool,
    pub(super) used: Option<Moment>,
}

impl TokenRow {
    pub(super) fn of(token: db::tokens::Token) -> Self {
        let is_expired = token.expires_at.is_some_and(|at| at <= Timestamp::now());
        let moment = if is_expired { Moment::of } else { Moment::until };
        Self {
            id: token.id,
            name: token.name,
            scope: token.scope.as_str(),
            made: Moment::of(token.created_at),
            expires: token.expires_at.map(moment),
            is_expired,
            used: token.used_at.map(Moment::of),
        }
    }
}

/// The only page that ever shows a token's text.
#[derive(Template, WebTemplate)]
#[template(path = "account/token.html")]
struct TokenPage {
    layout: Layout,
    name: String,
    token: String,
    may_push: bool,
}

pub(super) async fn create(
    State(web): State<Web>,
    frame: Frame,
    session: Session,
    signed_in: SignedIn,
    Visitor(client): Visitor,
    form: Typed,
) -> Result<Response> {
    let user = signed_in.user;
    let made = web.actions.create_token(
        &client,
        &user,
        Name::parse(form.value("name")),
        Scope::parse(form.value("scope")),
        Lifetime::parse(form.value("expires")),
    );
    match made.await {
        Ok(token) => Ok(TokenPage {
            layout: frame.titled("Token made"),
            name: form.value("name").trim().to_owned(),
            token,
            may_push: form.value("scope") != Scope::Read.as_str(),
        }
        .into_response()),
        Err(error) => super::refuse(&web, &session, user, frame, form, error).await,
    }
}

#[derive(Deserialize)]
pub(super) struct RevokeForm {
    token: i64,
}

pub(super) async fn revoke(
    State(web): State<Web>,
    session: Session,
    signed_in: SignedIn,
    Visitor(client): Visitor,
    Form(form): Form<RevokeForm>,
) -> Result<Response> {
    web.actions
        .revoke_token(&client, &signed_in.user, TokenId(form.token))
        .await?;
    flash::done(
        &session,
        "The token is revoked. Programs that use it are refused from now on.",
    )
    .await?;
    Ok(Redirect::to("/account").into_response())
}
