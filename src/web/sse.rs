//! Streams of server-sent events for htmx: fragments of HTML, each put in its place on the page.
//!
//! A stream never outlives a stop of Dhow (hyper would wait for it) nor a change of its account, and ends after some
//! minutes by itself: the browser then comes back with its session looked at anew. What has ended for good says so by
//! [`done`], since htmx reconnects to everything else for ever. Over HTTP/1.1 browsers give a host six connections in
//! all (<https://html.spec.whatwg.org/multipage/server-sent-events.html>, “authoring notes”), so one person's streams
//! beyond the first few are short and come again: no window waits for another one.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::HeaderName;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _, stream};

use super::Web;
use crate::model::ids::UserId;

/// Longest life of a stream.
const LIFETIME: Duration = Duration::from_secs(15 * 60);
/// Streams of one person that may live so long; two of a browser's six connections stay free.
const MAX_LASTING: usize = 4;
/// Life of each further one: enough to tell what is new.
const SHORT_LIFETIME: Duration = Duration::from_millis(500);
/// After which time a browser comes back for what is new then.
const COME_BACK: Duration = Duration::from_secs(4);
/// A comment is sent after this much silence, so that a vanished browser is noticed and proxies keep the stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Tells proxies such as nginx not to collect the answer.
const UNBUFFERED: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");

/// How many lasting streams each person has open.
#[derive(Debug, Default)]
pub struct Streams(Mutex<HashMap<UserId, usize>>);

/// One lasting stream; dropped with it.
struct Place {
    streams: Arc<Streams>,
    user: UserId,
}

impl Streams {
    /// A place for one more, or `None` when a person has enough.
    fn take(self: &Arc<Self>, user: UserId) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(user).or_default();
        (*count < MAX_LASTING).then(|| {
            *count += 1;
            Place {
                streams: Arc::clone(self),
                user,
            }
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.user);
            }
        }
    }
}

/// The answer that streams events to somebody until they end, Dhow stops, the account changes, or the stream's life is
/// over.
pub fn stream(web: &Web, user: UserId, events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let place = web.streams.take(user);
    let (lifetime, first) = match place {
        Some(_) => (LIFETIME, None),
        // htmx reads the pause only where there is an event.
        None => (
            SHORT_LIFETIME,
            Some(Event::default().event("come-back").data("later").retry(COME_BACK)),
        ),
    };
    let events = stream::iter(first)
        .chain(events)
        .map(Ok::<_, Infallible>)
        .take_until(web.stop.clone().cancelled_owned())
        .take_until(web.actions.events.account_changed(user))
        .take_until(tokio::time::sleep(lifetime))
        .inspect(move |_| {
            let _held = &place;
        });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_few_lasting_streams_and_gets_the_places_of_closed_ones() {
        let streams = Arc::new(Streams::default());
        let mut held: Vec<_> = (0..MAX_LASTING).map(|_| streams.take(UserId(1)).unwrap()).collect();
        assert!(streams.take(UserId(1)).is_none());
        assert!(streams.take(UserId(2)).is_some(), "others have their own");
        held.pop();
        held.push(streams.take(UserId(1)).unwrap());
        assert!(streams.take(UserId(1)).is_none());
        held.clear();
        assert!(streams.0.lock().unwrap().is_empty(), "nothing is kept of who is gone");
    }
}
