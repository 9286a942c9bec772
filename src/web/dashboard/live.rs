//! The dashboard's stream: when something changed, the parts that look different now are sent, twice a second at
//! most. From time to time without a change, too, since "3 min ago" does not stay true.

use std::time::Duration;

use axum::response::sse::Event as Message;
use futures_util::Stream;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::{Instant, sleep_until, timeout};

use super::facts::Which;
use super::view::{Parts, Rendered};
use crate::events::Event;
use crate::model::ids::UserId;
use crate::web::Web;
use crate::web::sse::replacement;

/// Least time between two looks.
const PACE: Duration = Duration::from_millis(500);
/// What comes in such quick succession is one change.
const SETTLE: Duration = Duration::from_millis(50);
/// How often ages are told anew: while something is under way, and else.
const BUSY_REFRESH: Duration = Duration::from_secs(5);
const IDLE_REFRESH: Duration = Duration::from_secs(60);

/// One browser's view of the dashboard.
pub struct Live {
    web: Web,
    /// Who looks: a right that is taken is missed at the next look.
    user: UserId,
    which: Which,
    events: Receiver<Event>,
    /// Fingerprint of what the browser shows.
    seen: String,
    /// What was last sent, once it is known here.
    sent: Option<Rendered>,
    looked_at: Instant,
    refresh: Duration,
    is_first: bool,
}

impl Live {
    /// For a browser that shows what has this fingerprint. Listens from now on, so that no change is missed between
    /// this and the first look.
    pub fn new(web: Web, user: UserId, which: Which, seen: String) -> Self {
        let events = web.actions.events.listen();
        let looked_at = Instant::now();
        Self {
            web,
            user,
            which,
            events,
            seen,
            sent: None,
            looked_at,
            refresh: IDLE_REFRESH,
            is_first: true,
        }
    }

    /// What to send, for as long as Dhow runs.
    pub fn events(self) -> impl Stream<Item = Message> + Send {
        futures_util::stream::unfold(self, Self::next)
    }

    async fn next(mut self) -> Option<(Message, Self)> {
        loop {
            if !std::mem::take(&mut self.is_first) {
                self.wait().await?;
            }
            if let Some(message) = self.look().await {
                return Some((message, self));
            }
        }
    }

    /// Waits for a change that the dashboard shows, or until ages have to be told anew; `None` when Dhow stops.
    async fn wait(&mut self) -> Option<()> {
        if let Ok(changed) = timeout(self.refresh, self.change()).await {
            changed?;
            sleep_until((self.looked_at + PACE).max(Instant::now() + SETTLE)).await;
        }
        loop {
            match self.events.try_recv() {
                Ok(_) | Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty) => return Some(()),
                Err(TryRecvError::Closed) => return None,
            }
        }
    }

    async fn change(&mut self) -> Option<()> {
        loop {
            match self.events.recv().await {
                Ok(Event::Log(_)) => {}
                Ok(_) | Err(RecvError::Lagged(_)) => return Some(()),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// What differs from what the browser shows.
    async fn look(&mut self) -> Option<Message> {
        self.looked_at = Instant::now();
        let parts = Parts::read(&self.web, self.user, self.which).await.ok()?;
        self.refresh = if parts.is_busy { BUSY_REFRESH } else { IDLE_REFRESH };
        let rendered = parts.render().ok()?;
        let fingerprint = rendered.fingerprint();
        let is_same = fingerprint == self.seen;
        let text = changes(self.sent.as_ref(), &rendered);
        self.sent = Some(rendered);
        if is_same {
            return None;
        }
        self.seen.clone_from(&fingerprint);
        Some(Message::default().id(fingerprint).data(text))
    }
}

/// The parts that differ, each to be put in its place.
fn changes(before: Option<&Rendered>, now: &Rendered) -> String {
    let is_known = |part: &(String, String), parts: &[(String, String)]| parts.contains(part);
    let others = now
        .others
        .iter()
        .filter(|part| before.is_none_or(|before| !is_known(part, &before.others)));
    let mut text: String = others.map(|(id, html)| replacement(id, html)).collect();
    let ids = |rendered: &Rendered| rendered.cards.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
    match before {
        Some(before) if ids(before) == ids(now) => {
            let cards = now.cards.iter().filter(|card| !is_known(card, &before.cards));
            text.extend(cards.map(|(id, html)| replacement(id, html)));
        }
        _ => text.push_str(&replacement("projects", &now.projects)),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(cards: &[(&str, &str)], deployments: &str) -> Rendered {
        let part = |(id, html): &(&str, &str)| ((*id).to_owned(), (*html).to_owned());
        let projects = cards.iter().map(|(_, html)| *html).collect();
        let others = [("banner", ""), ("deployments", deployments)];
        Rendered {
            projects,
            cards: cards.iter().map(part).collect(),
            others: others.iter().map(part).collect(),
        }
    }

    #[test]
    fn only_what_differs_is_sent() {
        let before = rendered(&[("project-a", "<a>"), ("project-b", "<b>")], "<d>");
        let now = rendered(&[("project-a", "<a>"), ("project-b", "<b2>")], "<d>");
        assert_eq!(changes(Some(&before), &now), replacement("project-b", "<b2>"));
        assert_eq!(changes(Some(&now), &now), "");
    }

    #[test]
    fn a_project_more_or_less_changes_the_list() {
        let before = rendered(&[("project-a", "<a>")], "<d>");
        let now = rendered(&[("project-b", "<b>"), ("project-a", "<a>")], "<d2>");
        let expected = replacement("deployments", "<d2>") + &replacement("projects", "<b><a>");
        assert_eq!(changes(Some(&before), &now), expected);
        assert!(changes(None, &before).contains("banner"));
    }
}
