//! An app as its owner writes it, in a form or as JSON, and how that becomes checked settings.
//!
//! Creating and editing share one way: an edit is the present input with the changed fields laid over it (`null` is
//! a field's default), checked as a whole.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json::{merge, parse_json};
use super::{Fields, Result};
use crate::model::Invalid;
use crate::model::app::{App, AppSettings, Health, HealthPath, Port, Resources, RunSettings};
use crate::model::text::{ContainerCommand, Name};

mod build;
mod source;

pub use build::BuildInput;
pub use source::SourceInput;

/// An app as written.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppInput {
    /// Its name for people.
    pub name: String,
    /// Its name in URLs; made of `name` when left out, and fixed from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// Where its code comes from.
    pub source: SourceInput,
    /// How its image is made.
    #[serde(default)]
    pub build: BuildInput,
    /// The port it listens on; when left out, Dhow finds it: the only one that its image exposes, else 3000, else wherever
    /// it listens.
    #[serde(default)]
    pub port: Option<i64>,
    /// How it is checked.
    #[serde(default)]
    pub health: HealthInput,
    /// What it may use.
    #[serde(default)]
    pub resources: ResourcesInput,
    /// Seconds between SIGTERM and SIGKILL when an instance is stopped.
    #[serde(default = "default_stop_timeout")]
    pub stop_timeout_s: i64,
    /// Whether webhooks deploy it.
    #[serde(default = "default_true")]
    pub auto_deploy: bool,
}

/// A health check as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HealthInput {
    /// Path to ask by HTTP.
    pub path: Option<String>,
    /// Seconds until a start counts as failed.
    pub timeout_s: i64,
}

impl Default for HealthInput {
    fn default() -> Self {
        Self {
            path: None,
            timeout_s: i64::from(Health::DEFAULT_TIMEOUT_S),
        }
    }
}

/// Limits as written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ResourcesInput {
    /// Memory in MiB.
    pub memory_mb: Option<i64>,
    /// Processor cores.
    pub cpus: Option<f64>,
}

fn default_stop_timeout() -> i64 {
    i64::from(RunSettings::DEFAULT_STOP_TIMEOUT_S)
}

fn default_true() -> bool {
    true
}

impl AppInput {
    /// From a JSON object; a field that is `null` has its default.
    pub fn from_json(json: Value) -> Result<Self> {
        refuse_lists(&json)?;
        parse_json(merge(Value::Object(serde_json::Map::new()), json))
    }

    /// This input with the fields of a JSON object laid over it; a field that is `null` gets its default.
    pub fn changed_by(&self, json: Value) -> Result<Self> {
        refuse_lists(&json)?;
        let mut present = serde_json::to_value(self).map_err(anyhow::Error::from)?;
        let kind = json.pointer("/source/kind");
        if kind.is_some_and(|kind| Some(kind) != present.pointer("/source/kind")) {
            // Another kind of source has other fields: nothing of the old one is kept.
            present["source"] = Value::Object(serde_json::Map::new());
            if kind == Some(&Value::from("image")) {
                present["build"] = self.build.of_image();
            }
        }
        parse_json(merge(present, json))
    }

    /// The settings that it stands for, once everything in it was accepted.
    pub fn check(&self, allows_plain_http: bool) -> Result<AppSettings> {
        let mut fields = Fields::default();
        let name = fields.check("name", Name::parse(&self.name));
        let source = self.source.check(&mut fields, allows_plain_http);
        let build = self.build.check(&mut fields);
        if self.source.kind == "image" {
            self.build.refuse_what_images_lack(&mut fields);
        }
        let run = self.check_run(&mut fields);
        fields.finish()?;
        let complete = "without refusals every field is there";
        Ok(AppSettings {
            name: name.expect(complete),
            source: source.expect(complete),
            build: build.expect(complete),
            run: run.expect(complete),
            is_port_guessed: self.port.is_none(),
            auto_deploy: self.auto_deploy,
        })
    }

    fn check_run(&self, fields: &mut Fields) -> Option<RunSettings> {
        let port = fields.check("port", self.port.map_or(Ok(Port::DEFAULT), Port::parse));
        let path = fields.check_optional("health.path", self.health.path.as_deref(), HealthPath::parse);
        let timeout_s = fields.check("health.timeout_s", check_timeout(self.health.timeout_s));
        let memory_mb = self
            .resources
            .memory_mb
            .and_then(|mb| fields.check("resources.memory_mb", check_memory(mb)));
        let cpus = self
            .resources
            .cpus
            .and_then(|cpus| fields.check("resources.cpus", check_cpus(cpus)));
        let stop_timeout_s = fields.check("stop_timeout_s", check_stop_timeout(self.stop_timeout_s));
        let command = |fields: &mut Fields, field: &str, text: &Option<String>| {
            fields.check_optional(field, text.as_deref(), ContainerCommand::parse)
        };
        let start_command = command(fields, "build.start_command", &self.build.start_command);
        let release_command = command(fields, "build.release_command", &self.build.release_command);
        Some(RunSettings {
            port: port?,
            health: Health {
                path,
                timeout_s: timeout_s?,
            },
            resources: Resources { memory_mb, cpus },
            start_command,
            release_command,
            stop_timeout_s: stop_timeout_s?,
        })
    }
}

/// serde would read a list as an object's fields in their order.
fn refuse_lists(json: &Value) -> Result<()> {
    let mut fields = Fields::default();
    for field in ["source", "build", "health", "resources"] {
        if json.get(field).is_some_and(Value::is_array) {
            fields.refuse(field, Invalid::new("Send a JSON object."));
        }
    }
    fields.finish()
}

fn check_timeout(seconds: i64) -> std::result::Result<u32, Invalid> {
    match u32::try_from(seconds) {
        Ok(seconds) if (1..=Health::MAX_TIMEOUT_S).contains(&seconds) => Ok(seconds),
        _ => Err(Invalid::new("Use 1 to 1800 seconds.")),
    }
}

fn check_stop_timeout(seconds: i64) -> std::result::Result<u32, Invalid> {
    match u32::try_from(seconds) {
        Ok(seconds) if (1..=RunSettings::MAX_STOP_TIMEOUT_S).contains(&seconds) => Ok(seconds),
        _ => Err(Invalid::new("Use 1 to 600 seconds.")),
    }
}

fn check_memory(mb: i64) -> std::result::Result<u32, Invalid> {
    match u32::try_from(mb) {
        Ok(mb) if (Resources::MIN_MEMORY_MB..=Resources::MAX_MEMORY_MB).contains(&mb) => Ok(mb),
        _ => Err(Invalid::new("Use 6 to 4194304 MiB, or leave it empty for no limit.")),
    }
}

fn check_cpus(cpus: f64) -> std::result::Result<f64, Invalid> {
    if (0.01..=1024.0).contains(&cpus) {
        Ok(cpus)
    } else {
        Err(Invalid::new("Use 0.01 to 1024 cores, or leave it empty for no limit."))
    }
}

/// A setting's text, when it is set.
fn text<T>(value: Option<&T>, as_str: impl Fn(&T) -> &str) -> Option<String> {
    value.map(|value| as_str(value).to_owned())
}

impl From<&App> for AppInput {
    fn from(app: &App) -> Self {
        let settings = &app.settings;
        Self {
            name: settings.name.as_str().to_owned(),
            slug: None,
            source: SourceInput::from(&settings.source),
            build: BuildInput::from(app),
            port: (!settings.is_port_guessed).then(|| i64::from(settings.run.port.get())),
            health: HealthInput {
                path: text(settings.run.health.path.as_ref(), HealthPath::as_str),
                timeout_s: i64::from(settings.run.health.timeout_s),
            },
            resources: ResourcesInput {
                memory_mb: settings.run.resources.memory_mb.map(i64::from),
                cpus: settings.run.resources.cpus,
            },
            stop_timeout_s: i64::from(settings.run.stop_timeout_s),
            auto_deploy: settings.auto_deploy,
        }
    }
}

#[cfg(test)]
mod tests;
