//! Errors as `application/problem+json` (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::actions::{Error, FieldError, report};
use crate::db;

/// An error as the API answers it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

impl Problem {
    /// A problem without refused fields.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    /// Nobody is known by the token or the session.
    pub fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "Send a token that is good: “Authorization: Bearer dhow_…”.",
        )
    }

    /// It does not exist, or the caller may not know of it.
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "There is no such thing here, or you may not see it.",
        )
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::not_found(),
            Error::Forbidden => Self::new(StatusCode::FORBIDDEN, "You, or your token's scope, may not do this."),
            Error::Conflict(text) => Self::new(StatusCode::CONFLICT, text),
            Error::TooMany(_) => Self::new(StatusCode::TOO_MANY_REQUESTS, error.to_string()),
            Error::Unavailable(text) => Self::new(StatusCode::SERVICE_UNAVAILABLE, text),
            Error::Invalid(errors) => {
                let detail = "Some fields were refused; nothing was stored.";
                Self {
                    errors,
                    ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
                }
            }
            Error::Internal(error) => {
                let id = report(&error);
                let detail = format!("Dhow met a fault of its own. Its log tells more under request {id}.");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
            }
        }
    }
}

impl From<db::Error> for Problem {
    fn from(error: db::Error) -> Self {
        Error::from(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// For paths that no call has.
pub async fn unknown_call() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "There is no call at this path.")
}

/// For methods that a path does not have.
pub async fn unknown_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "This path has no such method.")
}
