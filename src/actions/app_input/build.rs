//! How an app's image is made, as its owner writes it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::text;
use crate::actions::Fields;
use crate::model::Invalid;
use crate::model::app::{App, BuildSettings, BuildTarget, Builder};
use crate::model::source::RelativePath;
use crate::model::text::ContainerCommand;

/// Build settings as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BuildInput {
    /// `auto`, `dockerfile` or `static`.
    pub builder: String,
    /// Directory that the Dockerfile can copy from.
    pub context: String,
    /// Path of the Dockerfile.
    pub dockerfile: String,
    /// Stage to build.
    pub target: Option<String>,
    /// Replaces the build's command where Dhow writes the Dockerfile.
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
            builder: Builder::Auto.as_str().to_owned(),
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

impl BuildInput {
    /// What is left of the settings for a ready image: how it is run.
    pub(super) fn of_image(&self) -> Value {
        let run = Self {
            start_command: self.start_command.clone(),
            release_command: self.release_command.clone(),
            ..Self::default()
        };
        serde_json::json!(run)
    }

    pub(super) fn check(&self, fields: &mut Fields) -> Option<BuildSettings> {
        let builder = fields.check("build.builder", Builder::parse(&self.builder));
        let context = fields.check("build.context", RelativePath::parse(&self.context));
        let dockerfile = fields.check("build.dockerfile", check_dockerfile(&self.dockerfile));
        let target = fields.check_optional("build.target", self.target.as_deref(), BuildTarget::parse);
        let build_command = fields.check_optional(
            "build.build_command",
            self.build_command.as_deref(),
            ContainerCommand::parse,
        );
        let publish_dir = fields.check_optional("build.publish_dir", self.publish_dir.as_deref(), RelativePath::parse);
        if builder == Some(Builder::Dockerfile) {
            self.refuse_what_dockerfiles_say(fields);
        }
        Some(BuildSettings {
            builder: builder?,
            context: context?,
            dockerfile: dockerfile?,
            target,
            build_command,
            publish_dir,
        })
    }

    /// A ready image is not built.
    pub(super) fn refuse_what_images_lack(&self, fields: &mut Fields) {
        for (field, value) in [
            ("build.target", &self.target),
            ("build.build_command", &self.build_command),
            ("build.publish_dir", &self.publish_dir),
        ] {
            if value.is_some() {
                fields.refuse(field, Invalid::new("A ready image is not built; leave it out."));
            }
        }
    }

    fn refuse_what_dockerfiles_say(&self, fields: &mut Fields) {
        for (field, value) in [
            ("build.build_command", &self.build_command),
            ("build.publish_dir", &self.publish_dir),
        ] {
            if value.is_some() {
                let message = "A Dockerfile says this itself; leave it out, or use the builder auto or static.";
                fields.refuse(field, Invalid::new(message));
            }
        }
    }
}

impl From<&App> for BuildInput {
    fn from(app: &App) -> Self {
        let (build, run) = (&app.settings.build, &app.settings.run);
        Self {
            builder: build.builder.as_str().to_owned(),
            context: shown(&build.context),
            dockerfile: build.dockerfile.as_str().to_owned(),
            target: text(build.target.as_ref(), BuildTarget::as_str),
            build_command: text(build.build_command.as_ref(), ContainerCommand::as_str),
            start_command: text(run.start_command.as_ref(), ContainerCommand::as_str),
            publish_dir: build.publish_dir.as_ref().map(shown),
            release_command: text(run.release_command.as_ref(), ContainerCommand::as_str),
        }
    }
}

/// A directory as people write it.
fn shown(path: &RelativePath) -> String {
    if path.is_root() { "." } else { path.as_str() }.to_owned()
}

fn check_dockerfile(text: &str) -> Result<RelativePath, Invalid> {
    let path = RelativePath::parse(text)?;
    if path.is_root() {
        return Err(Invalid::new(
            "Name a file, such as Dockerfile or docker/web.Dockerfile.",
        ));
    }
    Ok(path)
}
