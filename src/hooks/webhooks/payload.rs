//! Payloads: JSON, bare or in a form, and what is kept of them.

use std::sync::LazyLock;

use axum::http::{HeaderMap, header};
use regex::Regex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use url::form_urlencoded;

use super::header as header_text;
use crate::model::delivery::{MAX_PAYLOAD_BYTES, Push};
use crate::model::source::CommitSha;

/// What the name of a field with a secret in it has in it.
const SECRET_NAMES: [&str; 9] = [
    "secret",
    "token",
    "password",
    "private_key",
    "authorization",
    "credential",
    "api_key",
    "apikey",
    "access_key",
];
const FORM: &str = "application/x-www-form-urlencoded";
/// Git servers refuse longer names of branches: they are files.
const MAX_REF_BYTES: usize = 255;
const MESSAGE_CHARS: usize = 200;
const AUTHOR_CHARS: usize = 100;

/// The JSON of a body; else a sentence that says what is wrong.
pub(super) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Value, String> {
    let kind = header_text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let parsed = if kind.to_ascii_lowercase().starts_with(FORM) {
        let payload = form_urlencoded::parse(body).find(|(name, _)| name == "payload");
        let (_, payload) = payload.ok_or("Unreadable: the form has no field “payload”.")?;
        serde_json::from_str(&payload)
    } else {
        serde_json::from_slice(body)
    };
    parsed.map_err(|error| format!("Unreadable: the payload is no JSON ({error})."))
}

/// A payload as a forge's own type; else a sentence.
pub(super) fn read<T: DeserializeOwned>(payload: &Value) -> Result<T, String> {
    T::deserialize(payload).map_err(|error| format!("Unreadable: the payload is none of this event ({error})."))
}

/// A list that may be missing, or `null`, as Go writes empty ones.
pub(super) fn or_none<'de, D: Deserializer<'de>, T: Deserialize<'de>>(list: D) -> Result<Vec<T>, D::Error> {
    Option::deserialize(list).map(Option::unwrap_or_default)
}

/// A commit's name; 40 zeros, as forges write it, stand for none.
pub(super) fn commit(text: &str) -> Result<Option<CommitSha>, String> {
    let sha = CommitSha::parse(text).map_err(|error| format!("Unreadable: {}", error.0))?;
    Ok(Some(sha).filter(|sha| sha.as_str().bytes().any(|digit| digit != b'0')))
}

/// A push whose names can be names of branches; else a sentence.
pub(super) fn checked(push: Push) -> Result<Push, String> {
    let is_name = |name: &str| name.len() <= MAX_REF_BYTES && !name.chars().any(char::is_control);
    if !is_name(&push.git_ref) || !push.default_branch.as_deref().is_none_or(is_name) {
        return Err(format!(
            "Unreadable: no branch or tag has such a name (at most {MAX_REF_BYTES} bytes, no control characters)."
        ));
    }
    Ok(push)
}

/// A commit as GitHub, GitLab, Gitea and Forgejo list it.
#[derive(Deserialize)]
pub(super) struct Commit {
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) message: String,
    author: Option<Author>,
}

#[derive(Deserialize)]
struct Author {
    name: Option<String>,
}

impl Commit {
    pub(super) fn author(&self) -> &str {
        let name = self.author.as_ref().and_then(|author| author.name.as_deref());
        name.unwrap_or_default()
    }
}

/// What they say of the repository.
#[derive(Deserialize)]
pub(super) struct Repository {
    pub(super) default_branch: Option<String>,
}

/// A push with the newest commit's message and author in the length in which they are shown.
pub(super) fn described(push: Push, message: &str, author: &str) -> Push {
    Push {
        message: single_line(message.lines().find(|line| !line.trim().is_empty()), MESSAGE_CHARS),
        author: single_line(Some(author), AUTHOR_CHARS),
        ..push
    }
}

fn single_line(text: Option<&str>, max_chars: usize) -> String {
    let characters = text.unwrap_or_default().chars();
    let line: String = characters
        .map(|character| if character.is_control() { ' ' } else { character })
        .take(max_chars)
        .collect();
    line.trim().to_owned()
}

/// A user name and password in an address. Made once: that costs more than all else about a delivery.
static CREDENTIAL: LazyLock<Regex> = LazyLock::new(|| Regex::new("://[^/@[:space:]]+@").expect("the pattern is valid"));

/// A payload as text, without what may be a secret in it.
pub(super) fn masked(mut payload: Value) -> String {
    mask(&mut payload);
    payload.to_string()
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.to_ascii_lowercase();
                if !value.is_null() && SECRET_NAMES.iter().any(|secret| name.contains(secret)) {
                    *value = Value::from("***");
                } else {
                    mask(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(mask),
        Value::String(text) if CREDENTIAL.is_match(text) => {
            *text = CREDENTIAL.replace_all(text, "://***@").into_owned();
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The beginning of a payload, as much as is kept.
pub(super) fn capped(mut payload: String) -> String {
    payload.truncate(payload.floor_char_boundary(MAX_PAYLOAD_BYTES));
    payload
}
