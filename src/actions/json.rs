//! JSON bodies: laid over what is there, and read so that whatever does not fit is named by its path.

use serde_json::Value;

use super::{Error, Result};
use crate::model::Invalid;

/// Lays `changes` over `present`, objects within objects; a `null` removes (RFC 7396).
pub fn merge(present: Value, changes: Value) -> Value {
    match (present, changes) {
        (Value::Object(mut present), Value::Object(changes)) => {
            for (key, change) in changes {
                if change.is_null() {
                    present.remove(&key);
                } else {
                    let before = present
                        .remove(&key)
                        .unwrap_or_else(|| Value::Object(serde_json::Map::new()));
                    present.insert(key, merge(before, change));
                }
            }
            Value::Object(present)
        }
        (_, changes) => changes,
    }
}

/// Reads checked JSON; what does not fit is named by its path.
pub fn parse_json<T: serde::de::DeserializeOwned>(json: Value) -> Result<T> {
    serde_path_to_error::deserialize(json).map_err(|error| {
        let message = error.inner().to_string();
        let path = match error.path().to_string() {
            path if path == "." => missing_field(&message).unwrap_or_else(|| "body".to_owned()),
            path => missing_field(&message).map_or(path.clone(), |field| join(&path, &field)),
        };
        Error::field(path, Invalid::new(sentence(&message)))
    })
}

fn join(path: &str, field: &str) -> String {
    if path == "." || path.is_empty() {
        field.to_owned()
    } else {
        format!("{path}.{field}")
    }
}

/// serde names a missing field only in its message.
fn missing_field(message: &str) -> Option<String> {
    let rest = message.strip_prefix("missing field `")?;
    rest.split_once('`').map(|(field, _)| field.to_owned())
}

fn sentence(message: &str) -> String {
    if message.starts_with("missing field") {
        return "This field is required.".to_owned();
    }
    let mut chars = message.chars();
    chars.next().map_or_else(String::new, |first| {
        format!("{}{}.", first.to_uppercase(), chars.as_str())
    })
}
