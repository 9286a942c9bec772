//! The credential of a push: a token as the password of HTTP's Basic scheme, with any user name.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::TypedHeader;
use axum_extra::headers::Authorization;
use axum_extra::headers::authorization::Basic;

/// The token that came with a request, not yet checked. A request without one is answered by [`challenge`].
pub struct PushToken(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PushToken {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let header = TypedHeader::<Authorization<Basic>>::from_request_parts(parts, state).await;
        match header {
            Ok(TypedHeader(credential)) if !credential.password().is_empty() => {
                Ok(Self(credential.password().to_owned()))
            }
            _ => Err(challenge()),
        }
    }
}

/// The answer to a request without a valid token; git then asks its user for a password.
pub fn challenge() -> Response {
    let realm = HeaderValue::from_static("Basic realm=\"Dhow\"");
    let help = "Use a token with the scope deploy as the password; the user name does not matter.\n";
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, realm)], help).into_response()
}
