//! An open page of a deployment that has not ended: new lines of its log, and the parts that change, as they come.
//!
//! A message appends the lines that were completed and replaces the one that still grows; its id is the offset in
//! the log at which to go on, so a browser that comes back misses and repeats nothing. A page's log stays bounded: a
//! browser that has got many lines is given the log's end anew in their place.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use askama::Template as _;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::response::sse::Event;
use futures_util::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};

use super::log::{LineReader, LogChunk, LogLine, PendingLine, SHOWN_LINES};
use super::show::{Parts, read_log_end};
use crate::actions::Actions;
use crate::events::Event as Change;
use crate::logs::Chunk;
use crate::model::app::App;
use crate::model::deployment::Status;
use crate::model::ids::DeploymentId;
use crate::model::ids::UserId;
use crate::web::Web;
use crate::web::error::Result;
use crate::web::load::LoadedApp;
use crate::web::signed_in::SignedIn;
use crate::web::sse;

/// Lines that a page may hold before it is given the log's end anew.
const MOST_LINES: usize = 2 * SHOWN_LINES;
/// Lines that a page may get after coming back before that, since nobody knows how many it holds.
const LINES_AFTER_RESUME: usize = 200;
/// Least time between two messages of the log: what is written meanwhile comes together.
const PACE: Duration = Duration::from_millis(100);
/// How often the time of the step that runs is told anew.
const TICK: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
pub struct Start {
    /// Offset in bytes that the page ends with.
    #[serde(default)]
    from: String,
}

/// The stream. `Last-Event-ID`, which a browser sends when it comes back, wins over the address.
pub async fn stream(
    State(web): State<Web>,
    SignedIn { user, .. }: SignedIn,
    LoadedApp(app, _): LoadedApp,
    Path((_, number)): Path<(String, String)>,
    Query(Start { from }): Query<Start>,
    headers: HeaderMap,
) -> Result<Response> {
    let id = super::find(&web, &app, &number).await?.id;
    let resumed = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .and_then(|id| id.parse::<u64>().ok());
    let offset = resumed.or_else(|| from.parse().ok()).unwrap_or_default();
    let length = web.actions.logs.length(id).map_err(anyhow::Error::from)?;
    let held = if resumed.is_some() {
        MOST_LINES - LINES_AFTER_RESUME
    } else {
        SHOWN_LINES
    };
    let live = Live::new(web.actions.clone(), (user.id, &app), id, offset.min(length), held);
    Ok(sse::stream(&web, user.id, stream::unfold(live, Live::next)))
}

type Log = Pin<Box<dyn Stream<Item = io::Result<Chunk>> + Send>>;

/// What an open page has, and what comes next for it.
struct Live {
    actions: Actions,
    /// Who looks: a right that is taken ends the stream.
    user: UserId,
    app: String,
    id: DeploymentId,
    changes: Receiver<Change>,
    log: Log,
    reader: LineReader,
    /// Lines that the page holds at most.
    held: usize,
    /// When the log may be read next.
    next_read: Instant,
    /// When the time of the step that runs is told next.
    next_tick: Instant,
    /// The growing line as the page has it; `None` at first, when that is not known.
    pending: Option<Option<LogLine>>,
    /// The parts as the page has them.
    sent: [String; 4],
    /// How far the deployment was when last looked at.
    status: Status,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The page may be older than the stream: it gets all parts.
    Begin,
    Follow,
    /// The deployment has ended and all of its log was sent: the parts are sent once more.
    LastParts,
    Done,
    Over,
}

impl Live {
    fn new(actions: Actions, (user, app): (UserId, &App), id: DeploymentId, offset: u64, held: usize) -> Self {
        Self {
            changes: actions.events.listen(),
            log: Box::pin(actions.follow_log(id, offset)),
            actions,
            user,
            app: app.slug.to_string(),
            id,
            reader: LineReader::at(offset),
            held,
            next_read: Instant::now(),
            next_tick: Instant::now() + TICK,
            pending: None,
            sent: <[String; 4]>::default(),
            status: Status::Queued,
            phase: Phase::Begin,
        }
    }

    /// The next message. An error ends the stream: the browser comes back and goes on where it was.
    async fn next(mut self) -> Option<(Event, Self)> {
        loop {
            let message = match self.phase {
                Phase::Begin => {
                    self.phase = Phase::Follow;
                    self.changed_parts().await?
                }
                Phase::Follow => self.follow().await?,
                Phase::LastParts => {
                    self.phase = Phase::Done;
                    self.changed_parts().await?
                }
                Phase::Done => {
                    self.phase = Phase::Over;
                    return Some((sse::done(), self));
                }
                Phase::Over => return None,
            };
            if !message.is_empty() {
                let event = Event::default().id(self.reader.offset().to_string()).data(message);
                return Some((event, self));
            }
        }
    }

    async fn follow(&mut self) -> Option<String> {
        tokio::select! {
            biased;
            () = changed(&mut self.changes, self.id, self.status) => self.changed_parts().await,
            chunk = next_chunk(&mut self.log, self.next_read) => match chunk {
                Some(Ok(chunk)) => self.new_lines(&chunk).await,
                Some(Err(error)) => {
                    tracing::warn!(%error, deployment = %self.id, "a log could not be read");
                    None
                }
                None => {
                    self.phase = Phase::LastParts;
                    Some(String::new())
                }
            },
            () = sleep_until(self.next_tick), if self.status == Status::Running => {
                self.next_tick = Instant::now() + TICK;
                self.changed_parts().await
            }
        }
    }

    /// The parts that differ from what the page has.
    async fn changed_parts(&mut self) -> Option<String> {
        let (app, right) = self.actions.find_app_for(self.user, &self.app).await.ok()?;
        let (parts, deployment) = Parts::load(&self.actions, (&app, right), self.id).await.ok()?;
        if self.phase == Phase::Done && !deployment.status.is_final() {
            return None; // The log ended because Dhow stops.
        }
        self.status = deployment.status;
        let fragments = [
            ("deployment-actions", parts.actions.render()),
            ("deployment-line", parts.line.render()),
            ("steps", parts.steps.render()),
            ("outcome", parts.outcome.render()),
        ];
        let mut message = String::new();
        for ((id, fragment), sent) in fragments.into_iter().zip(&mut self.sent) {
            let fragment = fragment.ok()?;
            if fragment != *sent {
                message.push_str(&sse::replacement(id, &fragment));
                *sent = fragment;
            }
        }
        Some(message)
    }

    async fn new_lines(&mut self, chunk: &Chunk) -> Option<String> {
        self.next_read = Instant::now() + PACE;
        let lines = self.reader.push(&chunk.text);
        self.held += lines.len();
        let mut message = if self.held > MOST_LINES {
            self.log_anew().await?
        } else if lines.is_empty() {
            String::new()
        } else {
            LogChunk { lines: lines.into() }.render().ok()?
        };
        let pending = self.reader.pending();
        if self.pending.as_ref() != Some(&pending) {
            let line = PendingLine { line: pending.as_ref() }.render().ok()?;
            message.push_str(&sse::replacement("log-pending", &line));
            self.pending = Some(pending);
        }
        Some(message)
    }

    /// The log's end in the place of all lines that the page holds.
    async fn log_anew(&mut self) -> Option<String> {
        let end = read_log_end(&self.actions, self.id).await.ok()?;
        self.held = end.shown.lines.len();
        // From the start of the growing line: what was read of it comes once more.
        self.reader = LineReader::at(end.reader.offset());
        self.log = Box::pin(self.actions.follow_log(self.id, self.reader.offset()));
        let lines = end.shown.render().ok()?;
        Some(format!(
            r#"<hx-partial id="log-lines" hx-swap="innerHTML">{lines}</hx-partial>"#
        ))
    }
}

async fn next_chunk(log: &mut Log, not_before: Instant) -> Option<io::Result<Chunk>> {
    sleep_until(not_before).await;
    log.next().await
}

/// Waits until something about a deployment but its log changes. What one that is queued waits for changes with others.
async fn changed(changes: &mut Receiver<Change>, id: DeploymentId, status: Status) {
    let is_queued = status == Status::Queued;
    loop {
        match changes.recv().await {
            Ok(Change::Deployment(changed, _)) if changed == id || is_queued => return,
            Ok(Change::Engine) if is_queued => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            // Dhow stops; the log's end tells.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
