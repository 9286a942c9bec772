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
use std::time::Duration;

use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequest as _, Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::actions::webhooks::Hook;
use crate::actions::{self, Actions, Error};
use crate::model::delivery::{Decision, Delivery, Event, Forge, MAX_BODY_BYTES, Proof, Received, Signature};
use crate::model::user::Actor;

/// Up to here a body is hashed and parsed at once; larger ones would keep other people's requests waiting.
const SMALL_BODY_BYTES: usize = 64 << 10;

/// How long a body may take; forges themselves give up after about as long.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Bodies that are read at once: at 5 MiB each, what they may have of the memory.
static BODIES: Semaphore = Semaphore::const_new(32);

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

    /// All that is told of a request that nobody knows the sender of.
    fn unread(&self) -> Received {
        Received {
            forge: self.forge,
            event_name: self.event_name.clone(),
            forge_id: self.forge_id.clone(),
            event: Event::Other,
            payload: String::new(),
        }
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
            })
            .and_then(|event| match event {
                Event::Push(push) => payload::checked(push).map(Event::Push),
                Event::Pushes(pushes) => {
                    let checked: Result<_, _> = pushes.into_iter().map(payload::checked).collect();
                    checked.map(Event::Pushes)
                }
                event => Ok(event),
            });
        let shown = match payload {
            Ok(payload) => payload::masked(payload),
            // What cannot be read cannot be masked either.
            Err(_) => format!("{} bytes that could not be read", body.len()),
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
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let Ok(Path(id)) = id else { return unsigned() };
    match handle(&actions, peer, &id, request).await {
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

async fn handle(actions: &Actions, peer: SocketAddr, id: &str, request: Request) -> actions::Result<Response> {
    // Before the body, which is large enough that strangers must not have many of them held in memory.
    let hook = actions.find_hook(id).await?.ok_or(Error::NotFound)?;
    let app = hook.app;
    let headers = request.headers().clone();
    let reading = async {
        let _turn = BODIES.acquire().await;
        Bytes::from_request(request, &()).await
    };
    let body = match tokio::time::timeout(BODY_TIMEOUT, reading).await {
        Ok(Ok(body)) => body,
        Ok(Err(rejection)) => return Ok(unread(&rejection)),
        Err(_) => {
            let text = format!(
                "The body did not come within {} s. Send it again.",
                BODY_TIMEOUT.as_secs()
            );
            return Ok(refuse(StatusCode::REQUEST_TIMEOUT, &text));
        }
    };
    let is_small = body.len() <= SMALL_BODY_BYTES;
    let check = move || {
        let envelope = Envelope::open(&headers);
        let signature = hook.check(&envelope.proof, &body);
        let received = match signature {
            Signature::Valid => envelope.read(&headers, &body, &hook),
            Signature::Wrong | Signature::Missing => envelope.unread(),
        };
        (signature, received)
    };
    let (signature, received) = if is_small {
        check()
    } else {
        tokio::task::spawn_blocking(check).await.map_err(anyhow::Error::from)?
    };
    if signature != Signature::Valid {
        actions.refuse_delivery(app, received, signature).await?;
        return Ok(unsigned());
    }
    let actor = Actor::webhook(app).at(peer.ip());
    Ok(answer(&actions.receive_delivery(&actor, app, received).await?))
}

fn unread(rejection: &BytesRejection) -> Response {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "A webhook may send at most 5 MiB.");
    }
    refuse(StatusCode::BAD_REQUEST, "The body ended before it was complete.")
}

/// What the forge is told: for one that comes again, the same as the first time.
fn answer(delivery: &Delivery) -> Response {
    let accepted = |answer| (StatusCode::ACCEPTED, Json(answer)).into_response();
    let verdict = delivery.verdict.as_ref().filter(|_| !delivery.is_deferred);
    match (verdict, delivery.deployment) {
        (None, _) => accepted(json!({ "delivery": delivery.id })),
        (Some(_), Some(deployment)) => accepted(json!({ "deployment": deployment.id })),
        (Some(verdict), None) if verdict.decision == Decision::Unreadable => {
            refuse(StatusCode::BAD_REQUEST, &verdict.reason)
        }
        (Some(verdict), None) => Json(json!({ "ignored": verdict.reason })).into_response(),
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
