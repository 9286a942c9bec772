//! `/apps/{app}/domains`.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::JsonBody;
use super::caller::{Caller, Writer};
use super::query::Asked;
use super::{Api, Problem};
use crate::actions::domains::{DomainInput, DomainView, Which};
use crate::actions::json::parse_json;
use crate::model::access::Right;

/// The calls.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(change, remove))
}

/// All domains of an app.
#[derive(Serialize, utoipa::ToSchema)]
struct DomainItems {
    /// The version of the list, to be sent with a change of it.
    version: i64,
    /// The domains, newest first; `position` is the app's own order.
    items: Vec<DomainView>,
    /// Null: there are no further pages.
    next: Option<String>,
}

/// A domain after a change.
#[derive(Serialize, utoipa::ToSchema)]
struct ChangedDomain {
    #[serde(flatten)]
    domain: DomainView,
    /// The version of the list after the change.
    version: i64,
}

impl From<(DomainView, i64)> for ChangedDomain {
    fn from((domain, version): (DomainView, i64)) -> Self {
        Self { domain, version }
    }
}

#[utoipa::path(get, path = "/apps/{app}/domains", tag = "domains", summary = "The domains, newest first", operation_id = "domains_list", params(("app" = String, Path, description = "Slug of the app")), responses((status = 200, body = DomainItems)))]
async fn list(caller: Caller, Path(app): Path<String>) -> Result<Json<DomainItems>, Problem> {
    let app = caller.app(app, Right::View).await?;
    let (version, mut items) = caller.actions().show_domains(&app).await?;
    items.sort_by_key(|domain| std::cmp::Reverse(domain.id));
    Ok(Json(DomainItems {
        version,
        items,
        next: None,
    }))
}

#[utoipa::path(post, path = "/apps/{app}/domains", tag = "domains", summary = "Add a domain; it applies at once", operation_id = "domains_add", params(("app" = String, Path, description = "Slug of the app")), request_body = DomainInput, responses((status = 201, body = ChangedDomain)))]
async fn add(
    Writer(caller): Writer,
    Path(app): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<ChangedDomain>), Problem> {
    let app = caller.app(app, Right::Change).await?;
    let input: DomainInput = parse_json(body)?;
    let added = caller.actions().add_domain(&caller.actor, &app, input).await?;
    Ok((StatusCode::CREATED, Json(added.into())))
}

/// Which of a host's paths is meant, and what a removal is based on.
#[derive(Deserialize)]
struct OfHost {
    path_prefix: Option<String>,
    version: Option<i64>,
}

impl OfHost {
    fn which(self, host: String) -> Which {
        Which {
            host,
            path_prefix: self.path_prefix,
        }
    }
}

#[utoipa::path(patch, path = "/apps/{app}/domains/{host}", tag = "domains", summary = "Change a domain; it applies at once", description = "A field that is left out is unchanged, null is its default. `position` moves the domain among the app's, the first being its address.", operation_id = "domains_change", params(("app" = String, Path, description = "Slug of the app"), ("host" = String, Path, description = "The host name"), ("path_prefix" = Option<String>, Query, description = "Which path of the host is meant, where it has several")), request_body = DomainInput, responses((status = 200, body = ChangedDomain)))]
async fn change(
    Writer(caller): Writer,
    Path((app, host)): Path<(String, String)>,
    Asked(of): Asked<OfHost>,
    JsonBody(body): JsonBody,
) -> Result<Json<ChangedDomain>, Problem> {
    let app = caller.app(app, Right::Change).await?;
    let actions = caller.actions();
    let changed = actions
        .change_domain(&caller.actor, &app, &of.which(host), body)
        .await?;
    Ok(Json(changed.into()))
}

#[utoipa::path(delete, path = "/apps/{app}/domains/{host}", tag = "domains", summary = "Remove a domain", operation_id = "domains_remove", params(("app" = String, Path, description = "Slug of the app"), ("host" = String, Path, description = "The host name"), ("path_prefix" = Option<String>, Query, description = "Only this path of the host; all when left out"), ("version" = Option<i64>, Query, description = "The version of the list that this is based on; a stale one is refused")), responses((status = 204, description = "Removed")))]
async fn remove(
    Writer(caller): Writer,
    Path((app, host)): Path<(String, String)>,
    Asked(of): Asked<OfHost>,
) -> Result<StatusCode, Problem> {
    let app = caller.app(app, Right::Change).await?;
    let version = of.version;
    let actions = caller.actions();
    actions
        .remove_domain(&caller.actor, &app, &of.which(host), version)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
