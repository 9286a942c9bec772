//! An app's domains: added, changed, put in order and removed at once, no deployment needed.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use serde::Serialize;
use serde_json::json;
use tower_sessions::Session;

use self::form::DomainForm;
use self::rows::{DomainRow, rows};
use super::Web;
use super::apps::head::{AppHead, Tab};
use super::error::Result;
use super::flash;
use super::forms::FormErrors;
use super::layout::{Frame, Layout};
use super::load::LoadedApp;
use super::signed_in::SignedIn;
use super::typed::Typed;
use crate::actions::domains::{DomainInput, DomainView, Which};
use crate::actions::json::parse_json;
use crate::actions::{Error, FieldError};
use crate::model::access::Right;
use crate::model::app::App;

mod edit;
mod form;
mod rows;

/// The page and its forms.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/apps/{app}/domains", get(show).post(add))
        .route("/apps/{app}/domains/move", post(put_at))
        .route("/apps/{app}/domains/remove", post(remove))
        .merge(edit::router())
}

#[derive(Template, WebTemplate)]
#[template(path = "domains/index.html")]
struct DomainsPage {
    layout: Layout,
    head: AppHead,
    rows: Vec<DomainRow>,
    has_acme: bool,
    form: DomainForm,
    errors: FormErrors,
    /// What the island begins with, as JSON; without it the plain form stays.
    props: Option<String>,
    is_primary: bool,
    hides_deploy: bool,
}

/// What the island begins with.
#[derive(Serialize)]
struct Props<'a> {
    app: &'a str,
    version: i64,
    /// In the app's own order.
    items: &'a [DomainView],
    /// Whether certificates come by themselves.
    has_acme: bool,
    /// Where the app is served while it has no domain.
    default_addresses: Vec<&'a str>,
}

impl DomainsPage {
    async fn new(
        web: &Web,
        frame: Frame,
        (app, right): (&App, Right),
        headers: &HeaderMap,
        form: DomainForm,
        errors: FormErrors,
    ) -> Result<Self> {
        let head = AppHead::load(&web.actions, app, right, Tab::Domains).await?;
        let (version, domains) = web.actions.show_domains(app).await?;
        let layout = frame.titled(format!("Domains of {}", head.name));
        let has_acme = web.actions.config.has_acme();
        let saves_data = headers.get("save-data").is_some_and(|value| value == "on");
        let props = Props {
            app: app.slug.as_str(),
            version,
            items: &domains,
            has_acme,
            default_addresses: head.addresses.iter().map(|address| address.text.as_str()).collect(),
        };
        let props = (head.may_change() && !saves_data).then(|| serde_json::to_string(&props));
        let props = props.transpose().map_err(anyhow::Error::from)?;
        Ok(Self {
            layout: if errors.is_empty() { layout } else { layout.refused() },
            head,
            rows: rows(&web.actions.config, &domains),
            has_acme,
            form,
            errors,
            props,
            is_primary: false,
            hides_deploy: false,
        })
    }
}

async fn show(
    State(web): State<Web>,
    LoadedApp(app, right): LoadedApp,
    frame: Frame,
    headers: HeaderMap,
) -> Result<DomainsPage> {
    let (form, errors) = (DomainForm::blank(), FormErrors::none());
    DomainsPage::new(&web, frame, (&app, right), &headers, form, errors).await
}

async fn add(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, right): LoadedApp,
    frame: Frame,
    headers: HeaderMap,
    session: Session,
    typed: Typed,
) -> Result<Response> {
    let (json, indexes) = DomainForm::to_json(&typed);
    let input: DomainInput = parse_json(json)?;
    let (status, refused) = match web.actions.add_domain(&actor, &app, input).await {
        Ok((domain, _)) => {
            let served = if domain.state.is_unwritten {
                "is stored and will be served as soon as the proxy can be told"
            } else if app.active_release_id.is_some() {
                "is served from now on"
            } else {
                "will be served"
            };
            flash::done(&session, format!("{} {served}.", written(&domain))).await?;
            return Ok(to_list(&app).into_response());
        }
        Err(error) => refusals(error)?,
    };
    let form = DomainForm::of_fields(typed, &[]);
    let errors = DomainForm::errors(refused, &indexes);
    let page = DomainsPage::new(&web, frame, (&app, right), &headers, form, errors).await?;
    Ok((status, page).into_response())
}

async fn remove(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, _): LoadedApp,
    session: Session,
    typed: Typed,
) -> Result<Redirect> {
    let which = which(&typed);
    match web.actions.remove_domain(&actor, &app, &which, None).await {
        Ok(()) => flash::done(&session, format!("{} was removed.", which.host)).await?,
        // Removed already, for example in another tab: what was wanted is so.
        Err(Error::NotFound) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(to_list(&app))
}

async fn put_at(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, _): LoadedApp,
    session: Session,
    typed: Typed,
) -> Result<Redirect> {
    let position = typed.text("position").and_then(|text| text.parse::<i64>().ok());
    let change = json!({ "position": position });
    match web.actions.change_domain(&actor, &app, &which(&typed), change).await {
        // Somebody else removed it meanwhile: the page shows what is there.
        Ok(_) | Err(Error::NotFound) => {}
        Err(Error::Invalid(refused)) => {
            let reasons: Vec<&str> = refused.iter().map(|error| error.message.as_str()).collect();
            flash::warn(&session, format!("It was not moved. {}", reasons.join(" "))).await?;
        }
        Err(error) => return Err(error.into()),
    }
    Ok(to_list(&app))
}

/// The domain that a form is about.
fn which(typed: &Typed) -> Which {
    Which {
        host: typed.value("host").to_owned(),
        path_prefix: typed.text("path_prefix").map(str::to_owned),
    }
}

fn to_list(app: &App) -> Redirect {
    Redirect::to(&format!("/apps/{}/domains", app.slug))
}

fn written(domain: &DomainView) -> String {
    if domain.path_prefix == "/" {
        domain.host.clone()
    } else {
        format!("{}{}", domain.host, domain.path_prefix)
    }
}

/// What a form is to show beside its fields, and with which status; any other error is handed on.
fn refusals(error: Error) -> std::result::Result<(StatusCode, Vec<FieldError>), Error> {
    match error {
        Error::Invalid(refused) => Ok((StatusCode::UNPROCESSABLE_ENTITY, refused)),
        Error::Conflict(message) => Ok((
            StatusCode::CONFLICT,
            vec![FieldError {
                field: "host".to_owned(),
                message,
            }],
        )),
        error => Err(error),
    }
}
