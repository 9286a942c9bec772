//! Variables of an app and of a project: a plain form as a table or as one text, and over an app's table an island for
//! browsers that run scripts.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use tower_sessions::Session;

use self::form::EnvForm;
use self::page::{EnvPage, Form};
use self::text::TextForm;
use super::Web;
use super::apps::running;
use super::error::Result;
use super::flash;
use super::forms::FormErrors;
use super::layout::Frame;
use super::load::{LoadedApp, LoadedProject};
use super::signed_in::SignedIn;
use super::typed::Typed;
use crate::actions::env_vars::{EnvInput, EnvWarning, Owner};
use crate::actions::{Actions, Error, FieldError};
use crate::model::access::Right;
use crate::model::user::Actor;

mod form;
mod history;
mod page;
mod text;

/// Warnings that the message after saving tells.
const TOLD: usize = 3;

/// The pages and their forms.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/apps/{app}/env", get(show).post(save))
        .route("/projects/{project}/env", get(show_shared).post(save_shared))
}

/// Which page is wanted.
#[derive(Deserialize)]
struct Wanted {
    /// `text`, or nothing for the table.
    #[serde(default, rename = "as")]
    shape: String,
    /// The cursor of the history.
    #[serde(default)]
    changes: String,
}

async fn show(
    State(web): State<Web>,
    LoadedApp(app, right): LoadedApp,
    frame: Frame,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<EnvPage> {
    shown(&web, frame, (Owner::App(&app), right), &headers, &wanted).await
}

async fn show_shared(
    State(web): State<Web>,
    LoadedProject(project, right): LoadedProject,
    frame: Frame,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<EnvPage> {
    shown(&web, frame, (Owner::Project(&project), right), &headers, &wanted).await
}

async fn shown(
    web: &Web,
    frame: Frame,
    (owner, right): (Owner<'_>, Right),
    headers: &HeaderMap,
    wanted: &Wanted,
) -> Result<EnvPage> {
    let stored = web.actions.show_env(owner).await?;
    let form = if wanted.shape == "text" {
        Form::Text(TextForm::of(&stored))
    } else {
        Form::Table(EnvForm::of(&stored))
    };
    let before = wanted.changes.parse().ok();
    let page = EnvPage::load(web, frame, (owner, right), (form, &stored), before).await?;
    page.with_island(headers, owner, &stored)
}

async fn save(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, right): LoadedApp,
    frame: Frame,
    session: Session,
    headers: HeaderMap,
    typed: Typed,
) -> Result<Response> {
    let owner = (Owner::App(&app), right);
    match saved(&web, frame, &actor, owner, &headers, &typed).await? {
        Outcome::Again(page) => Ok(page),
        Outcome::Saved(warnings) => {
            let page = back(&format!("/apps/{}/env", app.slug), &typed);
            let next = running::saved(&web, &session, &actor, &app, &typed, &page).await?;
            warn(&session, &warnings).await?;
            Ok(next.into_response())
        }
    }
}

async fn save_shared(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedProject(project, right): LoadedProject,
    frame: Frame,
    session: Session,
    headers: HeaderMap,
    typed: Typed,
) -> Result<Response> {
    let owner = (Owner::Project(&project), right);
    match saved(&web, frame, &actor, owner, &headers, &typed).await? {
        Outcome::Again(page) => Ok(page),
        Outcome::Saved(warnings) => {
            flash::done(&session, "Saved. Apps have it with their next release.").await?;
            warn(&session, &warnings).await?;
            let page = back(&format!("/projects/{}/env", project.slug), &typed);
            Ok(Redirect::to(&page).into_response())
        }
    }
}

/// The page that the form came from.
fn back(page: &str, typed: &Typed) -> String {
    let query = if typed.get("text").is_some() { "?as=text" } else { "" };
    format!("{page}{query}")
}

/// Says what was saved otherwise than it was probably meant.
async fn warn(session: &Session, warnings: &[EnvWarning]) -> Result<()> {
    if warnings.is_empty() {
        return Ok(());
    }
    let told = warnings.iter().take(TOLD);
    let told: Vec<String> = told
        .map(|warning| format!("Line {}: {}", warning.line, warning.message))
        .collect();
    let more = match warnings.len().saturating_sub(TOLD) {
        0 => String::new(),
        more => format!(" And {more} more such lines."),
    };
    flash::warn(session, format!("Saved. {}{more}", told.join(" "))).await
}

/// What a form led to.
enum Outcome {
    /// The form once more.
    Again(Response),
    /// It is stored; what to look at.
    Saved(Vec<EnvWarning>),
}

async fn saved(
    web: &Web,
    frame: Frame,
    actor: &Actor,
    (owner, right): (Owner<'_>, Right),
    headers: &HeaderMap,
    typed: &Typed,
) -> Result<Outcome> {
    let stored = web.actions.show_env(owner).await?;
    let mut form = Form::parse(typed, &stored);
    if matches!(&form, Form::Table(table) if table.wants_row) {
        let page = EnvPage::load(web, frame, (owner, right), (form, &stored), None).await?;
        return Ok(Outcome::Again(
            page.with_island(headers, owner, &stored)?.into_response(),
        ));
    }
    let (status, errors, is_stale) = match form.save(&web.actions, actor, owner, &stored).await {
        Ok(warnings) => return Ok(Outcome::Saved(warnings)),
        Err(Error::Invalid(refused)) => (StatusCode::UNPROCESSABLE_ENTITY, form.errors(refused, &stored), false),
        Err(Error::Conflict(_)) => {
            // Saving once more is then meant: it replaces what the page tells of.
            form.set_version(stored.version);
            (StatusCode::CONFLICT, FormErrors::none(), true)
        }
        Err(error) => return Err(error.into()),
    };
    let mut page = EnvPage::load(web, frame, (owner, right), (form, &stored), None).await?;
    page.errors = errors;
    page.is_stale = is_stale;
    page.layout = page.layout.refused();
    Ok(Outcome::Again((status, page).into_response()))
}

impl Form {
    fn parse(typed: &Typed, stored: &EnvInput) -> Self {
        let table = EnvForm::parse(typed, stored);
        match TextForm::parse(typed, stored, table.version) {
            Some(text) => Self::Text(text),
            None => Self::Table(table),
        }
    }

    async fn save(
        &self,
        actions: &Actions,
        actor: &Actor,
        owner: Owner<'_>,
        stored: &EnvInput,
    ) -> crate::actions::Result<Vec<EnvWarning>> {
        match self {
            Self::Table(table) => {
                let (input, _) = table.to_input(stored);
                actions.replace_env(actor, owner, input).await?;
                Ok(Vec::new())
            }
            Self::Text(form) => {
                let saved = actions.replace_env_text(actor, owner, &form.text, form.version).await?;
                Ok(saved.warnings)
            }
        }
    }

    fn errors(&self, refused: Vec<FieldError>, stored: &EnvInput) -> FormErrors {
        match self {
            Self::Table(table) => EnvForm::errors(refused, &table.to_input(stored).1),
            Self::Text(_) => TextForm::errors(refused),
        }
    }

    const fn set_version(&mut self, version: Option<i64>) {
        match self {
            Self::Table(table) => table.version = version,
            Self::Text(text) => text.version = version,
        }
    }
}
