//! What was done, by whom and from where: for owners and admins of the instance.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use url::form_urlencoded;

use super::Web;
use super::deployments::Cursor;
use super::error::Result;
use super::forms::FormErrors;
use super::layout::{Frame, Layout};
use super::moment::Moment;
use super::signed_in::SignedIn;
use crate::actions::Error;
use crate::actions::audit::AuditQuery;
use crate::db::Page;
use crate::model::audit::{AuditFilter, AuditRow};

/// Rows on one page.
const LISTED: u32 = 50;

const LABELS: &[(&str, &str)] = &[
    ("user", "Who"),
    ("action", "What"),
    ("since", "From"),
    ("until", "Before"),
];

/// The page.
pub fn router() -> Router<Web> {
    Router::new().route("/admin/audit", get(show))
}

struct RowView {
    when: Moment,
    who: String,
    /// Whether a token acted for them.
    by_token: bool,
    address: String,
    action: String,
    object: String,
}

impl From<AuditRow> for RowView {
    fn from(row: AuditRow) -> Self {
        let by_token = row.actor.starts_with("token:");
        Self {
            when: Moment::of(row.at),
            who: who(row.email, row.actor),
            by_token,
            address: row.address.unwrap_or_default(),
            action: row.action,
            object: row.object,
        }
    }
}

/// Who did something, in words.
pub fn who(email: Option<String>, actor: String) -> String {
    match email {
        Some(email) => email,
        None if actor == "dhow" => "Dhow".to_owned(),
        None if actor.starts_with("webhook:") => "a webhook".to_owned(),
        None => actor,
    }
}

#[derive(Template, WebTemplate)]
#[template(path = "admin/audit.html")]
struct AuditPage {
    layout: Layout,
    query: AuditQuery,
    rows: Vec<RowView>,
    /// Where older rows are.
    older: Option<String>,
    is_filtered: bool,
    errors: FormErrors,
}

async fn show(
    State(web): State<Web>,
    frame: Frame,
    signed_in: SignedIn,
    Query(query): Query<AuditQuery>,
    Query(cursor): Query<Cursor>,
) -> Result<Response> {
    if !signed_in.actor.sees_all() {
        return Err(Error::Forbidden.into());
    }
    let mut page = AuditPage {
        layout: frame.titled("Audit"),
        query,
        rows: Vec::new(),
        older: None,
        is_filtered: false,
        errors: FormErrors::none(),
    };
    let filter = match page.query.check() {
        Ok(filter) => filter,
        Err(error) => {
            page.errors = FormErrors::from_error(error, LABELS)?;
            page.layout = page.layout.refused();
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    page.is_filtered = filter != AuditFilter::default();
    let wanted = Page {
        limit: LISTED + 1,
        before: cursor.before(),
    };
    let mut rows = web.actions.list_audit(&signed_in.actor, filter, wanted).await?;
    let has_more = rows.len() > LISTED as usize;
    rows.truncate(LISTED as usize);
    page.older = rows
        .last()
        .filter(|_| has_more)
        .map(|last| address(&page.query, last.id));
    page.rows = rows.into_iter().map(RowView::from).collect();
    Ok(page.into_response())
}

/// The address of the rows before one, with the same filter.
fn address(query: &AuditQuery, before: i64) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    for (name, value) in [
        ("user", &query.user),
        ("action", &query.action),
        ("since", &query.since),
        ("until", &query.until),
    ] {
        if !value.is_empty() {
            pairs.append_pair(name, value);
        }
    }
    format!(
        "/admin/audit?{}",
        pairs.append_pair("cursor", &before.to_string()).finish()
    )
}
