//! JSON. (being written)
use axum::Router;
use tokio_util::sync::CancellationToken;
use crate::actions::Actions;
/// All calls.
pub fn router(_actions: Actions, _stop: CancellationToken) -> Router { Router::new() }
