//! Whether Dhow answers (`/healthz`) and whether its parts do (`/readyz`), for load balancers and scripts. No session.

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use serde::Serialize;

use super::Web;
use crate::db;

/// Both addresses.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
}

/// A word for each part; the reason is on the dashboard, for those who may see it.
#[derive(Serialize)]
struct Readiness {
    db: &'static str,
    docker: &'static str,
    traefik: &'static str,
}

async fn ready(State(web): State<Web>) -> (StatusCode, Json<Readiness>) {
    let db = web.actions.db.read(db::users::has_any).await;
    let health = web.actions.deployer.ask_health().await;
    let is_ready = db.is_ok() && health.docker.is_ok() && health.traefik.is_ok();
    let readiness = Readiness {
        db: word(db.is_ok(), "failed"),
        docker: word(health.docker.is_ok(), "unreachable"),
        traefik: word(health.traefik.is_ok(), "unreachable"),
    };
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness))
}

fn word(is_ok: bool, otherwise: &'static str) -> &'static str {
    if is_ok { "ok" } else { otherwise }
}
