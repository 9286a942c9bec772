//! Pages. (being written)
use crate::actions::Actions;
use axum::Router;
use tokio_util::sync::CancellationToken;
/// All pages.
pub fn router(_actions: Actions, _stop: CancellationToken) -> Router {
    Router::new()
}
