//! An app's variables: a plain form, and over it an island for browsers that run scripts.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Serialize;
use tower_sessions::Session;

use self::form::{EnvForm, EnvRow};
use super::Web;
use super::apps::cost::Costs;
use super::apps::head::{AppHead, Tab};
use super::apps::pending::Pending;
use super::apps::running;
use super::error::Result;
use super::forms::FormErrors;
use super::layout::{Frame, Layout};
use super::load::LoadedApp;
use super::signed_in::SignedIn;
use super::typed::Typed;
use crate::actions::Error;
use crate::actions::env_vars::{EnvInput, EnvVarInput, Owner};
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::env_var::EnvScope;

mod form;

/// The page and its form.
pub fn router() -> Router<Web> {
    Router::new().route("/apps/{app}/env", get(show).post(save))
}

#[derive(Template, WebTemplate)]
#[template(path = "env/show.html")]
struct EnvPage {
    layout: Layout,
    head: AppHead,
    pending: Option<Pending>,
    version: i64,
    rows: Vec<EnvRow>,
    errors: FormErrors,
    /// Somebody else saved while this was typed.
    is_stale: bool,
    /// What the island begins with, as JSON; without it the plain form stays.
    props: Option<String>,
    is_primary: bool,
    hides_deploy: bool,
}

/// What the island begins with: the stored state, also while the form holds something else.
#[derive(Serialize)]
struct Props<'a> {
    app: &'a str,
    /// Whether something is live that changes can be applied to.
    live: bool,
    /// What having them applied costs.
    cost: Costs,
    version: Option<i64>,
    vars: &'a [EnvVarInput],
}

impl EnvPage {
    async fn new(web: &Web, frame: Frame, (app, right): (&App, Right), mut form: EnvForm) -> Result<Self> {
        let head = AppHead::load(&web.actions, app, right, Tab::Variables).await?;
        if !head.may_change() {
            form.rows.retain(|row| !row.is_blank());
        }
        let pending = Pending::load(&web.actions, app, right, head.watch).await?;
        Ok(Self {
            layout: frame.titled(format!("Variables of {}", head.name)),
            head,
            pending,
            version: form.version.unwrap_or_default(),
            rows: form.rows,
            errors: FormErrors::none(),
            is_stale: false,
            props: None,
            is_primary: false,
            hides_deploy: false,
        })
    }

    /// The page with the island, unless the visitor wants to save data.
    async fn with_island(mut self, web: &Web, headers: &HeaderMap, app: &App, stored: &EnvInput) -> Result<Self> {
        if self.head.may_change() && headers.get("save-data").is_none_or(|value| value != "on") {
            let needs_build = self.pending.as_ref().is_some_and(|pending| pending.needs_build);
            let props = Props {
                app: app.slug.as_str(),
                live: self.head.live.is_some(),
                cost: Costs::load(&web.actions, app, needs_build).await?,
                version: stored.version,
                vars: &stored.vars,
            };
            self.props = Some(serde_json::to_string(&props).map_err(anyhow::Error::from)?);
        }
        Ok(self)
    }
}

async fn show(
    State(web): State<Web>,
    LoadedApp(app, right): LoadedApp,
    frame: Frame,
    headers: HeaderMap,
) -> Result<EnvPage> {
    let stored = web.actions.show_env(Owner::App(&app)).await?;
    EnvPage::new(&web, frame, (&app, right), EnvForm::of(&stored))
        .await?
        .with_island(&web, &headers, &app, &stored)
        .await
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
    let stored = web.actions.show_env(Owner::App(&app)).await?;
    let mut form = EnvForm::parse(&typed, &stored);
    if form.wants_row {
        let page = EnvPage::new(&web, frame, (&app, right), form).await?;
        return Ok(page.with_island(&web, &headers, &app, &stored).await?.into_response());
    }
    let (input, indexes) = form.to_input(&stored);
    match web.actions.replace_env(&actor, Owner::App(&app), input).await {
        Ok(_) => {
            let page = format!("/apps/{}/env", app.slug);
            let next = running::saved(&web, &session, &actor, &app, &typed, &page).await?;
            Ok(next.into_response())
        }
        Err(Error::Invalid(refused)) => {
            let mut page = EnvPage::new(&web, frame, (&app, right), form).await?;
            page.errors = EnvForm::errors(refused, &indexes);
            page.layout = page.layout.refused();
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(Error::Conflict(_)) => {
            // Saving once more is then meant: it replaces what the page tells of.
            form.version = stored.version;
            let mut page = EnvPage::new(&web, frame, (&app, right), form).await?;
            page.is_stale = true;
            page.layout = page.layout.refused();
            Ok((StatusCode::CONFLICT, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}
