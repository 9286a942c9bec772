//! An app's domains: added and removed at once, no deployment needed.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use tower_sessions::Session;

use super::Web;
use super::apps::head::{Address, AppHead, Tab};
use super::error::Result;
use super::flash;
use super::forms::FormErrors;
use super::layout::{Frame, Layout};
use super::load::LoadedApp;
use super::signed_in::SignedIn;
use super::typed::Typed;
use crate::actions::domains::DomainInput;
use crate::actions::{Actions, Error, FieldError};
use crate::db;
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::domain::{Domain, Tls};
use crate::model::host::Host;
use crate::model::route::AppRoutes;

/// The words that label each field.
const LABELS: &[(&str, &str)] = &[
    ("host", "Host"),
    ("path_prefix", "Path"),
    ("tls", "HTTPS"),
    ("redirect_to", "Redirect to"),
];

/// The page and its forms.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/apps/{app}/domains", get(show).post(add))
        .route("/apps/{app}/domains/remove", post(remove))
}

#[derive(Template, WebTemplate)]
#[template(path = "domains/index.html")]
struct DomainsPage {
    layout: Layout,
    head: AppHead,
    rows: Vec<DomainRow>,
    has_redirects: bool,
    has_acme: bool,
    form: Typed,
    errors: FormErrors,
    is_primary: bool,
    hides_deploy: bool,
}

/// One domain.
struct DomainRow {
    address: Address,
    host: String,
    path_prefix: String,
    https: &'static str,
    redirect_to: Option<String>,
}

impl DomainsPage {
    async fn new(
        web: &Web,
        frame: Frame,
        (app, right): (&App, Right),
        form: Typed,
        errors: FormErrors,
    ) -> Result<Self> {
        let head = AppHead::load(&web.actions, app, right, Tab::Domains).await?;
        let id = app.id;
        let domains = web.actions.db.read(move |c| db::domains::list_of_app(c, id)).await?;
        let layout = frame.titled(format!("Domains of {}", head.name));
        Ok(Self {
            layout: if errors.is_empty() { layout } else { layout.refused() },
            head,
            rows: rows(&web.actions, app, &domains),
            has_redirects: domains.iter().any(|domain| domain.redirect_to.is_some()),
            has_acme: web.actions.config.has_acme(),
            form,
            errors,
            is_primary: false,
            hides_deploy: false,
        })
    }
}

fn rows(actions: &Actions, app: &App, domains: &[Domain]) -> Vec<DomainRow> {
    let config = &actions.config;
    let routes = AppRoutes::derive(app.slug.as_str(), domains, None, config.has_acme()).routes;
    let row = |(domain, route): (&Domain, crate::model::route::Route)| DomainRow {
        address: Address::of(&route.address(config.http_port, config.https_port)),
        host: domain.host.to_string(),
        path_prefix: domain.path_prefix.as_str().to_owned(),
        https: if route.has_tls { "automatic" } else { "plain http" },
        redirect_to: domain.redirect_to.as_ref().map(Host::to_string),
    };
    domains.iter().zip(routes).map(row).collect()
}

async fn show(State(web): State<Web>, LoadedApp(app, right): LoadedApp, frame: Frame) -> Result<DomainsPage> {
    let mut form = Typed::default();
    form.set("path_prefix", "/");
    DomainsPage::new(&web, frame, (&app, right), form, FormErrors::none()).await
}

async fn add(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, right): LoadedApp,
    frame: Frame,
    session: Session,
    typed: Typed,
) -> Result<Response> {
    let input = DomainInput {
        host: typed.value("host").to_owned(),
        path_prefix: typed.value("path_prefix").to_owned(),
        tls: typed.text("tls").unwrap_or(Tls::Auto.as_str()).to_owned(),
        redirect_to: typed.text("redirect_to").map(str::to_owned),
    };
    let (status, refused) = match web.actions.add_domain(&actor, &app, &input).await {
        Ok(domain) => {
            let served = if app.active_release_id.is_some() {
                "is served from now on"
            } else {
                "will be served"
            };
            flash::done(&session, format!("{} {served}.", domain.host)).await?;
            return Ok(Redirect::to(&format!("/apps/{}/domains", app.slug)).into_response());
        }
        Err(Error::Invalid(refused)) => (StatusCode::UNPROCESSABLE_ENTITY, refused),
        Err(Error::Conflict(message)) => (
            StatusCode::CONFLICT,
            vec![FieldError {
                field: "host".to_owned(),
                message,
            }],
        ),
        Err(error) => return Err(error.into()),
    };
    let page = DomainsPage::new(&web, frame, (&app, right), typed, FormErrors::new(refused, LABELS)).await?;
    Ok((status, page).into_response())
}

async fn remove(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, _): LoadedApp,
    session: Session,
    typed: Typed,
) -> Result<Redirect> {
    let host = typed.value("host");
    match web
        .actions
        .remove_domain(&actor, &app, host, typed.text("path_prefix"))
        .await
    {
        Ok(()) => flash::done(&session, format!("{host} was removed.")).await?,
        // Removed already, for example in another tab: what was wanted is so.
        Err(Error::NotFound) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(Redirect::to(&format!("/apps/{}/domains", app.slug)))
}
