//! What goes into an image: when none of it changed, the image that is there is the one that a build would make.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::app::{AppSettings, BuildTarget};
use super::source::{ImageRef, RelativePath, Source};
use super::text::ContainerCommand;

/// The inputs of a build. Two that are equal make the same image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildInputs {
    /// Full id of the commit, which stands for every file of it, the Dockerfile included; the digest of a ready image.
    pub commit: String,
    /// The settings by their names in the API.
    pub settings: BTreeMap<String, String>,
    /// A digest of each build variable's value, by key; with [`BuildInputs::SECRET_SUFFIX`] where it is a secret.
    pub variables: BTreeMap<String, String>,
}

impl BuildInputs {
    /// What follows the digest of a variable that builds get as a secret.
    pub const SECRET_SUFFIX: &'static str = ":secret";

    /// The inputs of a build of a commit with these settings; `variables` holds digests, never values.
    pub fn of(settings: &AppSettings, commit: &str, variables: BTreeMap<String, String>) -> Self {
        let root_dir = settings.source.root_dir().map_or("", RelativePath::as_str);
        let submodules = matches!(settings.source, Source::Git { submodules: true, .. });
        let build = &settings.build;
        let settings = [
            ("source.root_dir", root_dir),
            ("source.submodules", if submodules { "true" } else { "false" }),
            ("build.builder", build.builder.as_str()),
            ("build.context", build.context.as_str()),
            ("build.dockerfile", build.dockerfile.as_str()),
            ("build.target", build.target.as_ref().map_or("", BuildTarget::as_str)),
            (
                "build.build_command",
                build.build_command.as_ref().map_or("", ContainerCommand::as_str),
            ),
            (
                "build.publish_dir",
                build.publish_dir.as_ref().map_or("", RelativePath::as_str),
            ),
        ];
        Self {
            commit: commit.to_owned(),
            settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            variables,
        }
    }

    /// The same for a ready image: its name, and the digest that this stands for.
    pub fn of_image(image: &ImageRef, digest: &str) -> Self {
        Self {
            commit: digest.to_owned(),
            settings: BTreeMap::from([("source.image".to_owned(), image.to_string())]),
            variables: BTreeMap::new(),
        }
    }
}
