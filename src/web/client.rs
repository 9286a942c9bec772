//! From where a request comes, as an extractor: its connection's peer, and what its program says of itself.
//!
//! No header tells the address: the panel is reached directly, so whoever sends one could claim any.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;

use super::error::PageError;
use crate::model::client::Client;

/// The other end of a request.
#[derive(Debug, Clone)]
pub struct Visitor(pub Client);

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, PageError> {
        let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() else {
            return Err(PageError::from(anyhow::anyhow!("a request without a connection")));
        };
        let agent = parts.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        Ok(Self(Client::new(peer.ip(), agent.unwrap_or_default())))
    }
}
