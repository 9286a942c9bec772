//! Images of registries: what a name stands for there, and its layers fetched onto the engine.
//!
//! The engine dials the registry, never Dhow. What is fetched is fetched by its digest, so that no name that somebody
//! else gave an image on this engine is moved.

mod error;
mod progress;

pub use error::RegistryError;

use std::time::{Duration, Instant};

use bollard::auth::DockerCredentials;
use bollard::models::OciPlatform;
use bollard::query_parameters::{CreateImageOptionsBuilder, TagImageOptionsBuilder};
use futures_util::StreamExt as _;
use tokio::sync::mpsc;

use super::image::{checked, with_tag};
use super::{Engine, Error, Image};
use crate::model::source::SourceToken;
use progress::Progress;

/// Longest time without a word while layers come; the engine itself gives up sooner on a connection that is silent.
const SILENCE: Duration = Duration::from_secs(5 * 60);
/// Bound on the wait for the answer to begin. The caller bounds the pull; this only must not be shorter.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
/// How often progress may become a line.
const TICK: Duration = Duration::from_secs(2);

/// What a name stands for at its registry now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The name by its content, as `registry.example/team/app@sha256:…`.
    pub reference: String,
    /// Which platforms it is for where this server's own is not among them, as `linux/arm64`; empty otherwise.
    pub other_platforms: Vec<String>,
}

impl Resolved {
    /// Its digest, `sha256:…`.
    pub fn digest(&self) -> &str {
        self.reference.split_once('@').map_or("", |(_, digest)| digest)
    }
}

impl Engine {
    /// Asks the registry what a name stands for now; nothing is fetched.
    pub async fn resolve_image(
        &self,
        reference: &str,
        login: Option<&SourceToken>,
        limit: Duration,
    ) -> Result<Resolved, RegistryError> {
        let reference = with_tag(checked(reference)?);
        let docker = self.docker().await?;
        let asking = docker.inspect_registry_image(&reference, login.map(credentials));
        let answer = match tokio::time::timeout(limit, asking).await {
            Ok(answer) => answer.map_err(|error| self.registry_error(&reference, login, error))?,
            Err(_) => return Err(RegistryError::silent(&reference, limit)),
        };
        let digest = answer.descriptor.digest.unwrap_or_default();
        let own = docker.version().await.map_err(self.explain())?;
        let own = format!("{}/{}", own.os.unwrap_or_default(), own.arch.unwrap_or_default());
        Ok(Resolved {
            reference: checked(&format!("{}@{digest}", repository(&reference)))?.to_owned(),
            other_platforms: other_platforms(&answer.platforms, &own),
        })
    }

    /// Fetches an image by its digest (`name@sha256:…`); `lines` receives how it goes. Dropping the future stops it.
    pub async fn fetch_image(
        &self,
        reference: &str,
        login: Option<&SourceToken>,
        lines: &mpsc::Sender<String>,
    ) -> Result<Image, RegistryError> {
        let docker = self.docker().await?.with_timeout(ANSWER_TIMEOUT);
        let options = CreateImageOptionsBuilder::default()
            .from_image(checked(reference)?)
            .build();
        let mut records = docker.create_image(Some(options), None, login.map(credentials));
        let mut progress = Progress::new(Instant::now());
        let mut tick = tokio::time::interval(TICK);
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                record = records.next() => match record {
                    Some(Ok(record)) => {
                        heard = Instant::now();
                        progress.take_in(record);
                    }
                    Some(Err(error)) => return Err(self.registry_error(reference, login, error)),
                    None => break,
                },
                _ = tick.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Err(RegistryError::silent(reference, SILENCE));
                    }
                    send(lines, progress.line()).await;
                }
            }
        }
        send(lines, progress.last_line(Instant::now())).await;
        let found = self.find_image(reference).await?;
        found.ok_or_else(|| Error::NotFound(format!("the engine lost `{reference}` as soon as it was fetched")).into())
    }

    /// Gives an image a further name, `name:tag`. `NotFound` when it is not on the engine.
    pub async fn tag_image(&self, image: &str, name: &str) -> Result<(), Error> {
        let (repository, tag) = checked(name)?
            .rsplit_once(':')
            .ok_or_else(|| Error::Refused(format!("`{name}` has no tag")))?;
        let options = TagImageOptionsBuilder::default().repo(repository).tag(tag).build();
        let docker = self.docker().await?;
        docker
            .tag_image(checked(image)?, Some(options))
            .await
            .map_err(self.explain())
    }

    fn registry_error(
        &self,
        reference: &str,
        login: Option<&SourceToken>,
        error: bollard::errors::Error,
    ) -> RegistryError {
        RegistryError::of(error, reference, login.is_some())
            .unwrap_or_else(|error| self.connection.explain(error).into())
    }
}

async fn send(lines: &mpsc::Sender<String>, line: Option<String>) {
    if let Some(line) = line {
        // Nobody reads the log any more: the image is wanted nevertheless.
        let _ = lines.send(line).await;
    }
}

fn credentials(login: &SourceToken) -> DockerCredentials {
    DockerCredentials {
        username: Some(login.username().to_owned()),
        password: Some(login.secret().to_owned()),
        ..DockerCredentials::default()
    }
}

/// A reference without tag and digest.
fn repository(reference: &str) -> &str {
    let named = reference.split('@').next().unwrap_or(reference);
    match named.rsplit_once(':') {
        // What follows the colon of a port has a path in it.
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => named,
    }
}

/// The platforms that an image is for, where this server's is not one of them. Attestations, which lie among them, call
/// theirs unknown.
fn other_platforms(platforms: &[OciPlatform], own: &str) -> Vec<String> {
    let named = platforms.iter().filter_map(|platform| {
        let (os, architecture) = (platform.os.as_deref()?, platform.architecture.as_deref()?);
        (os != "unknown" && !os.is_empty()).then(|| format!("{os}/{architecture}"))
    });
    let mut named: Vec<String> = named.collect();
    named.dedup();
    if named.iter().any(|platform| platform == own) {
        named.clear();
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_what_stands_before_tag_and_digest() {
        for (reference, expected) in [
            ("nginx", "nginx"),
            ("nginx:1.27", "nginx"),
            ("localhost:5000/team/app", "localhost:5000/team/app"),
            ("localhost:5000/team/app:2", "localhost:5000/team/app"),
            ("nginx:1.27@sha256:ab", "nginx"),
            ("ghcr.io/team/app@sha256:ab", "ghcr.io/team/app"),
        ] {
            assert_eq!(repository(reference), expected, "{reference}");
        }
    }

    #[test]
    fn platforms_are_told_only_where_this_servers_is_missing() {
        let platform = |os: &str, architecture: &str| OciPlatform {
            os: Some(os.to_owned()),
            architecture: Some(architecture.to_owned()),
            ..OciPlatform::default()
        };
        let both = [platform("linux", "amd64"), platform("linux", "arm64")];
        assert!(other_platforms(&both, "linux/amd64").is_empty());
        let other = [platform("linux", "arm64"), platform("unknown", "unknown")];
        assert_eq!(other_platforms(&other, "linux/amd64"), ["linux/arm64"]);
        assert!(other_platforms(&[], "linux/amd64").is_empty());
    }
}
