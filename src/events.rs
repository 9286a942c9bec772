//! The broadcast hub: "this id changed", sent after the change is stored.
//!
//! An event carries ids, never content; whoever listens reads again. A listener that is too slow loses events, not
//! truth: it is told so and reads once more.

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::model::ids::{AppId, DeploymentId, ProjectId, UserId};

/// How many events a slow listener may lag behind before it is told to read everything again.
const BACKLOG: usize = 256;

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A project, or the list of projects.
    Project(ProjectId),
    /// An app, its variables or domains, or the list of apps.
    App(AppId),
    /// A deployment's status or step.
    Deployment(DeploymentId, AppId),
    /// A deployment's log grew.
    Log(DeploymentId),
    /// The engine or the proxy went away or came back.
    Engine,
    /// Sessions or tokens of an account ended, or its role changed: no open stream of it is good any more.
    Account(UserId),
}

/// The hub; clones speak to the same listeners.
#[derive(Clone)]
pub struct Events(broadcast::Sender<Event>);

impl Events {
    /// A hub without listeners.
    pub fn new() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }

    /// Tells every listener. Without listeners nothing happens.
    pub fn announce(&self, event: Event) {
        let _nobody_listens = self.0.send(event);
    }

    /// Listens from now on.
    pub fn listen(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }

    /// Resolves when no open stream of an account is good any more; also when that may have been missed.
    pub fn account_changed(&self, user: UserId) -> impl Future<Output = ()> + Send + use<> {
        let mut events = self.listen();
        async move {
            loop {
                match events.recv().await {
                    Ok(Event::Account(changed)) if changed == user => return,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return,
                    // Dhow stops; streams have their own end for that.
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        }
    }
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
    }
}
