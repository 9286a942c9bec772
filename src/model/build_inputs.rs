//! What goes into an image: when none of it changed, the image that is there is the one that a build would make.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::app::{AppSettings, BuildTarget};
use super::source::{ImageRef, RelativePath, Source};
use super::text::ContainerCommand;

/// The inputs of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildInputs {
    /// Full id of the commit; the digest of a ready image.
    pub commit: String,
    /// What of the commit the build can see: names of Git's objects, and a digest of what Dhow wrote itself. Unknown
    /// until the commit is here, and for images that an older Dhow made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<String>,
    /// The settings that are set, by their names in the API.
    #[serde(deserialize_with = "set_ones")]
    pub settings: BTreeMap<String, String>,
    /// A digest of each build variable's value, by key; with [`BuildInputs::SECRET_SUFFIX`] where it is a secret.
    pub variables: BTreeMap<String, String>,
    /// The images that it began with, as the engine had them: ids by name. Not known beforehand, so nothing is compared by
    /// them here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bases: BTreeMap<String, String>,
}

impl BuildInputs {
    /// What follows the digest of a variable that builds get as a secret.
    pub const SECRET_SUFFIX: &'static str = ":secret";

    /// The inputs of a build of a commit with these settings; `variables` holds digests, never values.
    pub fn of(settings: &AppSettings, commit: &str, variables: BTreeMap<String, String>) -> Self {
        let build = &settings.build;
        let submodules = matches!(settings.source, Source::Git { submodules: true, .. });
        let root_dir = settings.source.root_dir().map(RelativePath::as_str);
        let settings = [
            ("source.root_dir", root_dir),
            ("source.submodules", submodules.then_some("true")),
            ("build.builder", Some(build.builder.as_str())),
            ("build.context", Some(build.context.as_str())),
            ("build.dockerfile", Some(build.dockerfile.as_str())),
            ("build.target", build.target.as_ref().map(BuildTarget::as_str)),
            (
                "build.build_command",
                build.build_command.as_ref().map(ContainerCommand::as_str),
            ),
            ("build.publish_dir", build.publish_dir.as_ref().map(shown)),
        ];
        let set = settings
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)));
        Self {
            commit: commit.to_owned(),
            files: None,
            settings: set.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            variables,
            bases: BTreeMap::new(),
        }
    }

    /// The same for a ready image: its name, and the digest that this stands for.
    pub fn of_image(image: &ImageRef, digest: &str) -> Self {
        Self {
            commit: digest.to_owned(),
            files: None,
            settings: BTreeMap::from([("source.image".to_owned(), image.to_string())]),
            variables: BTreeMap::new(),
            bases: BTreeMap::new(),
        }
    }

    /// Whether both make the same image, as long as the images that they begin with are the same. Files are compared where
    /// they are known of both: another commit need not have changed what the build can see.
    pub fn makes_the_same(&self, other: &Self) -> bool {
        let has_same_files = match (&self.files, &other.files) {
            (Some(own), Some(others)) => own == others,
            _ => self.commit == other.commit,
        };
        has_same_files && self.settings == other.settings && self.variables == other.variables
    }
}

/// A publish folder as people write it: the root of the app's folder is set, too.
fn shown(path: &RelativePath) -> &str {
    if path.is_root() { "." } else { path.as_str() }
}

/// Older images have settings that are not set as empty texts.
fn set_ones<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let mut settings = BTreeMap::<String, String>::deserialize(deserializer)?;
    let was_off = settings.get("source.submodules").is_some_and(|value| value == "false");
    if was_off {
        settings.remove("source.submodules");
    }
    settings.retain(|_, value| !value.is_empty());
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(commit: &str, files: Option<&str>) -> BuildInputs {
        BuildInputs {
            commit: commit.to_owned(),
            files: files.map(str::to_owned),
            settings: BTreeMap::from([("build.builder".to_owned(), "auto".to_owned())]),
            variables: BTreeMap::from([("A".to_owned(), "digest".to_owned())]),
            bases: BTreeMap::new(),
        }
    }

    #[test]
    fn files_count_where_they_are_known_and_the_commit_elsewhere() {
        let cases = [
            (inputs("1", Some("a")), inputs("2", Some("a")), true),
            (inputs("1", Some("a")), inputs("1", Some("b")), false),
            (inputs("1", None), inputs("1", Some("b")), true),
            (inputs("1", None), inputs("2", Some("b")), false),
            (inputs("1", None), inputs("1", None), true),
        ];
        for (one, other, expected) in cases {
            assert_eq!(one.makes_the_same(&other), expected, "{one:?} {other:?}");
        }
        let mut other = inputs("1", Some("a"));
        other.variables.insert("A".to_owned(), "another".to_owned());
        assert!(!inputs("1", Some("a")).makes_the_same(&other));
        let mut other = inputs("1", Some("a"));
        other.settings.clear();
        assert!(!inputs("1", Some("a")).makes_the_same(&other));
    }

    #[test]
    fn what_an_older_dhow_stored_is_read_without_what_was_not_set() {
        let text = r#"{"commit":"1","settings":{"build.builder":"dockerfile","build.target":"",
            "source.submodules":"false"},"variables":{}}"#;
        let read: BuildInputs = serde_json::from_str(text).unwrap();
        assert_eq!(read.settings.keys().collect::<Vec<_>>(), ["build.builder"]);
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<BuildInputs>(&written).unwrap(), read);
    }
}
