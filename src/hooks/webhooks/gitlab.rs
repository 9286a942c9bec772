//! GitLab: GitLab docs, "Webhooks" and "Webhook events"; signed ones by the Standard Webhooks specification.

use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use super::payload::{Commit, Repository};
use super::{Envelope, header, payload, short_header};
use crate::model::delivery::{Event, Forge, Proof, Push, skip_marker};

/// The headers of GitLab, if they are. `Idempotency-Key` stays the same when one is sent again, as does `webhook-id`;
/// `X-Gitlab-Event-UUID` is all that older versions have.
pub(super) fn open(headers: &HeaderMap) -> Option<Envelope> {
    let event = short_header(headers, "x-gitlab-event");
    let has_proof = headers.contains_key("x-gitlab-token") || headers.contains_key("webhook-signature");
    (event.is_some() || has_proof).then(|| Envelope {
        forge: Some(Forge::Gitlab),
        event_name: event.unwrap_or_default(),
        forge_id: ["webhook-id", "idempotency-key", "x-gitlab-event-uuid"]
            .iter()
            .find_map(|name| short_header(headers, name)),
        proof: proof(headers),
    })
}

fn proof(headers: &HeaderMap) -> Proof {
    let signed = header(headers, "webhook-id")
        .zip(header(headers, "webhook-timestamp"))
        .zip(header(headers, "webhook-signature"));
    if let Some(((id, timestamp), signatures)) = signed {
        return Proof::Standard {
            id: id.to_owned(),
            timestamp: timestamp.to_owned(),
            signatures: signatures.to_owned(),
        };
    }
    let token = header(headers, "x-gitlab-token").filter(|token| !token.is_empty());
    token.map_or(Proof::None, |token| Proof::Token(token.to_owned()))
}

#[derive(Deserialize)]
struct Told {
    object_kind: Option<String>,
}

#[derive(Deserialize)]
struct Pushed {
    #[serde(rename = "ref")]
    git_ref: String,
    before: Option<String>,
    after: String,
    /// Oldest first, the newest twenty.
    #[serde(default, deserialize_with = "payload::or_none")]
    commits: Vec<Commit>,
    total_commits_count: Option<usize>,
    project: Option<Repository>,
}

/// What a payload tells; its own word for the event is the same in every version and language.
pub(super) fn event(payload: &Value) -> Result<Event, String> {
    let told: Told = payload::read(payload)?;
    match told.object_kind.as_deref() {
        Some("push" | "tag_push") => push(&payload::read(payload)?).map(Event::Push),
        _ => Ok(Event::Other),
    }
}

fn push(pushed: &Pushed) -> Result<Push, String> {
    let is_complete = pushed
        .total_commits_count
        .is_none_or(|total| total <= pushed.commits.len());
    let push = Push {
        git_ref: pushed.git_ref.clone(),
        before: pushed.before.as_deref().map(payload::commit).transpose()?.flatten(),
        after: payload::commit(&pushed.after)?,
        skip_marker: skip_marker(pushed.commits.iter().map(|commit| commit.message.as_str()), is_complete),
        default_branch: pushed
            .project
            .as_ref()
            .and_then(|project| project.default_branch.clone()),
        ..Push::default()
    };
    let is_head = |commit: &&Commit| commit.id.as_deref() == Some(pushed.after.as_str());
    let Some(head) = pushed.commits.iter().find(is_head).or(pushed.commits.last()) else {
        return Ok(push);
    };
    Ok(payload::described(push, &head.message, head.author()))
}
