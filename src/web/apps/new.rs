//! Making an app: a name and a source are enough.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};

use super::form;
use crate::actions::Error;
use crate::actions::app_input::AppInput;
use crate::model::access::Right;
use crate::model::app::{App, Port, Project};
use crate::model::source::Source;
use crate::web::Web;
use crate::web::error::Result;
use crate::web::forms::FormErrors;
use crate::web::layout::{Frame, Layout};
use crate::web::load::LoadedProject;
use crate::web::signed_in::SignedIn;
use crate::web::typed::Typed;

/// The page and its form.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/projects/{project}/apps/new", get(show))
        .route("/projects/{project}/apps", post(create))
}

#[derive(Template, WebTemplate)]
#[template(path = "apps/new.html")]
struct NewAppPage {
    layout: Layout,
    project_slug: String,
    project_name: String,
    base_domain: String,
    form: Typed,
    errors: FormErrors,
    /// The port that is tried first when none is typed.
    usual_port: String,
    is_new: bool,
}

impl NewAppPage {
    fn new(web: &Web, layout: Layout, project: &Project, form: Typed, errors: FormErrors) -> Self {
        Self {
            layout,
            project_slug: project.slug.to_string(),
            project_name: project.name.to_string(),
            base_domain: web.actions.config.base_domain.to_string(),
            form,
            errors,
            usual_port: Port::DEFAULT.get().to_string(),
            is_new: true,
        }
    }
}

async fn show(
    State(web): State<Web>,
    LoadedProject(project, right): LoadedProject,
    frame: Frame,
) -> Result<NewAppPage> {
    if right < Right::Change {
        return Err(Error::Forbidden.into());
    }
    Ok(NewAppPage::new(
        &web,
        frame.titled("New app"),
        &project,
        form::of_new_app(),
        FormErrors::none(),
    ))
}

async fn create(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedProject(project, _): LoadedProject,
    frame: Frame,
    typed: Typed,
) -> Result<Response> {
    let made: std::result::Result<App, Error> = match AppInput::from_json(form::to_new_json(&typed)) {
        Ok(input) => web.actions.create_app(&actor, project.slug.as_str(), &input).await,
        Err(error) => Err(error),
    };
    match made {
        Ok(app) => {
            // Nothing can be fetched by SSH before there is a key.
            let needs_key = matches!(&app.settings.source, Source::Git { url, .. } if url.is_ssh());
            let part = if needs_key { "/source" } else { "" };
            if !needs_key && matches!(app.settings.source, Source::Git { .. }) {
                web.actions.look_at_source(&actor, &app).await?;
            }
            Ok(Redirect::to(&format!("/apps/{}{part}", app.slug)).into_response())
        }
        Err(Error::Invalid(refused)) => {
            let layout = frame.titled("New app").refused();
            let page = NewAppPage::new(&web, layout, &project, form::shown_again(typed), form::errors(refused));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}
