//! What programs outside send: pushes to the repositories that Dhow hosts, and what forges tell of pushes to theirs.

mod git;
pub mod push;
mod webhooks;

use axum::Router;
use tokio_util::sync::CancellationToken;

use crate::actions::Actions;

/// All hooks; pushers who wait are let go at `stop`.
pub fn router(actions: Actions, stop: CancellationToken) -> Router {
    git::router(actions.clone(), stop).merge(webhooks::router(actions))
}
