//! What programs outside send: pushes to the repositories that Dhow hosts.

mod git;
pub mod push;

use std::net::SocketAddr;

use axum::Router;
use tokio_util::sync::CancellationToken;

use crate::actions::Actions;

/// All hooks. `address` is where the panel is reached, for links that are sent back; pushers who wait are let go at
/// `stop`.
pub fn router(actions: Actions, address: SocketAddr, stop: CancellationToken) -> Router {
    git::router(actions, address, stop)
}
