//! Lists: newest first, by pages, the cursor being the last row's key.

use std::collections::HashMap;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::Serialize;

use super::Problem;
use super::query::Asked;
use crate::actions::Error;
use crate::db::Page;
use crate::model::Invalid;

/// Which page is asked for, by `?limit=` and `?cursor=`.
pub struct Paging(pub Page);

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Asked(query) = Asked::<HashMap<String, String>>::from_request_parts(parts, state).await?;
        let limit = match query.get("limit") {
            None => Page::DEFAULT_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=Page::MAX_LIMIT).contains(limit))
                .ok_or_else(|| Error::field("limit", Invalid::new("Use 1 to 200.")))?,
        };
        let before = query.get("cursor").map(|text| text.parse::<i64>()).transpose();
        let before = before.map_err(|_| Error::field("cursor", Invalid::new("Use the “next” of the page before.")))?;
        Ok(Self(Page { limit, before }))
    }
}

/// The same as OpenAPI tells it.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "only described, never built")]
pub struct PagingQuery {
    /// Items on a page, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next` of the page before.
    #[param(pattern = "^[0-9]{1,18}$")]
    cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Items<T> {
    /// The rows.
    items: Vec<T>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

impl<T> Items<T> {
    /// A page made of rows that were asked for with one more than the limit, which tells whether another page follows.
    pub fn page<Row>(mut rows: Vec<Row>, page: Page, key: impl Fn(&Row) -> i64, show: impl Fn(Row) -> T) -> Self {
        let limit = page.limit as usize;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| has_more).map(|row| key(row).to_string());
        Self {
            items: rows.into_iter().map(show).collect(),
            next,
        }
    }
}

/// The page to ask the database for: one row more than is shown.
pub fn with_one_more(page: Page) -> Page {
    Page {
        limit: page.limit + 1,
        ..page
    }
}
