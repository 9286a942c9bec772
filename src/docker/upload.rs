//! Watches a build context on its way to the engine: how much was sent, and why it broke off.
//!
//! bollard tells of a broken stream only that the connection broke, and BuildKit reports nothing before all has come.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};

/// What has happened to a context so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Upload {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    sent_bytes: u64,
    is_complete: bool,
    is_told: bool,
    error: Option<String>,
}

impl Upload {
    /// Passes the stream on and keeps account of it.
    pub(super) fn watch(
        &self,
        context: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let (upload, end) = (self.clone(), self.clone());
        let watched = context.inspect(move |piece| {
            upload.update(|state| match piece {
                Ok(bytes) => state.sent_bytes += bytes.len() as u64,
                Err(error) => state.error = Some(error.to_string()),
            });
        });
        watched.chain(stream::poll_fn(move |_| {
            end.update(|state| state.is_complete = true);
            std::task::Poll::Ready(None)
        }))
    }

    /// A line for the log, once all has been sent.
    pub(super) fn take_line(&self) -> Option<String> {
        self.update(|state| {
            let is_new = state.is_complete && state.error.is_none() && !std::mem::replace(&mut state.is_told, true);
            is_new.then(|| format!("Sent the build context, {}", megabytes(state.sent_bytes)))
        })
    }

    /// Why the context could not be read to its end.
    pub(super) fn take_error(&self) -> Option<String> {
        self.update(|state| state.error.take())
    }

    fn update<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A size as Docker itself tells it, rounded up.
pub(super) fn megabytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil(100_000);
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_line_comes_once_after_the_last_byte() {
        let upload = Upload::default();
        let pieces = [Ok(Bytes::from(vec![0; 1_200_000])), Ok(Bytes::from_static(b"x"))];
        let mut watched = Box::pin(upload.watch(stream::iter(pieces)));
        while watched.next().await.is_some() {
            assert_eq!(upload.take_line(), None);
        }
        assert_eq!(upload.take_line().as_deref(), Some("Sent the build context, 1.3 MB"));
        assert_eq!(upload.take_line(), None);
    }

    #[tokio::test]
    async fn an_error_is_kept_in_its_own_words() {
        let upload = Upload::default();
        let mut watched = Box::pin(upload.watch(stream::iter([Err(io::Error::other("a.txt: gone"))])));
        while watched.next().await.is_some() {}
        assert_eq!(
            (upload.take_line(), upload.take_error().as_deref()),
            (None, Some("a.txt: gone"))
        );
    }
}
