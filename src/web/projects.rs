//! Projects: make one, see its apps, rename it, delete it.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum_extra::extract::Form;
use serde::Deserialize;
use tower_sessions::Session;

pub mod table;

use super::Web;
use super::error::Result;
use super::flash;
use super::forms::FormErrors;
use super::layout::{Frame, Layout};
use super::load::LoadedProject;
use super::signed_in::SignedIn;
use crate::actions::projects::ProjectInput;
use crate::actions::{Error, FieldError};
use crate::model::access::Right;
use crate::model::app::Project;
use table::{AppFacts, AppRow};

const LABELS: &[(&str, &str)] = &[("name", "Name"), ("confirm", "Confirmation")];

/// The pages.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/projects", get(|| async { Redirect::to("/") }).post(create))
        .route("/projects/new", get(new))
        .route("/projects/{project}", get(show).post(rename))
        .route("/projects/{project}/delete", post(delete))
}

#[derive(Deserialize)]
struct NameForm {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct DeleteForm {
    #[serde(default)]
    confirm: String,
}

#[derive(Template, WebTemplate)]
#[template(path = "projects/new.html")]
struct NewProjectPage {
    layout: Layout,
    name: String,
    errors: FormErrors,
}

async fn new(frame: Frame, signed_in: SignedIn) -> Result<NewProjectPage> {
    if !signed_in.actor.may_administer() {
        return Err(Error::Forbidden.into());
    }
    let layout = frame.titled("New project");
    Ok(NewProjectPage {
        layout,
        name: String::new(),
        errors: FormErrors::none(),
    })
}

async fn create(
    State(web): State<Web>,
    frame: Frame,
    signed_in: SignedIn,
    session: Session,
    Form(form): Form<NameForm>,
) -> Result<Response> {
    let input = ProjectInput { name: form.name };
    match web.actions.create_project(&signed_in.actor, &input).await {
        Ok(project) => {
            flash::done(&session, format!("{} was made. Add its first app.", project.name)).await?;
            Ok(Redirect::to(&format!("/projects/{}", project.slug)).into_response())
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, LABELS)?;
            let layout = frame.titled("New project").refused();
            let page = NewProjectPage {
                layout,
                name: input.name,
                errors,
            };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

#[derive(Template, WebTemplate)]
#[template(path = "projects/show.html")]
struct ProjectPage {
    layout: Layout,
    slug: String,
    name: String,
    right: Right,
    /// In the form: as stored, or as typed and refused.
    typed_name: String,
    rows: Vec<AppRow>,
    errors: FormErrors,
}

impl ProjectPage {
    async fn load(web: &Web, frame: Frame, (project, right): (&Project, Right)) -> Result<Self> {
        let id = project.id;
        let facts = web.actions.db.read(move |c| AppFacts::of_project(c, id)).await?;
        Ok(Self {
            layout: frame.titled(project.name.as_str()),
            slug: project.slug.to_string(),
            name: project.name.to_string(),
            right,
            typed_name: project.name.to_string(),
            rows: facts
                .iter()
                .map(|facts| AppRow::of(facts, &web.actions.config))
                .collect(),
            errors: FormErrors::none(),
        })
    }

    fn refused(mut self, errors: FormErrors) -> Response {
        self.layout = self.layout.refused();
        self.errors = errors;
        (StatusCode::UNPROCESSABLE_ENTITY, self).into_response()
    }

    fn may_change(&self) -> bool {
        self.right >= Right::Change
    }

    fn may_administer(&self) -> bool {
        self.right >= Right::Administer
    }

    fn apps_in_words(&self) -> String {
        match self.rows.len() {
            1 => "an app".to_owned(),
            count => format!("{count} apps"),
        }
    }
}

async fn show(
    State(web): State<Web>,
    frame: Frame,
    LoadedProject(project, right): LoadedProject,
) -> Result<ProjectPage> {
    ProjectPage::load(&web, frame, (&project, right)).await
}

async fn rename(
    State(web): State<Web>,
    frame: Frame,
    signed_in: SignedIn,
    session: Session,
    LoadedProject(project, right): LoadedProject,
    Form(form): Form<NameForm>,
) -> Result<Response> {
    let input = ProjectInput { name: form.name };
    match web
        .actions
        .rename_project(&signed_in.actor, project.slug.as_str(), &input)
        .await
    {
        Ok(renamed) => {
            flash::done(&session, format!("{} is now called {}.", project.name, renamed.name)).await?;
            Ok(Redirect::to(&format!("/projects/{}", project.slug)).into_response())
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, LABELS)?;
            let page = ProjectPage {
                typed_name: input.name,
                ..ProjectPage::load(&web, frame, (&project, right)).await?
            };
            Ok(page.refused(errors))
        }
    }
}

async fn delete(
    State(web): State<Web>,
    frame: Frame,
    signed_in: SignedIn,
    session: Session,
    LoadedProject(project, right): LoadedProject,
    Form(form): Form<DeleteForm>,
) -> Result<Response> {
    if right < Right::Administer {
        return Err(Error::Forbidden.into());
    }
    let page = ProjectPage::load(&web, frame, (&project, right)).await?;
    // With apps in it there is no such form: the action refuses and says why.
    if page.rows.is_empty() && form.confirm.trim() != project.slug.as_str() {
        let message = format!("Type {} to confirm; nothing was deleted.", project.slug);
        let error = FieldError {
            field: "confirm".to_owned(),
            message,
        };
        return Ok(page.refused(FormErrors::new(vec![error], LABELS)));
    }
    web.actions
        .delete_project(&signed_in.actor, project.slug.as_str())
        .await?;
    flash::done(&session, format!("{} was deleted.", project.name)).await?;
    Ok(Redirect::to("/").into_response())
}
