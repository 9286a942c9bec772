//! The one place where a failed request becomes something to read: a page, a fragment for htmx, or problem+json
//! below `/api`.
//!
//! Whatever a handler, an extractor or a layer answers with an error status and no page of its own comes through
//! here, a panic and a request that takes too long too. An internal cause is logged here, once, under the id that
//! the page shows.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use serde_json::json;

use super::Web;
use super::error::{Cause, Failure, HX_REDIRECT, PageError, SignInNeeded};
use super::layout::Layout;
use crate::actions::report;
use crate::actions::sessions::SessionUser;

/// Longest time until an answer begins; streams go on for longer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Page,
    Fragment,
    Problem,
    /// For `EventSource` and its like, which read the status only.
    Stream,
}

impl Form {
    fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let accepts_stream = || {
            let accept = headers.get("accept").and_then(|accept| accept.to_str().ok());
            accept.is_some_and(|accept| accept.contains("text/event-stream"))
        };
        if uri.path() == "/api" || uri.path().starts_with("/api/") {
            Self::Problem
        } else if headers.contains_key("hx-request") {
            Self::Fragment
        } else if accepts_stream() {
            Self::Stream
        } else {
            Self::Page
        }
    }
}

/// Runs a request to its end and presents how it failed, if it did.
pub async fn present(State(web): State<Web>, request: Request, next: Next) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let form = Form::of(&uri, request.headers());
    let response = match tokio::time::timeout(ANSWER_TIMEOUT, run(&method, request, next)).await {
        Ok(response) => response,
        Err(_elapsed) => StatusCode::GATEWAY_TIMEOUT.into_response(),
    };
    if response.extensions().get::<SignInNeeded>().is_some() {
        return lead_to_sign_in(form, response);
    }
    if response.status().as_u16() < 400 || is_presentable(response.headers()) {
        return response;
    }
    let failure = explain(&method, &uri, &response);
    let status = response.status();
    let mut presented = match form {
        Form::Page => ErrorPage::new(&web, &response, failure).into_response(),
        Form::Fragment => ErrorFragment { failure }.into_response(),
        Form::Stream => ().into_response(),
        Form::Problem => problem(status, &failure),
    };
    *presented.status_mut() = status;
    for (name, value) in response.headers() {
        if !matches!(name.as_str(), "content-type" | "content-length") {
            presented.headers_mut().append(name, value.clone());
        }
    }
    presented
}

/// What changes something runs to its end even when the browser goes away: what is stored must be announced.
async fn run(method: &Method, request: Request, next: Next) -> Response {
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    let answer = if matches!(*method, Method::GET | Method::HEAD) {
        answer.await
    } else {
        tokio::spawn(answer)
            .await
            .unwrap_or_else(|error| Err(Box::new(error.to_string())))
    };
    answer.unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("a panic");
        PageError::from(anyhow::anyhow!("{message}")).into_response()
    })
}

/// Whether a handler has made an answer to read.
fn is_presentable(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    content_type.starts_with("text/html") || content_type.starts_with("application/")
}

/// A browser follows to the sign-in page by itself; htmx is told to; a program and a stream get the status.
fn lead_to_sign_in(form: Form, mut response: Response) -> Response {
    match form {
        Form::Page => response,
        Form::Fragment => {
            let target = response.headers_mut().remove(LOCATION);
            let mut response = StatusCode::UNAUTHORIZED.into_response();
            if let Some(target) = target {
                response.headers_mut().insert(HX_REDIRECT, target);
            }
            response
        }
        Form::Stream => StatusCode::UNAUTHORIZED.into_response(),
        Form::Problem => {
            let failure = Failure::new("Not signed in", "Sign in, or send a token.", "");
            let mut response = problem(StatusCode::UNAUTHORIZED, &failure);
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            response
        }
    }
}

fn explain(method: &Method, uri: &Uri, response: &Response) -> Failure {
    let mut failure = response
        .extensions()
        .get()
        .cloned()
        .unwrap_or_else(|| Failure::of(response.status()));
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR {
        let cause = response.extensions().get::<Cause>();
        let cause = cause.map_or_else(|| "no cause was told".to_owned(), |cause| format!("{:#}", cause.0));
        failure.request_id = Some(report(&anyhow::anyhow!("{method} {}: {cause}", uri.path())));
    }
    failure
}

/// RFC 9457, for layers that stand before pages and API alike.
fn problem(status: StatusCode, failure: &Failure) -> Response {
    let mut detail = failure.heading.clone();
    if !failure.advice.is_empty() {
        detail = format!("{detail}. {}", failure.advice);
    }
    if let Some(request_id) = &failure.request_id {
        detail = format!("{detail}. Dhow's log has the cause under request {request_id}.");
    }
    let title = status.canonical_reason().unwrap_or(&failure.title);
    let body = json!({"type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail});
    ([(CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

#[derive(Template, WebTemplate)]
#[template(path = "error.html")]
struct ErrorPage {
    layout: Layout,
    failure: Failure,
}

impl ErrorPage {
    fn new(web: &Web, response: &Response, failure: Failure) -> Self {
        let user = response.extensions().get::<SessionUser>().map(|SessionUser(user)| user);
        let mut layout = Layout::new(web, user, &failure.title);
        layout.has_failure |= failure.request_id.is_some();
        Self { layout, failure }
    }
}

#[derive(Template, WebTemplate)]
#[template(path = "_error.html")]
struct ErrorFragment {
    failure: Failure,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_shown_in_the_form_that_was_asked_for() {
        let form = |path: &str, headers: &[(&'static str, &str)]| {
            let headers = headers
                .iter()
                .map(|(name, value)| (axum::http::HeaderName::from_static(name), value.parse().unwrap()));
            Form::of(&path.parse().unwrap(), &headers.collect())
        };
        assert_eq!(form("/apps/x", &[("accept", "text/html")]), Form::Page);
        assert_eq!(form("/apps/x", &[]), Form::Page);
        assert_eq!(form("/apps/x", &[("hx-request", "true")]), Form::Fragment);
        assert_eq!(form("/apps/x", &[("accept", "text/event-stream")]), Form::Stream);
        assert_eq!(form("/api/v1/apps", &[("hx-request", "true")]), Form::Problem);
        assert_eq!(form("/api", &[]), Form::Problem);
        assert_eq!(form("/apis", &[]), Form::Page);
    }

    #[tokio::test]
    async fn a_problem_says_what_the_layer_knows() {
        let response = problem(
            StatusCode::PAYLOAD_TOO_LARGE,
            &Failure::of(StatusCode::PAYLOAD_TOO_LARGE),
        );
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            (&body["status"], &body["title"]),
            (&json!(413), &json!("Payload Too Large"))
        );
    }
}
