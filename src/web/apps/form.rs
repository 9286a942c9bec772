//! The form of an app: between what is typed and the API's JSON, in both directions.
//!
//! One table says for each field where it is in the JSON and what kind of value it holds. An empty field is its
//! default; a number that is none becomes one that the action refuses, so that one place says what is allowed.

use serde_json::{Value, json};

use crate::actions::FieldError;
use crate::actions::app_input::AppInput;
use crate::model::app::{App, RunSettings};
use crate::model::source::GitUrl;
use crate::web::forms::FormErrors;
use crate::web::typed::Typed;

/// What a field's text stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Text that may not be empty.
    Required,
    Text,
    Integer,
    Number,
    Switch,
    /// A list, one a line.
    Lines,
}

/// Name in the form, place in the API's JSON, kind.
type Spec = (&'static str, &'static [&'static str], Kind);

const FIELDS: &[Spec] = &[
    ("name", &["name"], Kind::Required),
    ("slug", &["slug"], Kind::Text),
    ("kind", &["source", "kind"], Kind::Required),
    ("url", &["source", "url"], Kind::Text),
    ("branch", &["source", "branch"], Kind::Text),
    ("submodules", &["source", "submodules"], Kind::Switch),
    ("watch_paths", &["source", "watch_paths"], Kind::Lines),
    ("image", &["source", "image"], Kind::Text),
    ("root_dir", &["source", "root_dir"], Kind::Text),
    ("builder", &["build", "builder"], Kind::Text),
    ("context", &["build", "context"], Kind::Text),
    ("dockerfile", &["build", "dockerfile"], Kind::Text),
    ("target", &["build", "target"], Kind::Text),
    ("build_command", &["build", "build_command"], Kind::Text),
    ("publish_dir", &["build", "publish_dir"], Kind::Text),
    ("start_command", &["build", "start_command"], Kind::Text),
    ("release_command", &["build", "release_command"], Kind::Text),
    ("port", &["port"], Kind::Integer),
    ("path", &["health", "path"], Kind::Text),
    ("timeout_s", &["health", "timeout_s"], Kind::Integer),
    ("memory_mb", &["resources", "memory_mb"], Kind::Integer),
    ("cpus", &["resources", "cpus"], Kind::Number),
    ("stop_timeout_s", &["stop_timeout_s"], Kind::Integer),
    ("auto_deploy", &["auto_deploy"], Kind::Switch),
];

/// Whether a source of this kind has the field; the form sends it also while it is hidden.
fn is_of_kind(name: &str, kind: &str) -> bool {
    match name {
        "url" | "submodules" | "watch_paths" => kind == "git",
        "image" => kind == "image",
        "branch" | "root_dir" | "builder" | "context" | "dockerfile" | "target" | "build_command" | "publish_dir" => {
            kind != "image"
        }
        _ => true,
    }
}

/// Whether a builder has the field; what a hidden one holds does not count.
fn is_of_builder(name: &str, builder: &str) -> bool {
    match name {
        "build_command" | "publish_dir" => builder != "dockerfile",
        "context" | "dockerfile" | "target" => builder != "static",
        _ => true,
    }
}

/// The words that label each field.
const LABELS: &[(&str, &str)] = &[
    ("name", "Name"),
    ("slug", "Short name"),
    ("kind", "Where the code comes from"),
    ("url", "Repository URL"),
    ("branch", "Branch"),
    ("submodules", "Submodules"),
    ("watch_paths", "Watched paths"),
    ("root_dir", "App folder"),
    ("image", "Image"),
    ("builder", "Builder"),
    ("context", "Build context"),
    ("dockerfile", "Dockerfile"),
    ("target", "Stage"),
    ("build_command", "Build command"),
    ("publish_dir", "Publish folder"),
    ("start_command", "Start command"),
    ("release_command", "Release command"),
    ("port", "Port"),
    ("path", "Health path"),
    ("timeout_s", "Give up after"),
    ("memory_mb", "Memory limit"),
    ("cpus", "Processor limit"),
    ("stop_timeout_s", "Time to stop"),
    ("auto_deploy", "Automatic deployment"),
];

/// What the form of a new app holds at first.
pub fn of_new_app() -> Typed {
    let empty = AppInput {
        stop_timeout_s: i64::from(RunSettings::DEFAULT_STOP_TIMEOUT_S),
        auto_deploy: true,
        ..AppInput::default()
    };
    let mut typed = typed_of(&empty);
    typed.set("kind", "git");
    typed.set("submodules", "true");
    typed
}

/// What the form of an app holds at first.
pub fn of_app(app: &App) -> Typed {
    typed_of(&AppInput::from(app))
}

fn typed_of(input: &AppInput) -> Typed {
    let json = serde_json::to_value(input).unwrap_or_default();
    let mut typed = Typed::default();
    for (name, path, _) in FIELDS {
        let value = path.iter().try_fold(&json, |at, key| at.get(key));
        typed.set(
            name,
            match value {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text.clone(),
                Some(Value::Array(lines)) => {
                    let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
                    lines.join("\n")
                }
                Some(other) => other.to_string(),
            },
        );
    }
    typed
}

/// What was typed, without a token that was typed into the address.
pub fn shown_again(mut typed: Typed) -> Typed {
    let url = GitUrl::mask(typed.value("url"));
    typed.set("url", url);
    typed
}

/// Whether a folded part of the form shall be open: something in it was refused, or is not as in a new app.
pub fn is_open(typed: &Typed, errors: &FormErrors, names: &[&str]) -> bool {
    let usual = of_new_app();
    errors.has_any(names) || names.iter().any(|name| typed.value(name) != usual.value(name))
}

/// Refusals by the fields of the form: a field's name there is the last part of its name in the API.
pub fn errors(errors: Vec<FieldError>) -> FormErrors {
    let errors = errors.into_iter().map(|error| FieldError {
        field: leaf(&error.field).to_owned(),
        ..error
    });
    FormErrors::new(errors.collect(), LABELS)
}

/// The words for a field by its name in the API.
pub fn label(field: &str) -> &str {
    let name = leaf(field);
    let found = LABELS.iter().find(|(known, _)| *known == name);
    found.map_or(field, |(_, label)| label)
}

fn leaf(field: &str) -> &str {
    field.rsplit('.').next().unwrap_or(field)
}

/// The API's JSON for what was typed; fields that the form did not have are left out.
pub fn to_json(typed: &Typed) -> Value {
    let (source, builder) = (typed.value("kind"), typed.value("builder"));
    let mut json = json!({});
    for (name, path, kind) in FIELDS.iter().filter(|(name, ..)| is_of_kind(name, source)) {
        if let Some(text) = typed.get(name) {
            let text = if is_of_builder(name, builder) { text.trim() } else { "" };
            // Indexing makes what is missing on the way.
            *path.iter().fold(&mut json, |at, key| &mut at[*key]) = kind.value(text);
        }
    }
    json
}

/// The same for an app that is yet to be made, where nothing is there to be kept.
pub fn to_new_json(typed: &Typed) -> Value {
    let mut typed = typed.clone();
    for (name, default) in [("name", ""), ("kind", "git")] {
        if typed.get(name).is_none() {
            typed.set(name, default);
        }
    }
    to_json(&typed)
}

impl Kind {
    fn value(self, text: &str) -> Value {
        match self {
            Self::Required => json!(text),
            _ if text.is_empty() => Value::Null,
            Self::Text => json!(text),
            Self::Integer => json!(text.parse::<i64>().unwrap_or(-1)),
            Self::Number => json!(
                text.parse::<f64>()
                    .ok()
                    .filter(|number| number.is_finite())
                    .unwrap_or(-1.0)
            ),
            Self::Switch => json!(text == "true"),
            Self::Lines => {
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                json!(lines.collect::<Vec<_>>())
            }
        }
    }
}

#[cfg(test)]
mod tests;
