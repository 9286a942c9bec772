//! Who is signed in: the password, the second factor, the sessions and the tokens of their account.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use tower_sessions::Session;

use super::Web;
use super::error::Result;
use super::forms::FormErrors;
use super::layout::{Frame, Layout};
use super::moment::Moment;
use super::signed_in::SignedIn;
use super::typed::Typed;
use crate::actions::Error;
use crate::actions::two_factor::TwoFactor;
use crate::db;
use crate::model::user::{Role, User};

mod password;
mod sessions;
mod tokens;
mod two_factor;

const LABELS: &[(&str, &str)] = &[
    ("password", "Present password"),
    ("new_password", "New password"),
    ("name", "Name"),
    ("scope", "May"),
    ("expires", "Expires"),
];

/// The pages.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/account", get(show))
        .route("/account/password", post(password::change))
        .route("/account/sessions/end", post(sessions::end))
        .route("/account/sessions/end-others", post(sessions::end_others))
        .route("/account/tokens", post(tokens::create))
        .route("/account/tokens/revoke", post(tokens::revoke))
        .route("/account/two-factor", get(two_factor::show))
        .route("/account/two-factor/begin", post(two_factor::begin))
        .route("/account/two-factor/confirm", post(two_factor::confirm))
        .route("/account/two-factor/off", post(two_factor::turn_off))
}

#[derive(Template, WebTemplate)]
#[template(path = "account/show.html")]
struct AccountPage {
    layout: Layout,
    email: String,
    role: &'static str,
    rights: &'static str,
    since: Moment,
    two_factor: TwoFactor,
    sessions: Vec<sessions::SessionRow>,
    tokens: Vec<tokens::TokenRow>,
    lifetimes: &'static [tokens::Lifetime],
    form: Typed,
    errors: FormErrors,
}

async fn show(State(web): State<Web>, frame: Frame, session: Session, signed_in: SignedIn) -> Result<AccountPage> {
    page(
        &web,
        &session,
        signed_in.user,
        frame.titled("Account"),
        Typed::default(),
        FormErrors::none(),
    )
    .await
}

/// The page again, with what was refused.
async fn refuse(web: &Web, session: &Session, user: User, frame: Frame, form: Typed, error: Error) -> Result<Response> {
    let errors = FormErrors::from_error(error, LABELS)?;
    let layout = frame.titled("Account").refused();
    let page = page(web, session, user, layout, form, errors).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

async fn page(
    web: &Web,
    session: &Session,
    user: User,
    layout: Layout,
    form: Typed,
    errors: FormErrors,
) -> Result<AccountPage> {
    let id = user.id;
    let lists = web
        .actions
        .db
        .read(move |c| Ok((db::sessions::list_of_user(c, id)?, db::tokens::list_of_user(c, id)?)));
    let (sessions, tokens) = lists.await?;
    let two_factor = web.actions.two_factor(&user).await?;
    Ok(AccountPage {
        layout,
        role: user.role.as_str(),
        rights: rights(user.role),
        since: Moment::of(user.created_at),
        email: user.email,
        two_factor,
        sessions: sessions::rows(sessions, session),
        tokens: tokens.into_iter().map(tokens::TokenRow::of).collect(),
        lifetimes: tokens::LIFETIMES,
        form,
        errors,
    })
}

const fn rights(role: Role) -> &'static str {
    match role {
        Role::Owner => "everything",
        Role::Admin => "everything, except changing owners",
        Role::Member => "only the projects that they belong to",
    }
}
