//! How a container ends and what it printed.

use bytes::Bytes;
use futures_util::Stream;

use super::{Engine, Error};

impl Engine {
    /// Waits until it does not run and answers its exit code; at once when it has ended already.
    pub async fn wait_container(&self, name: &str) -> Result<i64, Error> {
        todo!("{name}")
    }

    /// The last lines that it printed, stdout and stderr together, oldest first.
    pub async fn last_output(&self, name: &str, lines: usize) -> Result<Vec<String>, Error> {
        todo!("{name} {lines}")
    }

    /// What it prints, stdout and stderr together, from its first byte until it ends.
    pub fn follow_output(&self, name: &str) -> impl Stream<Item = Result<Bytes, Error>> + Send + use<> {
        let _ = name;
        futures_util::stream::empty()
    }
}
