//! Builds an image with BuildKit from a streamed context, telling its progress line by line.

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::mpsc;

use super::{Engine, Error};

/// What to build. Holds values of build arguments: it is never logged.
pub struct ImageBuild {
    /// Name of the result, as `dhow/blog:7`.
    pub tag: String,
    /// Path of the Dockerfile inside the context's tar.
    pub dockerfile: String,
    /// Stage to stop at; `None` builds the last one.
    pub target: Option<String>,
    /// Build arguments.
    pub args: Vec<(String, String)>,
    /// Labels of the image besides those of ownership.
    pub labels: BTreeMap<String, String>,
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
        let _ = (build, context, lines);
        todo!()
    }
}
