//! `/audit`.

use axum::Json;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Caller;
use super::list::{Items, Paging, PagingQuery, with_one_more};
use super::query::Asked;
use super::{Api, Problem};
use crate::actions::audit::AuditQuery;
use crate::model::audit::AuditRow;
use crate::model::time::Timestamp;

/// The call.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AuditView {
    id: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `user:1`, `token:2` or `dhow`.
    actor: String,
    /// The e-mail address of the user whose rights counted.
    user: Option<String>,
    /// The address that it came from.
    address: Option<String>,
    action: String,
    object: String,
}

impl From<AuditRow> for AuditView {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id,
            at: row.at,
            actor: row.actor,
            user: row.email,
            address: row.address,
            action: row.action,
            object: row.object,
        }
    }
}

#[utoipa::path(get, path = "/audit", tag = "people", summary = "Who did what, when, from where; newest first", operation_id = "audit_list", params(("user" = Option<String>, Query, description = "An e-mail address"), ("action" = Option<String>, Query, description = "app.create, or app for everything about apps", pattern = "^[a-z0-9_.]{1,60}$"), ("since" = Option<String>, Query, description = "A day or a moment", format = Date), ("until" = Option<String>, Query, description = "A day or a moment, not included", format = Date), PagingQuery), responses((status = 200, body = Items<AuditView>)))]
async fn list(
    caller: Caller,
    Asked(query): Asked<AuditQuery>,
    Paging(page): Paging,
) -> Result<Json<Items<AuditView>>, Problem> {
    let actions = caller.actions();
    let rows = actions
        .list_audit(&caller.actor, query.check()?, with_one_more(page))
        .await?;
    Ok(Json(Items::page(rows, page, |row| row.id, AuditView::from)))
}
