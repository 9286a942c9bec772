//! Hooks. (being written)
use std::net::SocketAddr;
use axum::Router;
use crate::actions::Actions;
/// All hooks.
pub fn router(_actions: Actions, _address: SocketAddr) -> Router { Router::new() }
