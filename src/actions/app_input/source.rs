//! Where an app's files come from, as its owner writes it.

use serde::{Deserialize, Serialize};

use super::{default_true, text};
use crate::actions::{Error, Fields, Result};
use crate::model::Invalid;
use crate::model::source::{Branch, GitUrl, ImageRef, RelativePath, Source, SourceToken, WatchPath};

/// A source as written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceInput {
    /// `git`, `push` or `image`.
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
    /// Only pushes that change one of these paths deploy by a webhook: globs from the repository's root, such as
    /// `services/web` or `**/*.toml`. Empty: every push does.
    #[serde(default)]
    pub watch_paths: Vec<String>,
    /// The image to run, such as `ghcr.io/acme/web:1.4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

impl SourceInput {
    /// Takes a token out of the address into which it was typed, so that it is stored nowhere but sealed.
    pub(in crate::actions) fn take_token(&mut self) -> Result<Option<SourceToken>> {
        let Some((url, token)) = self.url.as_deref().and_then(GitUrl::take_token) else {
            return Ok(None);
        };
        self.url = Some(url);
        token.map(Some).map_err(|error| Error::field("source.url", error))
    }

    pub(super) fn check(&self, fields: &mut Fields, allows_plain_http: bool) -> Option<Source> {
        let root_dir = fields.check("source.root_dir", RelativePath::parse(&self.root_dir));
        let branch =
            |fields: &mut Fields| fields.check_optional("source.branch", self.branch.as_deref(), Branch::parse);
        let watch_paths = fields.check("source.watch_paths", check_watch_paths(&self.watch_paths));
        if self.kind != "image" && self.image.is_some() {
            fields.refuse("source.image", Invalid::new("Only a source of the kind image has one."));
        }
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
                    watch_paths: watch_paths?,
                })
            }
            "push" => {
                if self.url.is_some() {
                    let message = "An app that is pushed to has no address; leave it out.";
                    fields.refuse("source.url", Invalid::new(message));
                }
                if !self.watch_paths.is_empty() {
                    let message = "An app that is pushed to is deployed by every push; leave the list empty.";
                    fields.refuse("source.watch_paths", Invalid::new(message));
                }
                let branch = branch(fields);
                Some(Source::Push {
                    branch,
                    root_dir: root_dir?,
                })
            }
            "image" => {
                self.refuse_what_images_lack(fields);
                let image = fields.check("source.image", ImageRef::parse(self.image.as_deref().unwrap_or("")));
                Some(Source::Image { image: image? })
            }
            _ => {
                fields.refuse("source.kind", Invalid::new("Use one of: git push image."));
                None
            }
        }
    }

    /// An image has no repository.
    fn refuse_what_images_lack(&self, fields: &mut Fields) {
        let is_there = [
            ("source.url", self.url.is_some()),
            ("source.branch", self.branch.is_some()),
            ("source.root_dir", !self.root_dir.is_empty()),
            ("source.watch_paths", !self.watch_paths.is_empty()),
        ];
        for (field, _) in is_there.into_iter().filter(|(_, is_there)| *is_there) {
            fields.refuse(field, Invalid::new("A ready image has no repository; leave it out."));
        }
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

fn check_watch_paths(texts: &[String]) -> std::result::Result<Vec<WatchPath>, Invalid> {
    if texts.len() > WatchPath::MAX_COUNT {
        return Err(Invalid::new("Use at most 100 paths; one for a directory is enough."));
    }
    texts.iter().map(|text| WatchPath::parse(text)).collect()
}

impl From<&Source> for SourceInput {
    fn from(source: &Source) -> Self {
        match source {
            Source::Git {
                url,
                branch,
                root_dir,
                submodules,
                watch_paths,
            } => Self {
                kind: "git".to_owned(),
                url: Some(url.as_str().to_owned()),
                branch: text(branch.as_ref(), Branch::as_str),
                root_dir: root_dir.as_str().to_owned(),
                submodules: *submodules,
                watch_paths: watch_paths.iter().map(WatchPath::to_string).collect(),
                image: None,
            },
            Source::Push { branch, root_dir } => Self {
                kind: "push".to_owned(),
                branch: text(branch.as_ref(), Branch::as_str),
                root_dir: root_dir.as_str().to_owned(),
                submodules: true,
                ..Self::default()
            },
            Source::Image { image } => Self {
                kind: "image".to_owned(),
                submodules: true,
                image: Some(image.as_str().to_owned()),
                ..Self::default()
            },
        }
    }
}
