//! `POST /webhooks/{opaque id}`: what forges tell of pushes, one file a forge.
//!
//! A request is checked as it came, byte by byte, before anything in it is read; then it is stored and answered. No
//! answer waits for a repository or a build.

mod bitbucket;
mod gitea;
mod github;
mod gitlab;
mod payload;

use std::net::SocketAddr;

use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use serde_json::json;

use crate::actions::webhooks::Hook;
use crate::actions::{self, Actions, Error};
use crate::model::delivery::{Decision, Delivery, Event, Forge, MAX_BODY_BYTES, Proof, Received, Signature, Verdict};
use crate::model::user::Actor;

/// The hooks.
pub fn router(actions: Actions) -> Router {
    Router::new()
        .route("/webhooks/{id}", post(receive))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(actions)
}

/// What the headers of a request tell.
#[derive(Debug, Clone)]
struct Envelope {
    forge: Option<Forge>,
    /// The event's name in the forge's own words; empty where it has none.
    event_name: String,
    forge_id: Option<String>,
    proof: Proof,
}

impl Envelope {
    /// Reads the headers. Gitea and Forgejo send those of GitHub too, so their own are looked for first.
    fn open(headers: &HeaderMap) -> Self {
        let envelope = gitea::open(headers)
            .or_else(|| gitlab::open(headers))
            .or_else(|| bitbucket::open(headers))
            .or_else(|| github::open(headers));
        envelope.unwrap_or(Self {
            forge: None,
            event_name: String::new(),
            forge_id: None,
            proof: Proof::None,
        })
    }

    fn read(&self, headers: &HeaderMap, body: &[u8], hook: &Hook) -> Received {
        let payload = payload::parse(headers, body);
        let event = payload
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|payload| match self.forge {
                Some(Forge::Github) => github::event(&self.event_name, payload),
                Some(Forge::Gitlab) => gitlab::event(payload),
                Some(Forge::Gitea) => gitea::event(&self.event_name, payload),
                Some(Forge::Bitbucket) => bitbucket::event(&self.event_name, payload),
                None => Ok(Event::Other),
            });
        let shown = match payload {
            Ok(payload) => payload::masked(payload),
            Err(_) => String::from_utf8_lossy(body).into_owned(),
        };
        Received {
            forge: self.forge,
            event_name: self.event_name.clone(),
            forge_id: self.forge_id.clone(),
            event: event.unwrap_or_else(Event::Unreadable),
            payload: payload::capped(hook.redacted(&shown)),
        }
    }
}

/// A header as text; `None` when it is missing or no text.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// The same, no longer than it is worth storing.
fn short_header(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = header(headers, name).filter(|text| !text.is_empty())?;
    Some(text.chars().take(200).collect())
}

/// `sha256=…`; an algorithm that is not safe any more is none.
fn sha256_proof(headers: &HeaderMap, name: &str) -> Proof {
    header(headers, name)
        .and_then(|text| text.strip_prefix("sha256="))
        .filter(|digits| !digits.is_empty())
        .map_or(Proof::None, |digits| Proof::Hmac(digits.to_owned()))
}

async fn receive(
    State(actions): State<Actions>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "A webhook may send at most 5 MiB.");
        }
        Err(_) => return refuse(StatusCode::BAD_REQUEST, "The body ended before it was complete."),
    };
    match handle(&actions, peer, &id, headers, body).await {
        Ok(answer) => answer,
        // The app went away in this moment: its address is one as any other then.
        Err(Error::NotFound) => unsigned(),
        Err(Error::Unavailable(sentence)) => refuse(StatusCode::SERVICE_UNAVAILABLE, &sentence),
        Err(error) => {
            let request = actions::report(&anyhow::Error::from(error));
            let text = format!("Dhow met a fault of its own; its log has it as {request}. Send it again later.");
            refuse(StatusCode::INTERNAL_SERVER_ERROR, &text)
        }
    }
}

async fn handle(
    actions: &Actions,
    peer: SocketAddr,
    id: &str,
    headers: HeaderMap,
    body: Bytes,
) -> actions::Result<Response> {
    let hook = actions.find_hook(id).await?;
    let checker = hook.clone();
    // Megabytes are hashed and parsed: not between other people's requests.
    let checked = tokio::task::spawn_blocking(move || {
        let envelope = Envelope::open(&headers);
        let signature = checker.check(&envelope.proof, &body);
        let received = (signature == Signature::Valid).then(|| envelope.read(&headers, &body, &checker));
        (envelope, signature, received)
    });
    let (envelope, signature, received) = checked.await.map_err(anyhow::Error::from)?;
    let (Some(received), Some(app)) = (received, hook.app) else {
        let unread = Received {
            forge: envelope.forge,
            event_name: envelope.event_name,
            forge_id: envelope.forge_id,
            event: Event::Other,
            payload: String::new(),
        };
        actions.refuse_delivery(&hook, unread, signature).await?;
        return Ok(unsigned());
    };
    let actor = Actor::webhook(app).at(peer.ip());
    Ok(answer(&actions.receive_delivery(&actor, app, received).await?))
}

/// What the forge is told: for one that comes again, the same as the first time.
fn answer(delivery: &Delivery) -> Response {
    match (&delivery.verdict, delivery.deployment) {
        _ if delivery.is_deferred => (StatusCode::ACCEPTED, Json(json!({ "delivery": delivery.id }))).into_response(),
        (_, Some((deployment, _))) => (StatusCode::ACCEPTED, Json(json!({ "deployment": deployment }))).into_response(),
        (
            Some(Verdict {
                decision: Decision::Unreadable,
                reason,
                ..
            }),
            None,
        ) => refuse(StatusCode::BAD_REQUEST, reason),
        (Some(verdict), None) => Json(json!({ "ignored": verdict.reason })).into_response(),
        (None, None) => Json(json!({ "ignored": "Nothing was decided." })).into_response(),
    }
}

/// The same for a wrong signature, for none, and for an address without a webhook.
fn unsigned() -> Response {
    refuse(
        StatusCode::UNAUTHORIZED,
        "There is no webhook at this address, or the signature is not the one of its secret.",
    )
}

fn refuse(status: StatusCode, sentence: &str) -> Response {
    (status, Json(json!({ "error": sentence }))).into_response()
}

#[cfg(test)]
mod tests;
