//! Server-sent events, parsed as a browser does (HTML standard, "Server-sent events").

use std::time::Duration;

use super::http::Stream;

/// One dispatched event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The event's name; `message` where the stream gave none.
    pub name: String,
    /// The id that a reconnect would send as `Last-Event-ID`.
    pub id: Option<String>,
    pub data: String,
}

impl Event {
    /// All events of a stream that has ended.
    pub fn all(text: &str) -> Vec<Self> {
        let mut pending = text.as_bytes().to_vec();
        std::iter::from_fn(|| take_block(&mut pending))
            .filter_map(|block| parse_block(&block))
            .collect()
    }

    /// The id as a byte offset.
    pub fn offset(&self) -> usize {
        let id = self
            .id
            .as_deref()
            .unwrap_or_else(|| panic!("an event without an id: {self:?}"));
        id.parse()
            .unwrap_or_else(|_| panic!("an id that is no byte offset: {self:?}"))
    }
}

/// Events of an open stream.
pub struct EventStream {
    stream: Stream,
    pending: Vec<u8>,
}

impl EventStream {
    pub fn new(stream: Stream) -> Self {
        assert_eq!(stream.status, 200, "the event stream was refused: {:?}", stream.headers);
        let kind = stream
            .headers
            .get("content-type")
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        assert!(kind.starts_with("text/event-stream"), "no event stream: {kind}");
        Self {
            stream,
            pending: Vec::new(),
        }
    }

    /// The next event that has data, or none when the server has ended the stream.
    pub async fn next(&mut self, expectation: &str, within: Duration) -> Option<Event> {
        loop {
            while let Some(block) = take_block(&mut self.pending) {
                if let Some(event) = parse_block(&block) {
                    return Some(event);
                }
            }
            let chunk = self.stream.chunk(expectation, within).await?;
            self.pending.extend_from_slice(&chunk);
        }
    }

    /// All events to the end of the stream.
    pub async fn rest(&mut self, expectation: &str, within: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next(expectation, within).await {
            events.push(event);
        }
        events
    }
}

/// Takes the first block, up to its empty line, off the pending bytes.
fn take_block(pending: &mut Vec<u8>) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    let mut at = 0;
    loop {
        let length = pending[at..].iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;
        let end = at + length;
        let line = String::from_utf8_lossy(&pending[at..end]).into_owned();
        // A CR that is the last byte here may be the first half of a CRLF: the next chunk tells.
        at = match (pending[end], pending.get(end + 1)) {
            (b'\r', Some(b'\n')) => end + 2,
            (b'\r', None) => return None,
            _ => end + 1,
        };
        if line.is_empty() {
            pending.drain(..at);
            return Some(lines);
        }
        lines.push(line);
    }
}

/// The event of a block; none for one without data.
fn parse_block(lines: &[String]) -> Option<Event> {
    let mut event = Event {
        name: "message".to_owned(),
        id: None,
        data: String::new(),
    };
    let mut data = Vec::new();
    for line in lines {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut event.name),
            "id" => event.id = Some(value.to_owned()),
            "data" => data.push(value),
            _ => {}
        }
    }
    event.data = data.join("\n");
    (!data.is_empty()).then_some(event)
}

#[test]
fn events_are_parsed_as_a_browser_does() {
    let mut pending =
        b"retry: 5\n\n: hello\r\n\r\nid: 7\revent: log\ndata: a\ndata:  b\rdata\n\nid: 9\ndata: c\n\r".to_vec();
    assert_eq!(
        take_block(&mut pending).and_then(|block| parse_block(&block)),
        None,
        "a retry time is no event"
    );
    assert_eq!(
        take_block(&mut pending).and_then(|block| parse_block(&block)),
        None,
        "a comment is no event"
    );
    let event = take_block(&mut pending).and_then(|block| parse_block(&block));
    let expected = Event {
        name: "log".to_owned(),
        id: Some("7".to_owned()),
        data: "a\n b\n".to_owned(),
    };
    assert_eq!(event, Some(expected));
    assert_eq!(
        take_block(&mut pending),
        None,
        "an event is not dispatched before its end is certain"
    );
}
