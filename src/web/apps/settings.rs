//! An app's settings, and its end.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use tower_sessions::Session;

use super::form;
use super::head::{AppHead, Tab};
use super::pending::Pending;
use super::running;
use crate::actions::{Error, FieldError};
use crate::model::access::Right;
use crate::model::app::App;
use crate::web::Web;
use crate::web::error::Result;
use crate::web::flash;
use crate::web::forms::FormErrors;
use crate::web::layout::{Frame, Layout};
use crate::web::load::LoadedApp;
use crate::web::signed_in::SignedIn;
use crate::web::typed::Typed;

/// The page and its forms.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/apps/{app}/settings", get(show).post(change))
        .route("/apps/{app}/delete", post(delete))
}

#[derive(Template, WebTemplate)]
#[template(path = "apps/settings.html")]
struct SettingsPage {
    layout: Layout,
    head: AppHead,
    pending: Option<Pending>,
    base_domain: String,
    form: Typed,
    confirm: String,
    errors: FormErrors,
    /// The port that is used, also where it was not typed.
    usual_port: String,
    is_new: bool,
    is_primary: bool,
    hides_deploy: bool,
}

impl SettingsPage {
    async fn new(
        web: &Web,
        frame: Frame,
        (app, right): (&App, Right),
        form: Typed,
        errors: FormErrors,
    ) -> Result<Self> {
        let head = AppHead::load(&web.actions, app, right, Tab::Settings).await?;
        let pending = Pending::load(&web.actions, app, right, head.watch).await?;
        let layout = frame.titled(format!("Settings of {}", head.name));
        Ok(Self {
            layout: if errors.is_empty() { layout } else { layout.refused() },
            head,
            pending,
            base_domain: web.actions.config.base_domain.to_string(),
            form,
            confirm: String::new(),
            errors,
            usual_port: app.settings.run.port.get().to_string(),
            is_new: false,
            is_primary: false,
            hides_deploy: false,
        })
    }
}

async fn show(State(web): State<Web>, LoadedApp(app, right): LoadedApp, frame: Frame) -> Result<SettingsPage> {
    SettingsPage::new(&web, frame, (&app, right), form::of_app(&app), FormErrors::none()).await
}

async fn has_credential(web: &Web, app: &App, right: Right) -> Result<bool> {
    Ok(web.actions.show_credential(app, right).await?.kind.is_some())
}

async fn change(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, right): LoadedApp,
    frame: Frame,
    session: Session,
    typed: Typed,
) -> Result<Response> {
    let had_credential = has_credential(&web, &app, right).await?;
    match web
        .actions
        .change_app(&actor, app.slug.as_str(), form::to_json(&typed))
        .await
    {
        Ok(app) => {
            let page = format!("/apps/{}/settings", app.slug);
            let next = running::saved(&web, &session, &actor, &app, &typed, &page).await?;
            if had_credential && !has_credential(&web, &app, right).await? {
                flash::warn(
                    &session,
                    "Saved. The credential was for another server and is gone; store one for the new address on the \
                     source page.",
                )
                .await?;
            }
            Ok(next.into_response())
        }
        Err(Error::Invalid(refused)) => {
            let page = SettingsPage::new(
                &web,
                frame,
                (&app, right),
                form::shown_again(typed),
                form::errors(refused),
            )
            .await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn delete(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, right): LoadedApp,
    frame: Frame,
    session: Session,
    typed: Typed,
) -> Result<Response> {
    if right < Right::Administer {
        return Err(Error::Forbidden.into());
    }
    if typed.text("confirm") != Some(app.slug.as_str()) {
        let message = format!("Type {} exactly, so that no other app is meant.", app.slug);
        let errors = FormErrors::new(
            vec![FieldError {
                field: "confirm".to_owned(),
                message,
            }],
            &[("confirm", "Confirmation")],
        );
        let mut page = SettingsPage::new(&web, frame, (&app, right), form::of_app(&app), errors).await?;
        typed.value("confirm").clone_into(&mut page.confirm);
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    web.actions.delete_app(&actor, app.slug.as_str()).await?;
    flash::done(
        &session,
        format!(
            "{} was deleted. What it leaves on the server is being removed.",
            app.slug
        ),
    )
    .await?;
    Ok(Redirect::to(&format!("/projects/{}", app.project_slug)).into_response())
}
