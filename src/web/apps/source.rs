//! Where an app's code comes from: the token or key that opens the repository, the server's key, and whether it can be
//! reached, with branches to choose from; the same for the registry of a ready image.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tower_sessions::Session;

use super::head::{AppHead, Tab};
use crate::actions::source::{CredentialInput, CredentialView, Reached};
use crate::actions::{Error, FieldError};
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::slug::AppSlug;
use crate::model::source::{Branch, Source};
use crate::web::Web;
use crate::web::error::Result;
use crate::web::flash;
use crate::web::forms::FormErrors;
use crate::web::layout::{Frame, Layout};
use crate::web::load::LoadedApp;
use crate::web::moment::Moment;
use crate::web::signed_in::SignedIn;
use crate::web::typed::Typed;

/// In the session's data: what the last check found, for the page that it leads to.
const CHECKED: &str = "checked_source";
/// Branches that are offered; the others can be typed in the settings.
const OFFERED: usize = 200;

/// The words that label each field.
const LABELS: &[(&str, &str)] = &[
    ("token", "Token"),
    ("username", "User name"),
    ("private_key", "Private key"),
    ("kind", "Credential"),
    ("branch", "Branch"),
];

/// The same for a registry, whose token is called a password.
const LABELS_OF_REGISTRY: &[(&str, &str)] = &[("token", "Password"), ("username", "User name"), ("kind", "Credential")];

fn labels(app: &App) -> &'static [(&'static str, &'static str)] {
    match app.settings.source {
        Source::Image { .. } => LABELS_OF_REGISTRY,
        Source::Git { .. } | Source::Push { .. } => LABELS,
    }
}

/// The page and its forms.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/apps/{app}/source", get(show))
        .route("/apps/{app}/source/credential", post(replace))
        .route("/apps/{app}/source/credential/remove", post(remove))
        .route("/apps/{app}/source/check", post(check))
        .route("/apps/{app}/source/branch", post(choose))
        .route("/admin/host-keys/remove", post(remove_host_key))
}

#[derive(Template, WebTemplate)]
#[template(path = "apps/source.html")]
struct SourcePage {
    layout: Layout,
    head: AppHead,
    /// `None` for an app that is not fetched.
    git: Option<GitView>,
    /// `None` for an app that is built.
    image: Option<ImageView>,
    credential: CredentialView,
    since: Option<Moment>,
    host_key: Option<HostKeyView>,
    checked: Option<Checked>,
    may_administer: bool,
    form: Typed,
    errors: FormErrors,
    is_primary: bool,
    hides_deploy: bool,
}

struct GitView {
    url: String,
    authority: String,
    branch: String,
    is_ssh: bool,
}

struct ImageView {
    name: String,
    registry: String,
}

struct HostKeyView {
    host: String,
    port: u16,
    fingerprint: String,
    since: Moment,
}

/// What a check found.
#[derive(Serialize, Deserialize)]
struct Checked {
    app: i64,
    /// Why the repository cannot be reached.
    refusal: Option<String>,
    default: Option<String>,
    branches: Vec<String>,
    /// How many there are besides.
    more: usize,
    /// What the image's name stands for.
    image: Option<String>,
    /// The platforms that the image is for, where this server's is not among them.
    other_platforms: Vec<String>,
}

impl SourcePage {
    async fn new(
        web: &Web,
        (frame, signed_in): (Frame, &SignedIn),
        (app, right): (&App, Right),
        (form, errors): (Typed, FormErrors),
        checked: Option<Checked>,
    ) -> Result<Self> {
        let head = AppHead::load(&web.actions, app, right, Tab::Settings).await?;
        let credential = web.actions.show_credential(app, right).await?;
        let host_key = web.actions.find_host_key(app).await?;
        let layout = frame.titled(format!("Source of {}", head.name));
        let git = match &app.settings.source {
            Source::Git { url, branch, .. } => Some(GitView {
                url: url.shown(credential.origin.is_some()),
                authority: url.authority(),
                branch: branch.as_ref().map_or("", Branch::as_str).to_owned(),
                is_ssh: url.is_ssh(),
            }),
            Source::Push { .. } | Source::Image { .. } => None,
        };
        let image = match &app.settings.source {
            Source::Image { image } => Some(ImageView {
                name: image.to_string(),
                registry: image.registry_name().to_owned(),
            }),
            Source::Git { .. } | Source::Push { .. } => None,
        };
        Ok(Self {
            layout: if errors.is_empty() { layout } else { layout.refused() },
            head,
            git,
            image,
            since: credential.created_at.map(Moment::of),
            credential,
            host_key: host_key.map(|key| HostKeyView {
                host: key.host,
                port: key.port,
                fingerprint: key.fingerprint,
                since: Moment::of(key.first_seen_at),
            }),
            checked,
            may_administer: signed_in.actor.may_administer(),
            form,
            errors,
            is_primary: false,
            hides_deploy: false,
        })
    }
}

fn page_of(app: &App) -> Redirect {
    Redirect::to(&format!("/apps/{}/source", app.slug))
}

async fn show(
    State(web): State<Web>,
    signed_in: SignedIn,
    LoadedApp(app, right): LoadedApp,
    frame: Frame,
    session: Session,
) -> Result<SourcePage> {
    let kept: Option<Checked> = session.get(CHECKED).await.map_err(anyhow::Error::from)?;
    if kept.is_some() {
        session.remove_value(CHECKED).await.map_err(anyhow::Error::from)?;
    }
    let checked = kept.filter(|checked| checked.app == app.id.0);
    let empty = (Typed::default(), FormErrors::none());
    SourcePage::new(&web, (frame, &signed_in), (&app, right), empty, checked).await
}

async fn replace(
    State(web): State<Web>,
    signed_in: SignedIn,
    LoadedApp(app, right): LoadedApp,
    frame: Frame,
    session: Session,
    typed: Typed,
) -> Result<Response> {
    let owned = |name: &str| typed.get(name).map(str::to_owned);
    let input = CredentialInput {
        kind: typed.value("kind").to_owned(),
        username: owned("username"),
        token: owned("token"),
        private_key: owned("private_key"),
    };
    let is_given = input.private_key.is_some();
    match web.actions.replace_credential(&signed_in.actor, &app, input).await {
        Ok(credential) => {
            let sentence = match credential.fingerprint {
                Some(_) if is_given => "The key is stored. Check the access next.",
                Some(_) => "A key was made. Add its public half to the repository, then check the access.",
                None if matches!(app.settings.source, Source::Image { .. }) => {
                    "The password is stored. Check the access next."
                }
                None => "The token is stored. Check the access next.",
            };
            flash::done(&session, sentence).await?;
            Ok(page_of(&app).into_response())
        }
        Err(Error::Invalid(refused)) => {
            // Nothing secret is shown again; the user name may be.
            let mut form = Typed::default();
            form.set("username", typed.value("username"));
            let errors = FormErrors::new(refused, labels(&app));
            let page = SourcePage::new(&web, (frame, &signed_in), (&app, right), (form, errors), None).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn remove(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, _): LoadedApp,
    session: Session,
) -> Result<Redirect> {
    web.actions.remove_credential(&actor, &app).await?;
    flash::done(
        &session,
        "The credential was removed. Take it back where it was made, too.",
    )
    .await?;
    Ok(page_of(&app))
}

async fn check(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, _): LoadedApp,
    session: Session,
) -> Result<Redirect> {
    let mut checked = Checked {
        app: app.id.0,
        refusal: None,
        default: None,
        branches: Vec::new(),
        more: 0,
        image: None,
        other_platforms: Vec::new(),
    };
    match web.actions.check_access(&actor, &app).await {
        Ok(Reached::Image(resolved)) => {
            checked.image = Some(resolved.reference);
            checked.other_platforms = resolved.other_platforms;
        }
        Ok(Reached::Repository(mut branches)) => {
            checked.more = branches.names.len().saturating_sub(OFFERED);
            branches.names.truncate(OFFERED);
            checked.default = branches.default;
            checked.branches = branches.names;
        }
        Err(Error::Invalid(refused)) => checked.refusal = refused.into_iter().next().map(|error| error.message),
        Err(Error::Conflict(sentence) | Error::Unavailable(sentence)) => checked.refusal = Some(sentence),
        Err(error) => return Err(error.into()),
    }
    session.insert(CHECKED, checked).await.map_err(anyhow::Error::from)?;
    Ok(page_of(&app))
}

async fn choose(
    State(web): State<Web>,
    signed_in: SignedIn,
    LoadedApp(app, right): LoadedApp,
    frame: Frame,
    session: Session,
    typed: Typed,
) -> Result<Response> {
    let changes = json!({ "source": { "branch": typed.value("branch") } });
    match web
        .actions
        .change_app(&signed_in.actor, app.slug.as_str(), changes)
        .await
    {
        Ok(app) => {
            let sentence = format!("{} is deployed from now on.", typed.value("branch"));
            flash::done(&session, sentence).await?;
            Ok(page_of(&app).into_response())
        }
        Err(Error::Invalid(refused)) => {
            let refused = refused.into_iter().map(|error| FieldError {
                field: error.field.trim_start_matches("source.").to_owned(),
                ..error
            });
            let errors = FormErrors::new(refused.collect(), LABELS);
            let form = (Typed::default(), errors);
            let page = SourcePage::new(&web, (frame, &signed_in), (&app, right), form, None).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// Keys of servers belong to the instance; the form also says from which app's page it came.
async fn remove_host_key(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    session: Session,
    typed: Typed,
) -> Result<Redirect> {
    let host = typed.value("host");
    let port = typed.value("port").parse().unwrap_or_default();
    let fingerprint = typed.value("fingerprint");
    web.actions.remove_host_key(&actor, host, port, fingerprint).await?;
    let sentence = format!("The key of {host} was removed; the one that it shows next is taken.");
    flash::done(&session, sentence).await?;
    let page = AppSlug::parse(typed.value("app")).map(|app| format!("/apps/{app}/source"));
    Ok(Redirect::to(page.as_deref().unwrap_or("/")))
}
