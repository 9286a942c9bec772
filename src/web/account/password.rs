//! A new password for whoever is signed in.

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use tower_sessions::Session;

use crate::web::Web;
use crate::web::client::Visitor;
use crate::web::error::Result;
use crate::web::flash;
use crate::web::layout::Frame;
use crate::web::session;
use crate::web::signed_in::SignedIn;
use crate::web::typed::Typed;

pub(super) async fn change(
    State(web): State<Web>,
    frame: Frame,
    session: Session,
    signed_in: SignedIn,
    Visitor(client): Visitor,
    form: Typed,
) -> Result<Response> {
    let user = signed_in.user;
    let present = form.value("password").to_owned();
    let changed = web
        .actions
        .change_password(&client, &user, present, form.value("new_password"))
        .await;
    if let Err(error) = changed {
        return super::refuse(&web, &session, user, frame, Typed::default(), error).await;
    }
    session::sign_in(&session, &client, &user).await?;
    flash::done(&session, "Your password is changed. Every other session has ended.").await?;
    Ok(Redirect::to("/account").into_response())
}
