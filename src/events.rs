//! The broadcast hub: "this id changed", sent after the change is stored.
//!
//! An event carries ids, never content; whoever listens reads again. A listener that is too slow loses events, not
//! truth: it is told so and reads once more.

use tokio::sync::broadcast;

use crate::model::ids::{AppId, DeploymentId, ProjectId};

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
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
    }
}
