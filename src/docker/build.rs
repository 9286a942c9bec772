//! Builds an image with BuildKit from a streamed context, telling its progress line by line.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::time::{Duration, Instant};

use bollard::errors::Error as BollardError;
use bollard::models::{BuildInfo, BuildInfoAux};
use bollard::query_parameters::{BuildImageOptions, BuildImageOptionsBuilder};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;

use super::error::is_disk_full;
use super::progress::Progress;
use super::session::Session;
use super::upload::Upload;
use super::{Engine, Error};
use crate::model::dockerfile::FrontendNeeds;
use crate::model::env_var::EnvKey;

/// Bound on the wait for the answer to begin. The caller bounds the build; this only must not be shorter.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
/// Most bytes of the build arguments as they are sent: in the address of a request, which has 65,534 at most (the crate
/// `http`), with all else that stands there.
const MOST_ARGUMENT_BYTES: usize = 60_000;
/// How often output without an end of line is looked after.
const TICK: Duration = Duration::from_millis(250);
/// The first Docker whose built-in frontend knows heredocs and `COPY --link`.
const HEREDOCS_SINCE: u32 = 23;
/// Flags that came after Docker 20.10; others are taken for mistakes of the Dockerfile's author.
const NEWER_FLAGS: [&str; 5] = ["link", "checksum", "keep-git-dir", "parents", "exclude"];

/// What to build. It holds values of build arguments and is never logged; BuildKit itself puts them into the names of
/// steps and its error messages, so whoever writes the log has to take out those that are secret.
pub struct ImageBuild {
    /// Name of the result, as `dhow/blog:7`.
    pub tag: String,
    /// Path of the Dockerfile inside the context's tar.
    pub dockerfile: String,
    /// What the Dockerfile asks of BuildKit, to explain a failure.
    pub needs: FrontendNeeds,
    /// Stage to stop at; `None` builds the last one.
    pub target: Option<String>,
    /// Build arguments; they stay in the image's history.
    pub args: Vec<(String, String)>,
    /// What `RUN --mount=type=secret,id=…` may mount, by id; seen by that step alone and left nowhere.
    pub secrets: Vec<(String, String)>,
    /// Labels of the image besides those of ownership.
    pub labels: BTreeMap<String, String>,
    /// Whether base images are asked for anew and nothing is taken from the build cache.
    pub is_fresh: bool,
}

/// Why no image was made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A step failed; the exit code is known where a command of the Dockerfile ended with one.
    #[error("{message}")]
    Failed {
        /// Exit code of the `RUN` that failed.
        exit_code: Option<i64>,
        /// BuildKit's last words.
        message: String,
    },
    /// The Dockerfile uses syntax that the engine's BuildKit does not know; the text says which and what to do.
    #[error("{0}")]
    FrontendTooOld(String),
    /// The Dockerfile mounts a secret that it was not given.
    #[error(
        "the Dockerfile mounts the secret `{id}`, and there is none: add a secret variable of that name with the scope \
         build or both, or take the mount out"
    )]
    SecretMissing {
        /// As the Dockerfile names it.
        id: String,
    },
    /// The Dockerfile requires a secret that no variable can be.
    #[error(
        "the Dockerfile requires the secret `{id}`, and no variable can have that name: mount a secret variable by its own \
         name, as in --mount=type=secret,id=NPM_TOKEN,target=/run/secrets/{id}"
    )]
    SecretUnnameable {
        /// As the Dockerfile names it.
        id: String,
    },
    /// There is more in build arguments than the engine can be sent.
    #[error(
        "the plain variables with the scope build or both have {bytes} bytes as they are sent to Docker, and {most} is the \
         most: make the longest a secret and mount it, since mounts have no such limit",
        most = MOST_ARGUMENT_BYTES
    )]
    ArgumentsTooLong {
        /// As they would be sent.
        bytes: usize,
    },
    /// The engine, not the Dockerfile, is the trouble.
    #[error(transparent)]
    Engine(#[from] Error),
}

impl Engine {
    /// Builds an image and answers its id (`sha256:…`). `context` is a tar, `lines` receives the log live. Dropping the
    /// future stops the build.
    pub async fn build_image(
        &self,
        build: &ImageBuild,
        context: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        lines: mpsc::Sender<String>,
    ) -> Result<String, BuildError> {
        check_arguments(&build.args)?;
        let docker = self.docker().await?.with_timeout(ANSWER_TIMEOUT);
        let session = Session::open(&self.connection, &build.secrets).await?;
        let options = self.build_options(build, session.id());
        let upload = Upload::default();
        let context = upload.watch(context);
        let mut records = docker.build_image(options, None, Some(bollard::body_try_stream(context)));
        let mut progress = Progress::default();
        let mut tick = tokio::time::interval(TICK);
        let mut image_id = None;
        let outcome = loop {
            tokio::select! {
                record = records.next() => match record {
                    Some(Ok(record)) => image_id = take_in(record, &mut progress).or(image_id),
                    Some(Err(error)) => break Err(error),
                    None => break Ok(()),
                },
                _ = tick.tick() => progress.tick(Instant::now()),
            }
            progress.note(upload.take_line());
            send(&mut progress, &lines).await;
        };
        progress.finish();
        send(&mut progress, &lines).await;
        if let Some(error) = upload.take_error() {
            return Err(failed(format!("the files to build from could not be read: {error}")));
        }
        if let Err(error) = outcome {
            return Err(self.build_error(build, error, session.missing(), &lines).await);
        }
        self.built(build, image_id).await
    }

    fn build_options(&self, build: &ImageBuild, session: &str) -> BuildImageOptions {
        let labels = self.with_our_labels(&build.labels);
        let args: HashMap<String, String> = build.args.iter().cloned().collect();
        BuildImageOptionsBuilder::default()
            .session(session)
            .t(&build.tag)
            .dockerfile(&build.dockerfile)
            .target(build.target.as_deref().unwrap_or_default())
            .buildargs(&args)
            .labels(&labels)
            .nocache(build.is_fresh)
            .pull(if build.is_fresh { "true" } else { "" })
            .build()
    }

    async fn built(&self, build: &ImageBuild, image_id: Option<String>) -> Result<String, BuildError> {
        if let Some(id) = image_id {
            return Ok(id);
        }
        let image = self.find_image(&build.tag).await?;
        image
            .map(|image| image.id)
            .ok_or_else(|| failed("BuildKit ended without an image and without an error".into()))
    }

    async fn build_error(
        &self,
        build: &ImageBuild,
        error: BollardError,
        missing_secret: Option<String>,
        lines: &mpsc::Sender<String>,
    ) -> BuildError {
        let BollardError::DockerStreamError { error: message } = error else {
            return BuildError::Engine(self.connection.explain(error));
        };
        let engine_version = self.connection.engine_version();
        // A sentence says what to do; the log keeps what BuildKit said.
        if let Some(sentence) = frontend_too_old(&build.needs, &engine_version, &message) {
            let _ = lines.send(message).await;
            return BuildError::FrontendTooOld(sentence);
        }
        if let Some(id) = missing_secret {
            let _ = lines.send(message).await;
            return BuildError::SecretMissing { id };
        }
        if let Some(id) = unnameable_secret(&message) {
            let id = id.to_owned();
            let _ = lines.send(message).await;
            return BuildError::SecretUnnameable { id };
        }
        let exit_code = exit_code(&message);
        if exit_code.is_none() && is_disk_full(&message) {
            return BuildError::Engine(
                self.connection
                    .explain(BollardError::DockerStreamError { error: message }),
            );
        }
        BuildError::Failed { exit_code, message }
    }
}

/// Takes in one record of the answer; the image's id comes in one of the last.
fn take_in(record: BuildInfo, progress: &mut Progress) -> Option<String> {
    match record.aux? {
        BuildInfoAux::BuildKit(status) => {
            progress.report(status, Instant::now());
            None
        }
        BuildInfoAux::Default(image) => image.id,
    }
}

async fn send(progress: &mut Progress, lines: &mpsc::Sender<String>) {
    for line in progress.take_lines() {
        // Nobody reads the log any more: the image is wanted nevertheless.
        let _ = lines.send(line).await;
    }
}

fn failed(message: String) -> BuildError {
    BuildError::Failed {
        exit_code: None,
        message,
    }
}

fn check_arguments(args: &[(String, String)]) -> Result<(), BuildError> {
    let args: BTreeMap<&str, &str> = args.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let json = serde_json::to_string(&args).map_err(|error| failed(error.to_string()))?;
    // A query is encoded as a form is (WHATWG URL, "application/x-www-form-urlencoded").
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" *-._".contains(&byte);
    let bytes = json.bytes().map(|byte| if is_plain(byte) { 1 } else { 3 }).sum();
    if bytes > MOST_ARGUMENT_BYTES {
        return Err(BuildError::ArgumentsTooLong { bytes });
    }
    Ok(())
}

/// What BuildKit calls a required secret that it was told not to be there: `… secret npm-token: not found`, where 20.10
/// has ` not found: not found`.
fn unnameable_secret(message: &str) -> Option<&str> {
    let (_, id) = message.strip_suffix(": not found")?.rsplit_once("secret ")?;
    let id = id.strip_suffix(" not found").unwrap_or(id);
    let is_id = !id.contains(|c: char| c.is_whitespace() || c == '"');
    (is_id && EnvKey::parse(id).is_err()).then_some(id)
}

/// BuildKit ends its message with `exit code: 3` when a command failed.
fn exit_code(message: &str) -> Option<i64> {
    let (_, after) = message.rsplit_once("exit code: ")?;
    let digits = after.split(|character: char| !character.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// `docker/dockerfile` of `registry.example/docker/dockerfile:1`: what the message of a failed fetch has in common on all
/// engines.
fn repository_path(image: &str) -> &str {
    let without_digest = image.split('@').next().unwrap_or(image);
    let (host, rest) = without_digest.split_once('/').unwrap_or(("", without_digest));
    let path = if host.contains(['.', ':']) || host == "localhost" {
        rest
    } else {
        without_digest
    };
    path.split(':').next().unwrap_or(path)
}

fn frontend_too_old(needs: &FrontendNeeds, engine_version: &str, message: &str) -> Option<String> {
    if let Some(image) = needs.syntax.as_deref()
        && exit_code(message).is_none()
        && !message.contains("parse error")
        && message.contains(repository_path(image))
    {
        return Some(format!(
            "the Dockerfile's line `# syntax={image}` asks for a builder from a registry, which could not be fetched: let \
             this machine reach that registry, or remove the line if Docker Engine {engine_version} knows all that the \
             Dockerfile uses (heredocs need Docker 23.0)"
        ));
    }
    let is_old = engine_version.split('.').next()?.parse::<u32>().ok()? < HEREDOCS_SINCE;
    let lowercase = message.to_lowercase();
    let feature = if is_old && needs.has_heredoc && lowercase.contains("unknown instruction") {
        "a heredoc (`RUN <<EOF`)".to_owned()
    } else {
        let flag = NEWER_FLAGS
            .iter()
            .find(|flag| lowercase.contains(&format!("unknown flag: {flag}")))?;
        format!("the flag `--{flag}`")
    };
    Some(format!(
        "the Dockerfile uses {feature}, which the BuildKit of Docker Engine {engine_version} does not know: upgrade \
         Docker to 23.0 or newer, or begin the Dockerfile with the line `# syntax=docker/dockerfile:1` where this machine \
         can reach Docker Hub"
    ))
}

#[cfg(test)]
mod tests;
