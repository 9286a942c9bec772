//! Why a page could not be shown. What it then looks like is decided in one place, `present`.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{HeaderName, LOCATION, RETRY_AFTER};
use axum::response::{IntoResponse, Response};

use super::signed_in::LocalPath;
use crate::actions;

/// The header by which htmx is told to load another page.
pub const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

/// Why a page could not be shown.
#[derive(Debug)]
pub enum PageError {
    /// Nobody is signed in; afterwards `next` is shown.
    NotSignedIn {
        /// The page that was wanted.
        next: LocalPath,
    },
    /// Another site made the browser send this.
    ForeignOrigin,
    /// The panel was asked for by a name that is not its own.
    ForeignName,
    /// An action was not carried out.
    Action(actions::Error),
}

/// The result of a page's handler.
pub type Result<T> = std::result::Result<T, PageError>;

impl<E: Into<actions::Error>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self::Action(error.into())
    }
}

/// What an error page tells, carried by the answer until it is presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The page's heading.
    pub title: String,
    /// What happened, in a few words.
    pub heading: String,
    /// What to do next.
    pub advice: String,
    /// Under which id the log has the cause, of an internal failure.
    pub request_id: Option<String>,
}

impl Failure {
    /// A failure in words.
    pub fn new(title: &str, heading: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            title: title.to_owned(),
            heading: heading.into(),
            advice: advice.into(),
            request_id: None,
        }
    }

    /// What a status says for itself.
    pub fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::FORBIDDEN => Self::new(
                "Not allowed",
                "Your role does not allow this",
                "Nothing was changed. Ask an owner or an admin of this Dhow.",
            ),
            StatusCode::NOT_FOUND => Self::new(
                "Not found",
                "There is nothing at this address",
                "It may have been deleted, or it belongs to a project that you are not a member of.",
            ),
            StatusCode::METHOD_NOT_ALLOWED => Self::new(
                "Not possible",
                "This address cannot be used in this way",
                "It takes a form or shows a page, but not both. Go back and use the form there.",
            ),
            StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => Self::new(
                "Took too long",
                "Dhow did not finish this request in time",
                "It may still be carried out. Look at the page before you try again.",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(
                "Too large",
                "What was sent is larger than Dhow accepts",
                "A form may hold 1 MiB in all. Nothing was changed. Go back and send less.",
            ),
            StatusCode::SERVICE_UNAVAILABLE => Self::new(
                "Not available",
                "A part of Dhow does not answer now",
                "Nothing was changed. Try again in a minute.",
            ),
            _ if status.is_server_error() => Self::new("Something failed", "Dhow could not finish this request", ""),
            _ => Self::new(
                "Not understood",
                "Dhow could not read this request",
                "Nothing was changed. Go back, load the page again and repeat what you did.",
            ),
        }
    }
}

/// The cause of an internal failure, carried by the answer until it is logged, once.
#[derive(Debug, Clone)]
pub struct Cause(pub Arc<anyhow::Error>);

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        match self {
            Self::NotSignedIn { next } => {
                // 303 is what a browser follows; `present` makes 401 of it for those that cannot follow.
                let mut response = (StatusCode::SEE_OTHER, [(LOCATION, next.sign_in_url())]).into_response();
                response.extensions_mut().insert(SignInNeeded);
                response
            }
            Self::ForeignOrigin => failed(
                StatusCode::FORBIDDEN,
                Failure::new(
                    "Not allowed",
                    "This request came from another site",
                    "Nothing was changed. If you meant it, do it on Dhow's own page.",
                ),
            ),
            Self::ForeignName => failed(
                StatusCode::MISDIRECTED_REQUEST,
                Failure::new(
                    "Not found here",
                    "Dhow's panel has another name",
                    "Open it by its address, by localhost, or by a name below the one given with --base-domain.",
                ),
            ),
            Self::Action(error) => of_action(error),
        }
    }
}

/// Marks an answer that leads to the sign-in page.
#[derive(Debug, Clone, Copy)]
pub struct SignInNeeded;

fn of_action(error: actions::Error) -> Response {
    match error {
        actions::Error::NotFound => StatusCode::NOT_FOUND.into_response(),
        actions::Error::Forbidden => StatusCode::FORBIDDEN.into_response(),
        actions::Error::Invalid(errors) => {
            let advice: Vec<_> = errors
                .into_iter()
                .map(|error| format!("{}: {}", error.field, error.message))
                .collect();
            let failure = Failure::new(
                "Not accepted",
                "Something in it was refused; nothing was changed",
                advice.join(" "),
            );
            failed(StatusCode::UNPROCESSABLE_ENTITY, failure)
        }
        actions::Error::Conflict(sentence) => failed(
            StatusCode::CONFLICT,
            Failure::new("Not possible now", sentence, "Nothing was changed."),
        ),
        actions::Error::TooMany(wait) => too_many(wait),
        actions::Error::Unavailable(sentence) => {
            let advice = "Nothing was changed. Try again when it answers.";
            failed(
                StatusCode::SERVICE_UNAVAILABLE,
                Failure::new("Not available", sentence, advice),
            )
        }
        actions::Error::Internal(cause) => {
            let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
            response.extensions_mut().insert(Cause(Arc::new(cause)));
            response
        }
    }
}

/// A refusal with the time to wait (RFC 6585 §4), rounded up so that who waits so long is not refused again.
fn too_many(wait: Duration) -> Response {
    let seconds = wait.as_secs() + 1;
    let words = match seconds {
        1 => "a second".to_owned(),
        2..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    };
    let failure = Failure::new(
        "Too many attempts",
        "Too much was tried here that was wrong",
        format!("Nothing was checked this time. Try again in {words}."),
    );
    let mut response = failed(StatusCode::TOO_MANY_REQUESTS, failure);
    response.headers_mut().insert(RETRY_AFTER, seconds.into());
    response
}

fn failed(status: StatusCode, failure: Failure) -> Response {
    let mut response = status.into_response();
    response.extensions_mut().insert(failure);
    response
}
