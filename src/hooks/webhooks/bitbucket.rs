//! Bitbucket Cloud: Atlassian's documentation, "Event payloads" and "Manage webhooks". One push may tell of several
//! branches and tags at once.

use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use super::{Envelope, payload, sha256_proof, short_header};
use crate::model::delivery::{Event, Forge, Push, skip_marker};

/// The headers of Bitbucket, if they are.
pub(super) fn open(headers: &HeaderMap) -> Option<Envelope> {
    let event = short_header(headers, "x-event-key")?;
    Some(Envelope {
        forge: Some(Forge::Bitbucket),
        event_name: event,
        forge_id: short_header(headers, "x-request-uuid"),
        proof: sha256_proof(headers, "x-hub-signature"),
    })
}

#[derive(Deserialize)]
struct Told {
    push: Changes,
}

#[derive(Deserialize)]
struct Changes {
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    old: Option<Tip>,
    new: Option<Tip>,
    #[serde(default)]
    forced: bool,
    #[serde(default, deserialize_with = "payload::or_none")]
    commits: Vec<Commit>,
    #[serde(default)]
    truncated: bool,
}

#[derive(Deserialize)]
struct Tip {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    target: Commit,
}

#[derive(Deserialize)]
struct Commit {
    hash: String,
    #[serde(default)]
    message: String,
    author: Option<Author>,
}

#[derive(Deserialize)]
struct Author {
    raw: Option<String>,
}

/// What a payload tells.
pub(super) fn event(name: &str, payload: &Value) -> Result<Event, String> {
    match name {
        "diagnostics:ping" => Ok(Event::Ping),
        "repo:push" => {
            let told: Told = payload::read(payload)?;
            let pushes: Result<Vec<Push>, String> = told.push.changes.iter().filter_map(push).collect();
            Ok(Event::Pushes(pushes?))
        }
        _ => Ok(Event::Other),
    }
}

fn push(change: &Change) -> Option<Result<Push, String>> {
    let tip = change.new.as_ref().or(change.old.as_ref())?;
    Some(push_of(change, tip))
}

fn push_of(change: &Change, tip: &Tip) -> Result<Push, String> {
    let kind = if tip.kind == "tag" { "tags" } else { "heads" };
    let hash = |tip: &Option<Tip>| match tip {
        Some(tip) => payload::commit(&tip.target.hash),
        None => Ok(None),
    };
    let push = Push {
        git_ref: format!("refs/{kind}/{}", tip.name),
        before: hash(&change.old)?,
        after: hash(&change.new)?,
        is_forced: change.forced,
        skip_marker: skip_marker(
            change.commits.iter().map(|commit| commit.message.as_str()),
            !change.truncated,
        ),
        ..Push::default()
    };
    let raw = tip.target.author.as_ref().and_then(|author| author.raw.as_deref());
    let name = raw.unwrap_or_default().split('<').next().unwrap_or_default();
    Ok(payload::described(push, &tip.target.message, name))
}
