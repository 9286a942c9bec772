//! Gitea and Forgejo: their documentation, "Webhooks". Both send the headers of GitHub besides their own, and payloads
//! like GitHub's that list a few of the commits and say how many there are.

use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use super::payload::{Commit, Repository};
use super::{Envelope, header, payload, sha256_proof, short_header};
use crate::model::delivery::{Event, Forge, Proof, Push, skip_marker};

/// The names that Forgejo and Gitea put before `-event`, `-delivery` and `-signature`.
const PREFIXES: [&str; 2] = ["x-forgejo", "x-gitea"];

/// The headers of Gitea or Forgejo, if they are.
pub(super) fn open(headers: &HeaderMap) -> Option<Envelope> {
    let find = |suffix: &str| {
        let mut names = PREFIXES.iter().map(|prefix| format!("{prefix}-{suffix}"));
        names.find(|name| headers.contains_key(name))
    };
    let signature = find("signature");
    let event = find("event").and_then(|name| short_header(headers, &name));
    if event.is_none() && signature.is_none() {
        return None;
    }
    let digits = signature.and_then(|name| header(headers, &name)).unwrap_or_default();
    let proof = match digits {
        "" => sha256_proof(headers, "x-hub-signature-256"),
        digits => Proof::Hmac(digits.to_owned()),
    };
    Some(Envelope {
        forge: Some(Forge::Gitea),
        event_name: event.unwrap_or_default(),
        forge_id: find("delivery").and_then(|name| short_header(headers, &name)),
        proof,
    })
}

#[derive(Deserialize)]
struct Pushed {
    #[serde(rename = "ref")]
    git_ref: String,
    before: Option<String>,
    after: String,
    /// Newest first.
    #[serde(default, deserialize_with = "payload::or_none")]
    commits: Vec<Commit>,
    total_commits: Option<usize>,
    head_commit: Option<Commit>,
    repository: Option<Repository>,
}

/// What a payload tells. Trying a webhook out sends a push of the newest commit.
pub(super) fn event(name: &str, payload: &Value) -> Result<Event, String> {
    match name {
        "push" => push(&payload::read(payload)?).map(Event::Push),
        _ => Ok(Event::Other),
    }
}

fn push(pushed: &Pushed) -> Result<Push, String> {
    let commits = &pushed.commits;
    let is_complete = pushed.total_commits.is_none_or(|total| total <= commits.len());
    let push = Push {
        git_ref: pushed.git_ref.clone(),
        before: pushed.before.as_deref().map(payload::commit).transpose()?.flatten(),
        after: payload::commit(&pushed.after)?,
        skip_marker: skip_marker(commits.iter().map(|commit| commit.message.as_str()), is_complete),
        default_branch: pushed.repository.as_ref().and_then(|it| it.default_branch.clone()),
        ..Push::default()
    };
    let Some(head) = pushed.head_commit.as_ref().or(commits.first()) else {
        return Ok(push);
    };
    Ok(payload::described(push, &head.message, head.author()))
}
