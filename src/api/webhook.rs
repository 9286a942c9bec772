//! `/apps/{app}/webhook` and `/apps/{app}/deliveries`.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{Caller, Writer};
use super::list::{Items, Paging, PagingQuery, with_one_more};
use super::{Api, Problem};
use crate::db::{self, Page};
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::delivery::{Decision, Delivery, Forge, Signature};
use crate::model::ids::DeliveryId;
use crate::model::source::CommitSha;
use crate::model::time::Timestamp;

/// Deliveries that are shown with the webhook; the others are in their own list.
const NEWEST: u32 = 20;

/// The calls.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(show))
        .routes(routes!(rotate))
        .routes(routes!(list))
        .routes(routes!(delivery))
        .routes(routes!(replay))
}

/// How a forge reaches an app.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WebhookView {
    /// What the forge sends to.
    url: String,
    /// What it signs with; null for all but admins of the project with a token of scope admin.
    secret: Option<String>,
    /// When the secret was last exchanged.
    #[schema(value_type = Option<String>, format = DateTime)]
    rotated_at: Option<Timestamp>,
    /// What came lately, newest first.
    deliveries: Vec<DeliveryView>,
}

/// What came to a webhook, and what was decided about it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DeliveryView {
    id: i64,
    app: String,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// `github`, `gitlab`, `gitea` or `bitbucket`; null for what none of them sent.
    #[schema(value_type = Option<String>)]
    forge: Option<Forge>,
    /// In the forge's own words.
    event: String,
    /// Such as `refs/heads/main`.
    r#ref: Option<String>,
    commit: Option<String>,
    /// `valid`, `wrong` or `missing`.
    #[schema(value_type = String)]
    signature: Signature,
    /// `deploy`, or why not; null while the repository is being asked.
    #[schema(value_type = Option<String>)]
    decision: Option<Decision>,
    /// The rule that decided.
    rule: Option<String>,
    /// One sentence.
    reason: Option<String>,
    /// Id of the deployment that it led to.
    deployment: Option<i64>,
    /// Id of the delivery that was handled once more.
    replay_of: Option<i64>,
}

/// A delivery with its payload.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DeliveryWithPayload {
    #[serde(flatten)]
    delivery: DeliveryView,
    /// At most 64 KiB of it, secrets masked.
    payload: String,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        let (decision, text) = match delivery.verdict {
            Some(verdict) => (Some(verdict.decision), Some((verdict.rule, verdict.reason))),
            None => (None, None),
        };
        let (rule, reason) = text.unzip();
        let (git_ref, commit) = delivery.push.map(|push| (push.git_ref, push.after)).unzip();
        Self {
            id: delivery.id.0,
            app: delivery.app,
            received_at: delivery.received_at,
            forge: delivery.forge,
            event: delivery.event,
            r#ref: git_ref,
            commit: commit.flatten().as_ref().map(CommitSha::to_string),
            signature: delivery.signature,
            decision,
            rule,
            reason,
            deployment: delivery.deployment.map(|deployment| deployment.id.0),
            replay_of: delivery.replay_of.map(|id| id.0),
        }
    }
}

async fn view(caller: &Caller, app: &App) -> Result<Json<WebhookView>, Problem> {
    let (actions, id) = (caller.actions(), app.id);
    let webhook = actions.webhook(&caller.actor, app).await?;
    let newest = actions
        .db
        .read(move |c| db::deliveries::list_of_app(c, id, Page::first(NEWEST)))
        .await?;
    Ok(Json(WebhookView {
        url: webhook.url,
        secret: webhook.secret,
        rotated_at: webhook.rotated_at,
        deliveries: newest.into_iter().map(DeliveryView::from).collect(),
    }))
}

#[utoipa::path(get, path = "/apps/{app}/webhook", tag = "webhooks", summary = "Where and with which secret a forge tells of pushes, and what came lately", operation_id = "webhook_show", params(("app" = String, Path, description = "Slug of the app")), responses((status = 200, body = WebhookView)))]
async fn show(caller: Caller, Path(app): Path<String>) -> Result<Json<WebhookView>, Problem> {
    let app = caller.app(app, Right::View).await?;
    view(&caller, &app).await
}

#[utoipa::path(post, path = "/apps/{app}/webhook/rotate", tag = "webhooks", summary = "Rotate the secret; the old one is worth nothing from then on", operation_id = "webhook_rotate", params(("app" = String, Path, description = "Slug of the app")), responses((status = 200, body = WebhookView)))]
async fn rotate(Writer(caller): Writer, Path(app): Path<String>) -> Result<Json<WebhookView>, Problem> {
    let app = caller.app(app, Right::Administer).await?;
    caller
        .actions()
        .rotate_webhook(&caller.actor, app.slug.as_str())
        .await?;
    view(&caller, &app).await
}

#[utoipa::path(get, path = "/apps/{app}/deliveries", tag = "webhooks", summary = "What came to the webhook, newest first", operation_id = "deliveries_list", params(("app" = String, Path, description = "Slug of the app"), PagingQuery), responses((status = 200, body = Items<DeliveryView>)))]
async fn list(
    caller: Caller,
    Path(app): Path<String>,
    Paging(page): Paging,
) -> Result<Json<Items<DeliveryView>>, Problem> {
    let id = caller.app(app, Right::View).await?.id;
    let rows = caller
        .actions()
        .db
        .read(move |c| db::deliveries::list_of_app(c, id, with_one_more(page)))
        .await?;
    Ok(Json(Items::page(rows, page, |row| row.id.0, DeliveryView::from)))
}

fn parse_id(text: &str) -> Result<DeliveryId, Problem> {
    text.parse().map(DeliveryId).map_err(|_| Problem::not_found())
}

#[utoipa::path(get, path = "/apps/{app}/deliveries/{id}", tag = "webhooks", summary = "One delivery with its payload", operation_id = "deliveries_show", params(("app" = String, Path, description = "Slug of the app"), ("id" = i64, Path, description = "Id of the delivery")), responses((status = 200, body = DeliveryWithPayload)))]
async fn delivery(
    caller: Caller,
    Path((app, id)): Path<(String, String)>,
) -> Result<Json<DeliveryWithPayload>, Problem> {
    let app = caller.app(app, Right::View).await?;
    let (delivery, payload) = caller.actions().find_delivery(&app, parse_id(&id)?).await?;
    let delivery = DeliveryView::from(delivery);
    Ok(Json(DeliveryWithPayload { delivery, payload }))
}

#[utoipa::path(post, path = "/apps/{app}/deliveries/{id}/replay", tag = "webhooks", summary = "Handle a delivery once more, by the settings of now", operation_id = "deliveries_replay", params(("app" = String, Path, description = "Slug of the app"), ("id" = i64, Path, description = "Id of the delivery")), responses((status = 202, body = DeliveryView, description = "A new delivery")))]
async fn replay(
    caller: Caller,
    Path((app, id)): Path<(String, String)>,
) -> Result<(StatusCode, Json<DeliveryView>), Problem> {
    let app = caller.app(app, Right::Deploy).await?;
    let replayed = caller
        .actions()
        .replay_delivery(&caller.actor, app.slug.as_str(), parse_id(&id)?)
        .await?;
    Ok((StatusCode::ACCEPTED, Json(replayed.into())))
}
