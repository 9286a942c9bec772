//! Two-factor sign-in of whoever is signed in: turned on with an authenticator app, and off again.

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use tower_sessions::Session;

use crate::actions::Error;
use crate::actions::two_factor::TwoFactor;
use crate::model::user::User;
use crate::web::Web;
use crate::web::client::Visitor;
use crate::web::error::Result;
use crate::web::flash;
use crate::web::forms::FormErrors;
use crate::web::layout::{Frame, Layout};
use crate::web::moment::Moment;
use crate::web::qr::Qr;
use crate::web::signed_in::SignedIn;
use crate::web::typed::Typed;

const PATH: &str = "/account/two-factor";
const TITLE: &str = "Two-factor sign-in";
const LABELS: &[(&str, &str)] = &[("password", "Password"), ("code", "Code")];

#[derive(Template, WebTemplate)]
#[template(path = "account/two_factor.html")]
struct TwoFactorPage {
    layout: Layout,
    offer: Offer,
    errors: FormErrors,
}

/// What the page offers.
enum Offer {
    Off,
    Begun {
        /// In groups of four, as people copy them.
        secret: Vec<String>,
        qr: Option<Qr>,
    },
    On {
        since: Moment,
        recovery_codes: i64,
    },
}

/// The only page that ever shows the recovery codes.
#[derive(Template, WebTemplate)]
#[template(path = "account/recovery_codes.html")]
struct RecoveryCodesPage {
    layout: Layout,
    codes: Vec<String>,
}

pub(super) async fn show(State(web): State<Web>, frame: Frame, signed_in: SignedIn) -> Result<Response> {
    let layout = frame.titled(TITLE);
    let page = page(&web, &signed_in.user, layout, FormErrors::none()).await?;
    Ok(page.into_response())
}

pub(super) async fn begin(
    State(web): State<Web>,
    frame: Frame,
    signed_in: SignedIn,
    Visitor(client): Visitor,
    form: Typed,
) -> Result<Response> {
    let password = form.value("password").to_owned();
    match web.actions.begin_two_factor(&client, &signed_in.user, password).await {
        Ok(()) => Ok(Redirect::to(PATH).into_response()),
        Err(error) => refuse(&web, &signed_in.user, frame, error).await,
    }
}

pub(super) async fn confirm(
    State(web): State<Web>,
    frame: Frame,
    signed_in: SignedIn,
    Visitor(client): Visitor,
    form: Typed,
) -> Result<Response> {
    let confirmed = web
        .actions
        .confirm_two_factor(&client, &signed_in.user, form.value("code"))
        .await;
    match confirmed {
        Ok(codes) => Ok(RecoveryCodesPage {
            layout: frame.titled("Recovery codes"),
            codes,
        }
        .into_response()),
        Err(error) => refuse(&web, &signed_in.user, frame, error).await,
    }
}

pub(super) async fn turn_off(
    State(web): State<Web>,
    frame: Frame,
    session: Session,
    signed_in: SignedIn,
    Visitor(client): Visitor,
    form: Typed,
) -> Result<Response> {
    let password = form.value("password").to_owned();
    let turned_off = web
        .actions
        .turn_two_factor_off(&client, &signed_in.user, password, form.value("code"))
        .await;
    if let Err(error) = turned_off {
        return refuse(&web, &signed_in.user, frame, error).await;
    }
    flash::done(&session, "Two-factor sign-in is off. The password suffices again.").await?;
    Ok(Redirect::to("/account").into_response())
}

async fn refuse(web: &Web, user: &User, frame: Frame, error: Error) -> Result<Response> {
    let errors = FormErrors::from_error(error, LABELS)?;
    let page = page(web, user, frame.titled(TITLE).refused(), errors).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

async fn page(web: &Web, user: &User, layout: Layout, errors: FormErrors) -> Result<TwoFactorPage> {
    let offer = match web.actions.two_factor(user).await? {
        TwoFactor::Off => Offer::Off,
        TwoFactor::Begun { secret, uri } => Offer::Begun {
            secret: groups_of_four(&secret),
            qr: Qr::of(&uri, "QR code of the secret for your authenticator app"),
        },
        TwoFactor::On { since, recovery_codes } => Offer::On {
            since: Moment::of(since),
            recovery_codes,
        },
    };
    Ok(TwoFactorPage { layout, offer, errors })
}

fn groups_of_four(secret: &str) -> Vec<String> {
    let letters: Vec<char> = secret.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect()).collect()
}
