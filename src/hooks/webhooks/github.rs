//! GitHub: GitHub docs, "Webhook events and payloads" and "Validating webhook deliveries".

use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use super::payload::{Commit, Repository};
use super::{Envelope, payload, sha256_proof, short_header};
use crate::model::delivery::{Event, Forge, Push, skip_marker};

/// Most commits that a payload lists.
const LISTED_COMMITS: usize = 2048;

/// The headers of GitHub, if they are.
pub(super) fn open(headers: &HeaderMap) -> Option<Envelope> {
    let event = short_header(headers, "x-github-event");
    let is_mine = event.is_some() || headers.contains_key("x-hub-signature-256");
    is_mine.then(|| Envelope {
        forge: Some(Forge::Github),
        event_name: event.unwrap_or_default(),
        forge_id: short_header(headers, "x-github-delivery"),
        proof: sha256_proof(headers, "x-hub-signature-256"),
    })
}

#[derive(Deserialize)]
struct Pushed {
    #[serde(rename = "ref")]
    git_ref: String,
    before: Option<String>,
    after: String,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    forced: bool,
    head_commit: Option<Commit>,
    #[serde(default, deserialize_with = "payload::or_none")]
    commits: Vec<Commit>,
    repository: Option<Repository>,
}

/// What a payload tells.
pub(super) fn event(name: &str, payload: &Value) -> Result<Event, String> {
    match name {
        "ping" => Ok(Event::Ping),
        "push" => push(&payload::read(payload)?).map(Event::Push),
        _ => Ok(Event::Other),
    }
}

fn push(pushed: &Pushed) -> Result<Push, String> {
    let after = payload::commit(&pushed.after)?.filter(|_| !pushed.deleted);
    let messages = pushed.commits.iter().map(|commit| commit.message.as_str());
    let push = Push {
        git_ref: pushed.git_ref.clone(),
        before: pushed.before.as_deref().map(payload::commit).transpose()?.flatten(),
        after,
        is_forced: pushed.forced,
        skip_marker: skip_marker(messages, pushed.commits.len() < LISTED_COMMITS),
        default_branch: pushed.repository.as_ref().and_then(|it| it.default_branch.clone()),
        ..Push::default()
    };
    let Some(head) = &pushed.head_commit else {
        return Ok(push);
    };
    Ok(payload::described(push, &head.message, head.author()))
}
