//! Streams of server-sent events for htmx: fragments of HTML, each put in its place on the page.
//!
//! A stream never outlives a stop of Dhow (hyper would wait for it) and ends after some minutes by itself: the
//! browser then comes back with its session looked at anew. What has ended for good says so by [`done`], since htmx
//! reconnects to everything else for ever.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::HeaderName;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;

/// Longest life of a stream.
const LIFETIME: Duration = Duration::from_secs(15 * 60);
/// A comment is sent after this much silence, so that a vanished browser is noticed and proxies keep the stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Tells proxies such as nginx not to collect the answer.
const UNBUFFERED: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");

/// The answer that streams events until they end, Dhow stops, or the stream's life is over.
pub fn stream(stop: &CancellationToken, events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let events = events
        .map(Ok::<_, Infallible>)
        .take_until(stop.clone().cancelled_owned())
        .take_until(tokio::time::sleep(LIFETIME));
    (
        [UNBUFFERED],
        Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)),
    )
        .into_response()
}

/// Says that the thing has ended: the browser closes the stream and does not come back.
pub fn done() -> Event {
    Event::default().event("done").data("done")
}

/// Wraps a fragment, whose one root has this id, so that htmx puts it in the place of the old one.
pub fn replacement(id: &str, fragment: &str) -> String {
    format!(r#"<hx-partial id="{id}" hx-swap="outerMorph">{fragment}</hx-partial>"#)
}
