//! How to tell a forge of an app: where it sends pushes to, the secret that it signs with, what to enter where.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::response::Redirect;
use axum::routing::{get, post};
use tower_sessions::Session;

use super::Web;
use super::apps::head::{AppHead, Tab};
use super::deliveries::DeliveryRow;
use super::error::Result;
use super::flash;
use super::layout::{Frame, Layout};
use super::load::LoadedApp;
use super::moment::Moment;
use super::signed_in::SignedIn;
use crate::db::{self, Page};
use crate::model::access::Right;
use crate::model::source::{Branch, Source, WatchPath};

/// Deliveries that are shown here; the others have a page of their own.
const NEWEST: u32 = 5;

/// The page.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/apps/{app}/webhook", get(show))
        .route("/apps/{app}/webhook/rotate", post(rotate))
}

#[derive(Template, WebTemplate)]
#[template(path = "webhook/show.html")]
struct WebhookPage {
    layout: Layout,
    head: AppHead,
    url: String,
    /// Whether only this machine reaches the address.
    is_local: bool,
    secret: Option<String>,
    rotated: Option<Moment>,
    rows: Vec<DeliveryRow>,
    shows_app: bool,
    is_git: bool,
    is_image: bool,
    is_automatic: bool,
    branch: Option<String>,
    watch_paths: Vec<String>,
    may_rotate: bool,
    is_primary: bool,
    hides_deploy: bool,
}

async fn show(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, right): LoadedApp,
    frame: Frame,
) -> Result<WebhookPage> {
    let head = AppHead::load(&web.actions, &app, right, Tab::Webhook).await?;
    let webhook = web.actions.webhook(&actor, &app).await?;
    let id = app.id;
    let newest = web
        .actions
        .db
        .read(move |c| db::deliveries::list_of_app(c, id, Page::first(NEWEST)))
        .await?;
    let (branch, watch_paths) = match &app.settings.source {
        Source::Git {
            branch, watch_paths, ..
        } => (branch.as_ref().map(Branch::to_string), watch_paths.as_slice()),
        Source::Push { .. } | Source::Image { .. } => (None, [].as_slice()),
    };
    Ok(WebhookPage {
        layout: frame.titled(format!("Webhook of {}", head.name)),
        url: webhook.url,
        is_local: web.actions.config.listen.ip().is_loopback(),
        secret: webhook.secret,
        rotated: webhook.rotated_at.map(Moment::of),
        rows: newest.into_iter().map(DeliveryRow::from).collect(),
        shows_app: false,
        is_image: matches!(app.settings.source, Source::Image { .. }),
        is_git: matches!(app.settings.source, Source::Git { .. }),
        is_automatic: app.settings.auto_deploy,
        branch,
        watch_paths: watch_paths.iter().map(WatchPath::to_string).collect(),
        may_rotate: right >= Right::Administer,
        is_primary: false,
        hides_deploy: false,
        head,
    })
}

async fn rotate(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, _): LoadedApp,
    session: Session,
) -> Result<Redirect> {
    web.actions.rotate_webhook(&actor, app.slug.as_str()).await?;
    flash::done(&session, "The secret was rotated. Enter the new one at the forge.").await?;
    Ok(Redirect::to(&format!("/apps/{}/webhook", app.slug)))
}
