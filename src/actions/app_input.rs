//! An app as its owner writes it, in a form or as JSON, and how that becomes checked settings.
//!
//! Creating and editing share one way: an edit is the present input with the changed fields laid over it (`null` is
//! a field's default), checked as a whole.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json::{merge, parse_json};
use super::{Error, Fields, Result};
use crate::model::Invalid;
use crate::model::app::{
    App, AppSettings, BuildSettings, BuildTarget, Builder, Health, HealthPath, Port, Resources, RunSettings,
};
use crate::model::source::{Branch, GitUrl, RelativePath, Source, SourceToken};
use crate::model::text::{ContainerCommand, Name};

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
    /// The port it listens on.
    #[serde(default = "default_port")]
    pub port: i64,
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

/// A source as written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceInput {
    /// `git` or `push`.
    pub kind: String,
    /// The repository's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The branch to follow; the repository's default when left out.
    #[serde(default)]
    pub branch: Option<String>,
    /// The directory that is the app.
    #[serde(default)]
    pub root_dir: String,
    /// Whether submodules are fetched too.
    #[serde(default = "default_true")]
    pub submodules: bool,
    /// Only pushes that change these paths deploy.
    #[serde(default)]
    pub watch_paths: Vec<String>,
}

/// Build settings as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BuildInput {
    /// `dockerfile`.
    pub builder: String,
    /// Directory that the Dockerfile can copy from.
    pub context: String,
    /// Path of the Dockerfile.
    pub dockerfile: String,
    /// Stage to build.
    pub target: Option<String>,
    /// Replaces the build's own command, for builders that have one.
    pub build_command: Option<String>,
    /// Replaces the image's command.
    pub start_command: Option<String>,
    /// Directory to serve, for static sites.
    pub publish_dir: Option<String>,
    /// Runs once in the new image before it starts.
    pub release_command: Option<String>,
}

impl Default for BuildInput {
    fn default() -> Self {
        Self {
            builder: Builder::Dockerfile.as_str().to_owned(),
            context: ".".to_owned(),
            dockerfile: "Dockerfile".to_owned(),
            target: None,
            build_command: None,
            start_command: None,
            publish_dir: None,
            release_command: None,
        }
    }
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

fn default_port() -> i64 {
    i64::from(Port::DEFAULT.get())
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
        }
        parse_json(merge(present, json))
    }

    /// The settings that it stands for, once everything in it was accepted.
    pub fn check(&self, allows_plain_http: bool) -> Result<AppSettings> {
        let mut fields = Fields::default();
        let name = fields.check("name", Name::parse(&self.name));
        let source = self.source.check(&mut fields, allows_plain_http);
        let build = self.build.check(&mut fields);
        let run = self.check_run(&mut fields);
        fields.finish()?;
        let complete = "without refusals every field is there";
        Ok(AppSettings {
            name: name.expect(complete),
            source: source.expect(complete),
            build: build.expect(complete),
            run: run.expect(complete),
            auto_deploy: self.auto_deploy,
        })
    }

    fn check_run(&self, fields: &mut Fields) -> Option<RunSettings> {
        let port = fields.check("port", Port::parse(self.port));
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

impl SourceInput {
    /// Takes a token out of the address into which it was typed, so that it is stored nowhere but sealed.
    pub(super) fn take_token(&mut self) -> Result<Option<SourceToken>> {
        let Some((url, token)) = self.url.as_deref().and_then(GitUrl::take_token) else {
            return Ok(None);
        };
        self.url = Some(url);
        token.map(Some).map_err(|error| Error::field("source.url", error))
    }

    fn check(&self, fields: &mut Fields, allows_plain_http: bool) -> Option<Source> {
        let root_dir = fields.check("source.root_dir", RelativePath::parse(&self.root_dir));
        if !self.watch_paths.is_empty() {
            fields.refuse(
                "source.watch_paths",
                Invalid::new("Leave the list empty; every push counts."),
            );
        }
        let branch =
            |fields: &mut Fields| fields.check_optional("source.branch", self.branch.as_deref(), Branch::parse);
        match self.kind.as_str() {
            "git" => {
                let url = fields.check(
                    "source.url",
                    check_url(self.url.as_deref().unwrap_or(""), allows_plain_http),
                );
                let branch = branch(fields);
                Some(Source::Git {
                    url: url?,
                    branch,
                    root_dir: root_dir?,
                    submodules: self.submodules,
                })
            }
            "push" => {
                if self.url.is_some() {
                    let message = "An app that is pushed to has no address; leave it out.";
                    fields.refuse("source.url", Invalid::new(message));
                }
                let branch = branch(fields);
                Some(Source::Push {
                    branch,
                    root_dir: root_dir?,
                })
            }
            _ => {
                fields.refuse("source.kind", Invalid::new("Use one of: git push."));
                None
            }
        }
    }
}

impl BuildInput {
    fn check(&self, fields: &mut Fields) -> Option<BuildSettings> {
        for (field, value) in [
            ("build.build_command", &self.build_command),
            ("build.publish_dir", &self.publish_dir),
        ] {
            if value.is_some() {
                fields.refuse(field, Invalid::new("A Dockerfile says this itself; leave it out."));
            }
        }
        let builder = fields.check("build.builder", Builder::parse(&self.builder));
        let context = fields.check("build.context", RelativePath::parse(&self.context));
        let dockerfile = fields.check("build.dockerfile", check_dockerfile(&self.dockerfile));
        let target = fields.check_optional("build.target", self.target.as_deref(), BuildTarget::parse);
        Some(BuildSettings {
            builder: builder?,
            context: context?,
            dockerfile: dockerfile?,
            target,
        })
    }
}

fn check_url(text: &str, allows_plain_http: bool) -> std::result::Result<GitUrl, Invalid> {
    let url = GitUrl::parse(text)?;
    if !url.is_encrypted() && !allows_plain_http {
        return Err(Invalid::new(
            "Use an https:// address; plain http needs --allow-private-sources.",
        ));
    }
    Ok(url)
}

fn check_dockerfile(text: &str) -> std::result::Result<RelativePath, Invalid> {
    let path = RelativePath::parse(text)?;
    if path.is_root() {
        return Err(Invalid::new(
            "Name a file, such as Dockerfile or docker/web.Dockerfile.",
        ));
    }
    Ok(path)
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
        let path = |path: &RelativePath| path.as_str().to_owned();
        Self {
            name: settings.name.as_str().to_owned(),
            slug: None,
            source: SourceInput::from(&settings.source),
            build: BuildInput {
                builder: settings.build.builder.as_str().to_owned(),
                context: if settings.build.context.is_root() {
                    ".".into()
                } else {
                    path(&settings.build.context)
                },
                dockerfile: path(&settings.build.dockerfile),
                target: text(settings.build.target.as_ref(), BuildTarget::as_str),
                start_command: text(settings.run.start_command.as_ref(), ContainerCommand::as_str),
                release_command: text(settings.run.release_command.as_ref(), ContainerCommand::as_str),
                build_command: None,
                publish_dir: None,
            },
            port: i64::from(settings.run.port.get()),
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

impl From<&Source> for SourceInput {
    fn from(source: &Source) -> Self {
        match source {
            Source::Git {
                url,
                branch,
                root_dir,
                submodules,
            } => Self {
                kind: "git".to_owned(),
                url: Some(url.as_str().to_owned()),
                branch: text(branch.as_ref(), Branch::as_str),
                root_dir: root_dir.as_str().to_owned(),
                submodules: *submodules,
                watch_paths: Vec::new(),
            },
            Source::Push { branch, root_dir } => Self {
                kind: "push".to_owned(),
                branch: text(branch.as_ref(), Branch::as_str),
                root_dir: root_dir.as_str().to_owned(),
                submodules: true,
                ..Self::default()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Error;
    use super::*;

    fn minimal() -> Value {
        json!({"name": "Web", "source": {"kind": "git", "url": "https://git.example.com/a/b.git"}})
    }

    fn refused(error: Error) -> Vec<String> {
        let Error::Invalid(errors) = error else {
            panic!("{error:?}")
        };
        errors.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let settings = AppInput::from_json(minimal()).unwrap().check(false).unwrap();
        assert_eq!(settings.run.port, Port::DEFAULT);
        assert_eq!(settings.build.dockerfile.as_str(), "Dockerfile");
        assert!(settings.auto_deploy && settings.run.health.path.is_none());
    }

    #[test]
    fn an_edit_keeps_what_it_does_not_name_and_null_is_the_default() {
        let mut json = minimal();
        json["port"] = json!(8080);
        json["health"] = json!({"path": "/up", "timeout_s": 5});
        let input = AppInput::from_json(json).unwrap();
        let edited = input
            .changed_by(json!({"name": "Shop", "health": {"path": null}, "port": null}))
            .unwrap();
        assert_eq!((edited.name.as_str(), edited.port), ("Shop", 3000));
        assert_eq!(
            edited.health,
            HealthInput {
                path: None,
                timeout_s: 5
            }
        );
        assert_eq!(edited.source, input.source);
        let pushed = input.changed_by(json!({"source": {"kind": "push"}})).unwrap();
        assert_eq!(pushed.source.url, None);
    }

    #[test]
    fn every_refused_field_is_named() {
        let input = AppInput::from_json(json!({
            "name": "", "source": {"kind": "git", "url": "file:///etc", "branch": "-f", "root_dir": "../x"},
            "build": {"builder": "magic", "context": "/etc", "dockerfile": ".", "target": "$(id)", "start_command": "a\nb"},
            "port": 0, "health": {"path": "x", "timeout_s": 0}, "resources": {"memory_mb": 1, "cpus": 0.0},
            "stop_timeout_s": 0,
        }));
        let fields = refused(input.unwrap().check(false).unwrap_err());
        assert_eq!(
            fields,
            [
                "name",
                "source.root_dir",
                "source.url",
                "source.branch",
                "build.builder",
                "build.context",
                "build.dockerfile",
                "build.target",
                "port",
                "health.path",
                "health.timeout_s",
                "resources.memory_mb",
                "resources.cpus",
                "stop_timeout_s",
                "build.start_command",
            ]
        );
    }

    #[test]
    fn json_that_does_not_fit_is_named_by_its_path() {
        let cases = [
            (json!({"name": "x"}), "source"),
            (json!({"name": 5, "source": {"kind": "push"}}), "name"),
            (json!({"name": "x", "source": {}}), "source.kind"),
            (json!({"name": "x", "source": {"kind": "push"}, "port": "80"}), "port"),
            (
                json!({"name": "x", "source": {"kind": "push"}, "surprise": 1}),
                "surprise",
            ),
            (
                json!({"name": "x", "source": {"kind": "push", "surprise": 1}}),
                "source.surprise",
            ),
            (json!([]), "body"),
            (
                json!({"name": "x", "source": {"kind": "push"}, "health": ["/x", 5]}),
                "health",
            ),
        ];
        for (json, field) in cases {
            assert_eq!(
                refused(AppInput::from_json(json.clone()).unwrap_err()),
                [field],
                "{json}"
            );
        }
    }

    #[test]
    fn plain_http_needs_permission() {
        let mut json = minimal();
        json["source"]["url"] = json!("http://git.example.com/a/b.git");
        let input = AppInput::from_json(json).unwrap();
        assert_eq!(refused(input.check(false).unwrap_err()), ["source.url"]);
        assert!(input.check(true).is_ok());
    }
}
