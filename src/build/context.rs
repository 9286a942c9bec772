//! The build context: a directory as a tar that obeys Docker's ignore rules.

use std::io;

use bytes::Bytes;
use futures_util::Stream;

use super::BuildPlan;

/// A build context that is ready to be streamed.
#[derive(Debug)]
pub struct Context {
    dockerfile: String,
}

impl Context {
    /// Reads the ignore rules that hold for the plan: `<Dockerfile>.dockerignore`, else `.dockerignore`.
    pub fn open(plan: &BuildPlan) -> io::Result<Context> {
        todo!("{plan:?}")
    }

    /// Path of the Dockerfile inside the tar.
    pub fn dockerfile(&self) -> &str {
        &self.dockerfile
    }

    /// The tar, written by a blocking thread as fast as it is read; memory does not grow with the context.
    pub fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        futures_util::stream::empty()
    }
}
