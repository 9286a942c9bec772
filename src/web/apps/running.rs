//! What happens to an app without new code: its settings are applied, it is restarted, stopped and started.

use axum::Router;
use axum::extract::State;
use axum::response::Redirect;
use axum::routing::post;
use tower_sessions::Session;

use crate::actions::{self, Error};
use crate::model::app::App;
use crate::model::deployment::Deployment;
use crate::model::user::Actor;
use crate::web::Web;
use crate::web::error::Result;
use crate::web::flash;
use crate::web::load::LoadedApp;
use crate::web::signed_in::SignedIn;
use crate::web::typed::Typed;

/// The buttons.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/apps/{app}/apply", post(apply))
        .route("/apps/{app}/restart", post(restart))
        .route("/apps/{app}/start", post(start))
        .route("/apps/{app}/stop", post(stop))
}

async fn apply(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, _): LoadedApp,
    session: Session,
) -> Result<Redirect> {
    let asked = web.actions.apply_settings(&actor, &app).await;
    to_deployment(&session, &app, asked).await
}

async fn restart(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, _): LoadedApp,
    session: Session,
) -> Result<Redirect> {
    let asked = web.actions.restart(&actor, &app).await;
    to_deployment(&session, &app, asked).await
}

async fn start(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, _): LoadedApp,
    session: Session,
) -> Result<Redirect> {
    let asked = web.actions.start(&actor, &app).await;
    to_deployment(&session, &app, asked).await
}

async fn stop(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, _): LoadedApp,
    session: Session,
) -> Result<Redirect> {
    match web.actions.stop(&actor, &app).await {
        Ok(()) => flash::done(&session, "Stopped. Visitors get 404 until it is started.").await?,
        Err(Error::Conflict(sentence)) => flash::warn(&session, sentence).await?,
        Err(error) => return Err(error.into()),
    }
    Ok(to_app(&app))
}

/// Leads to the deployment that was asked for; to the app where what it is now speaks against one.
pub async fn to_deployment(session: &Session, app: &App, asked: actions::Result<Deployment>) -> Result<Redirect> {
    match asked {
        Ok(deployment) => Ok(Redirect::to(&format!(
            "/apps/{}/deployments/{}",
            app.slug, deployment.number
        ))),
        Err(Error::Conflict(sentence)) => {
            flash::warn(session, sentence).await?;
            Ok(to_app(app))
        }
        Err(error) => Err(error.into()),
    }
}

fn to_app(app: &App) -> Redirect {
    Redirect::to(&format!("/apps/{}", app.slug))
}

/// Where a form of settings or variables leads, once saved: with "Save and apply now" to a deployment, else, or when
/// nothing is to be applied, back to `page`.
pub async fn saved(
    web: &Web,
    session: &Session,
    actor: &Actor,
    app: &App,
    typed: &Typed,
    page: &str,
) -> Result<Redirect> {
    if !typed.is("apply", "now") {
        let when = if app.active_release_id.is_some() {
            "Saved."
        } else {
            "Saved. Takes effect with the first deployment."
        };
        flash::done(session, when).await?;
        return Ok(Redirect::to(page));
    }
    match web.actions.pending(app).await {
        Ok(Some(difference)) if difference.is_empty() => {
            flash::done(session, "Saved. What is live has it already.").await?;
        }
        Ok(Some(_)) => return to_deployment(session, app, web.actions.apply_settings(actor, app).await).await,
        Ok(None) => flash::done(session, "Saved. Takes effect with the first deployment.").await?,
        Err(Error::Conflict(sentence)) => flash::warn(session, format!("Saved, but not applied. {sentence}")).await?,
        Err(error) => return Err(error.into()),
    }
    Ok(Redirect::to(page))
}
