//! What programs outside send: pushes to the repositories that Dhow hosts, and what forges tell of pushes to theirs.

mod git;
pub mod push;
mod webhooks;

use std::net::SocketAddr;

use axum::Router;
use tokio_util::sync::CancellationToken;

use crate::actions::Actions;

/// All hooks. `address` is where the panel is reached, for links that are sent back; pushers who wait are let go at
/// `stop`.
pub fn router(actions: Actions, address: SocketAddr, stop: CancellationToken) -> Router {
    git::router(actions.clone(), address, stop).merge(webhooks::router(actions))
}
