//! What came to webhooks and what was decided about it: of an app, one with its payload, of the whole instance.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use axum::routing::{get, post};
use tower_sessions::Session;

use super::Web;
use super::apps::head::{AppHead, Tab};
use super::deployments::Cursor;
use super::error::Result;
use super::flash;
use super::layout::{Frame, Layout};
use super::load::LoadedApp;
use super::moment::Moment;
use super::signed_in::SignedIn;
use super::status::StatusWord;
use crate::actions::Error;
use crate::db::{self, Page};
use crate::model::delivery::{Delivery, Forge, Signature};
use crate::model::ids::DeliveryId;

/// Deliveries on one page.
const LISTED: u32 = 50;

/// The pages.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/admin/deliveries", get(all))
        .route("/apps/{app}/deliveries", get(list))
        .route("/apps/{app}/deliveries/{id}", get(show))
        .route("/apps/{app}/deliveries/{id}/replay", post(replay))
}

/// One row.
#[derive(Debug)]
pub struct DeliveryRow {
    pub id: i64,
    pub app: String,
    pub received: Moment,
    /// Forge and event.
    pub what: String,
    /// The branch or tag.
    pub branch: String,
    pub status: StatusWord,
    /// The decision in one sentence.
    pub reason: String,
    /// Number of the deployment that it led to.
    pub deployment: Option<i64>,
}

impl From<Delivery> for DeliveryRow {
    fn from(delivery: Delivery) -> Self {
        let forge = delivery.forge.map_or("Unknown sender", Forge::name);
        let branch = delivery.push.as_ref().map(|push| short_ref(&push.git_ref).to_owned());
        Self {
            id: delivery.id.0,
            received: Moment::of(delivery.received_at),
            what: if delivery.event.is_empty() {
                forge.to_owned()
            } else {
                format!("{forge}: {}", delivery.event)
            },
            branch: branch.unwrap_or_default(),
            status: StatusWord::of_delivery(&delivery),
            reason: reason(&delivery),
            deployment: delivery.deployment.map(|deployment| deployment.number),
            app: delivery.app,
        }
    }
}

fn short_ref(git_ref: &str) -> &str {
    let short = git_ref.strip_prefix("refs/heads/");
    short.or(git_ref.strip_prefix("refs/")).unwrap_or(git_ref)
}

fn reason(delivery: &Delivery) -> String {
    match &delivery.verdict {
        Some(verdict) => verdict.reason.clone(),
        None => "Waits: the repository is asked which files changed, once the app is not at work otherwise.".to_owned(),
    }
}

/// A page of rows that were asked for with one more than is shown.
struct Listed {
    rows: Vec<DeliveryRow>,
    /// The cursor of the next page.
    older: Option<i64>,
}

impl Listed {
    fn of(mut found: Vec<Delivery>) -> Self {
        let has_more = found.len() > LISTED as usize;
        found.truncate(LISTED as usize);
        Self {
            older: found.last().filter(|_| has_more).map(|last| last.id.0),
            rows: found.into_iter().map(DeliveryRow::from).collect(),
        }
    }
}

fn asked(cursor: &Cursor) -> Page {
    Page {
        limit: LISTED + 1,
        before: cursor.before(),
    }
}

#[derive(Template, WebTemplate)]
#[template(path = "deliveries/index.html")]
struct DeliveriesPage {
    layout: Layout,
    head: AppHead,
    rows: Vec<DeliveryRow>,
    shows_app: bool,
    older: Option<i64>,
    is_first: bool,
    is_primary: bool,
    hides_deploy: bool,
}

async fn list(
    State(web): State<Web>,
    LoadedApp(app, right): LoadedApp,
    frame: Frame,
    Query(cursor): Query<Cursor>,
) -> Result<DeliveriesPage> {
    let head = AppHead::load(&web.actions, &app, right, Tab::Webhook).await?;
    let page = asked(&cursor);
    let found = web
        .actions
        .db
        .read(move |c| db::deliveries::list_of_app(c, app.id, page))
        .await?;
    let Listed { rows, older } = Listed::of(found);
    Ok(DeliveriesPage {
        layout: frame.titled(format!("Deliveries of {}", head.name)),
        rows,
        shows_app: false,
        older,
        is_first: page.before.is_none(),
        is_primary: false,
        hides_deploy: false,
        head,
    })
}

#[derive(Template, WebTemplate)]
#[template(path = "admin/deliveries.html")]
struct AllPage {
    layout: Layout,
    rows: Vec<DeliveryRow>,
    shows_app: bool,
    older: Option<i64>,
}

async fn all(
    State(web): State<Web>,
    frame: Frame,
    signed_in: SignedIn,
    Query(cursor): Query<Cursor>,
) -> Result<AllPage> {
    let found = web.actions.list_deliveries(&signed_in.actor, asked(&cursor)).await?;
    let Listed { rows, older } = Listed::of(found);
    Ok(AllPage {
        layout: frame.titled("Deliveries"),
        rows,
        shows_app: true,
        older,
    })
}

#[derive(Template, WebTemplate)]
#[template(path = "deliveries/show.html")]
struct DeliveryPage {
    layout: Layout,
    head: AppHead,
    row: DeliveryRow,
    signature: &'static str,
    rule: String,
    commit: Option<String>,
    message: String,
    author: String,
    replay_of: Option<i64>,
    may_replay: bool,
    payload: String,
    is_primary: bool,
    hides_deploy: bool,
}

async fn show(
    State(web): State<Web>,
    LoadedApp(app, right): LoadedApp,
    frame: Frame,
    Path((_, id)): Path<(String, String)>,
) -> Result<DeliveryPage> {
    let (delivery, payload) = web.actions.find_delivery(&app, parse_id(&id)?).await?;
    let head = AppHead::load(&web.actions, &app, right, Tab::Webhook).await?;
    let push = delivery.push.clone().unwrap_or_default();
    Ok(DeliveryPage {
        layout: frame.titled(format!("Delivery {id} of {}", head.name)),
        signature: match delivery.signature {
            Signature::Valid => "right",
            Signature::Wrong => "wrong: signed with another secret",
            Signature::Missing => "missing",
        },
        rule: delivery
            .verdict
            .as_ref()
            .map(|verdict| verdict.rule.clone())
            .unwrap_or_default(),
        commit: push.after.map(|commit| commit.short().to_owned()),
        message: push.message,
        author: push.author,
        replay_of: delivery.replay_of.map(|id| id.0),
        may_replay: head.may_deploy() && delivery.signature == Signature::Valid,
        payload: laid_out(payload),
        is_primary: false,
        hides_deploy: true,
        row: DeliveryRow::from(delivery),
        head,
    })
}

/// JSON with a line for each field, where all of it is there.
fn laid_out(payload: String) -> String {
    let json: Option<serde_json::Value> = serde_json::from_str(&payload).ok();
    json.and_then(|json| serde_json::to_string_pretty(&json).ok())
        .unwrap_or(payload)
}

fn parse_id(text: &str) -> Result<DeliveryId> {
    Ok(text.parse().map(DeliveryId).map_err(|_| Error::NotFound)?)
}

async fn replay(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    LoadedApp(app, _): LoadedApp,
    Path((_, id)): Path<(String, String)>,
    session: Session,
) -> Result<Redirect> {
    let id = match web
        .actions
        .replay_delivery(&actor, app.slug.as_str(), parse_id(&id)?)
        .await
    {
        Ok(replayed) => replayed.id.to_string(),
        Err(Error::Conflict(sentence)) => {
            flash::warn(&session, sentence).await?;
            id
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Redirect::to(&format!("/apps/{}/deliveries/{id}", app.slug)))
}
