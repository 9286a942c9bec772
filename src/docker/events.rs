//! What happens to our containers, told by the engine while it happens.
//!
//! An event is a hint to look, never the truth itself: it may come late, twice, or not at all. Events of networks carry
//! no labels (Docker 20.10), so that the container that left one is looked up; what is not ours is never told.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{EventActor, EventMessage, EventMessageTypeEnum};
use bollard::query_parameters::{EventsOptions, EventsOptionsBuilder};
use futures_util::{Stream, TryStreamExt as _, stream};

use super::{Engine, Error};
use crate::model::time::Timestamp;

/// Actions that matter; `health_status` also stands for `health_status: healthy` and its like.
const ACTIONS: [&str; 7] = ["start", "die", "oom", "pause", "destroy", "health_status", "disconnect"];

/// What happened to a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// It was started, by whomever.
    Started,
    /// Its first process ended.
    Ended {
        /// Exit code of that process.
        exit_code: i64,
    },
    /// The kernel ended one of its processes for lack of memory.
    OutOfMemory,
    /// Its processes were frozen.
    Paused,
    /// It was removed.
    Removed,
    /// The image's own HEALTHCHECK found something else than before.
    HealthChanged,
    /// It runs and has left one of our networks.
    Disconnected,
}

/// Something that happened to one of our containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerEvent {
    /// What.
    pub happened: Happened,
    /// The container's labels, ownership included.
    pub labels: BTreeMap<String, String>,
    /// When, by the engine's clock.
    pub at: Timestamp,
}

impl Engine {
    /// What happens to our containers from a moment on, for as long as the engine answers; the caller opens it again.
    pub fn events(&self, since: Timestamp) -> impl Stream<Item = Result<ContainerEvent, Error>> + Send + use<> {
        let engine = self.clone();
        let opened = async move {
            let docker = engine.docker().await?;
            let connection = engine.connection.clone();
            let messages = docker.events(Some(options(since)));
            let messages = messages.map_err(move |error| connection.explain(error));
            Ok(messages.try_filter_map(move |message| engine.clone().our_event(message)))
        };
        stream::once(opened).try_flatten()
    }

    async fn our_event(self, message: EventMessage) -> Result<Option<ContainerEvent>, Error> {
        let at = Timestamp::from_millis(message.time_nano.unwrap_or(0) / 1_000_000);
        let EventActor {
            attributes: Some(attributes),
            ..
        } = message.actor.unwrap_or_default()
        else {
            return Ok(None);
        };
        let action = message.action.unwrap_or_default();
        match message.typ {
            Some(EventMessageTypeEnum::CONTAINER) if self.is_our_container(Some(&attributes)) => {
                let happened = of_container(&action, &attributes);
                Ok(happened.map(|happened| ContainerEvent {
                    happened,
                    labels: attributes.into_iter().collect(),
                    at,
                }))
            }
            Some(EventMessageTypeEnum::NETWORK) if action == "disconnect" => self.disconnected(&attributes, at).await,
            _ => Ok(None),
        }
    }

    /// A container that ended has left its networks as well, which says nothing.
    async fn disconnected(
        &self,
        attributes: &HashMap<String, String>,
        at: Timestamp,
    ) -> Result<Option<ContainerEvent>, Error> {
        let text = |key| attributes.get(key).map_or("", String::as_str);
        let prefix = self.ownership.instance.as_str();
        let is_named_as_ours = text("name")
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with('-'));
        if !is_named_as_ours {
            return Ok(None);
        }
        let state = self.inspect_our_container(text("container")).await?;
        let running = state.filter(|state| state.is_running);
        Ok(running.map(|state| ContainerEvent {
            happened: Happened::Disconnected,
            labels: state.labels,
            at,
        }))
    }
}

fn options(since: Timestamp) -> EventsOptions {
    let millis = since.as_millis();
    let filters = HashMap::from([("type", vec!["container", "network"]), ("event", ACTIONS.to_vec())]);
    EventsOptionsBuilder::default()
        .since(&format!("{}.{:03}", millis / 1_000, millis % 1_000))
        .filters(&filters)
        .build()
}

fn of_container(action: &str, attributes: &HashMap<String, String>) -> Option<Happened> {
    match action {
        "start" => Some(Happened::Started),
        "die" => Some(Happened::Ended {
            exit_code: attributes.get("exitCode")?.parse().ok()?,
        }),
        "oom" => Some(Happened::OutOfMemory),
        "pause" => Some(Happened::Paused),
        "destroy" => Some(Happened::Removed),
        action if action.starts_with("health_status") => Some(Happened::HealthChanged),
        _ => None,
    }
}
