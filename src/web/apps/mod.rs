//! Pages of apps: making one, the app itself, its settings, its end.

use axum::Router;

use super::Web;

pub mod condition;
pub mod cost;
mod form;
pub mod head;
mod new;
pub mod pending;
mod plan;
pub mod running;
mod settings;
mod show;
mod source;
mod stream;

/// The pages.
pub fn router() -> Router<Web> {
    Router::new()
        .merge(new::router())
        .merge(show::router())
        .merge(stream::router())
        .merge(settings::router())
        .merge(source::router())
        .merge(plan::router())
        .merge(running::router())
}
