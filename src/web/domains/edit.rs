//! The page on which one domain is changed.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Deserialize;
use tower_sessions::Session;

use super::form::{DomainForm, stored_users};
use super::{refusals, rows, to_list, written};
use crate::actions::Error;
use crate::actions::domains::{DomainView, Which};
use crate::model::access::Right;
use crate::model::app::App;
use crate::web::Web;
use crate::web::apps::head::{AppHead, Tab};
use crate::web::error::Result;
use crate::web::flash;
use crate::web::forms::FormErrors;
use crate::web::layout::{Frame, Layout};
use crate::web::load::LoadedApp;
use crate::web::signed_in::SignedIn;
use crate::web::typed::Typed;

/// The page and its form.
pub fn router() -> Router<Web> {
    Router::new().route("/apps/{app}/domains/edit", get(show).post(save))
}

#[derive(Template, WebTemplate)]
#[template(path = "domains/edit.html")]
struct EditPage {
    layout: Layout,
    head: AppHead,
    written: String,
    query: String,
    has_acme: bool,
    form: DomainForm,
    errors: FormErrors,
    /// Somebody else saved while this was typed.
    is_stale: bool,
    is_primary: bool,
    hides_deploy: bool,
}

/// Which domain the address of the page names.
#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    host: String,
    #[serde(default)]
    path_prefix: Option<String>,
}

impl EditPage {
    async fn new(
        web: &Web,
        frame: Frame,
        (app, right): (&App, Right),
        domain: &DomainView,
        form: DomainForm,
        errors: FormErrors,
    ) -> Result<Self> {
        let head = AppHead::load(&web.actions, app, right, Tab::Domains).await?;
        let layout = frame.titled(format!("{} of {}", written(domain), head.name));
        Ok(Self {
            layout: if errors.is_empty() { layout } else { layout.refused() },
            head,
            written: written(domain),
            query: rows::query(&domain.host, &domain.path_prefix),
            has_acme: web.actions.config.has_acme(),
            form,
            errors,
            is_stale: false,
            is_primary: false,
            hides_deploy: false,
        })
    }
}

async fn show(
    State(web): State<Web>,
    LoadedApp(app, right): LoadedApp,
    Query(named): Query<Named>,
    frame: Frame,
) -> Result<EditPage> {
    let (version, domain) = find(&web, &app, &named).await?;
    let form = DomainForm::of(&domain, version);
    EditPage::new(&web, frame, (&app, right), &domain, form, FormErrors::none()).await
}

async fn save(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, right): LoadedApp,
    Query(named): Query<Named>,
    frame: Frame,
    session: Session,
    mut typed: Typed,
) -> Result<Response> {
    let (json, indexes) = DomainForm::to_json(&typed);
    let which = Which {
        host: named.host.clone(),
        path_prefix: named.path_prefix.clone(),
    };
    let error = match web.actions.change_domain(&actor, &app, &which, json).await {
        Ok((domain, _)) => {
            flash::done(&session, format!("{} was saved.", written(&domain))).await?;
            return Ok(to_list(&app).into_response());
        }
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => error,
        Err(error) => return Err(error.into()),
    };
    let (version, domain) = find(&web, &app, &named).await?;
    let is_stale = matches!(error, Error::Conflict(_)) && typed.value("version") != version.to_string();
    let (status, errors) = if is_stale {
        // Saving once more is then meant: it replaces what the page tells of.
        typed.set("version", version.to_string());
        (StatusCode::CONFLICT, FormErrors::none())
    } else {
        let (status, refused) = refusals(error)?;
        (status, DomainForm::errors(refused, &indexes))
    };
    let form = DomainForm::of_fields(typed, &stored_users(&domain));
    let mut page = EditPage::new(&web, frame, (&app, right), &domain, form, errors).await?;
    page.is_stale = is_stale;
    Ok((status, page).into_response())
}

/// The domain that the page's address names, and the list's version.
async fn find(web: &Web, app: &App, named: &Named) -> Result<(i64, DomainView)> {
    let (version, domains) = web.actions.show_domains(app).await?;
    let path = named.path_prefix.as_deref().unwrap_or("/");
    let found = domains
        .into_iter()
        .find(|domain| domain.host == named.host && domain.path_prefix == path);
    Ok((version, found.ok_or(Error::NotFound)?))
}
