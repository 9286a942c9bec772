//! Containers: made from a spec, started, stopped, removed, listed and described.

use std::collections::BTreeMap;

use super::{Engine, Error};
use crate::model::container::{ContainerSpec, ContainerState, RestartPolicy};

/// A container as a list shows it; [`Engine::inspect_container`] tells the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSummary {
    /// The engine's id.
    pub id: String,
    /// Its name, without the leading slash.
    pub name: String,
    /// Id of the image that it runs (`sha256:…`).
    pub image_id: String,
    /// Labels, ownership included.
    pub labels: BTreeMap<String, String>,
    /// Whether its process runs now.
    pub is_running: bool,
    /// Unix time, in seconds, at which it was made.
    pub created_at: i64,
}

impl Engine {
    /// Makes a container with the ownership labels added and answers its id. `Conflict` names the holder of the name;
    /// `NotFound` means that the image is not here.
    pub async fn create_container(&self, spec: &ContainerSpec) -> Result<String, Error> {
        todo!("{spec:?}")
    }

    /// Starts it; one that runs already is fine.
    pub async fn start_container(&self, name: &str) -> Result<(), Error> {
        todo!("{name}")
    }

    /// Stops it within its own stop timeout; one that does not run or is gone is fine.
    pub async fn stop_container(&self, name: &str) -> Result<(), Error> {
        todo!("{name}")
    }

    /// Removes it, running or not, with its anonymous volumes; one that is gone is fine. `Refused` when it is not ours.
    pub async fn remove_container(&self, name: &str) -> Result<(), Error> {
        todo!("{name}")
    }

    /// Its condition, whoever owns it; `None` when there is none of that name.
    pub async fn inspect_container(&self, name: &str) -> Result<Option<ContainerState>, Error> {
        todo!("{name}")
    }

    /// Our containers, stopped ones included, optionally only those of a kind (`app`, `proxy`, `job`).
    pub async fn list_containers(&self, kind: Option<&str>) -> Result<Vec<ContainerSummary>, Error> {
        todo!("{kind:?}")
    }

    /// Changes what the engine does after an exit.
    pub async fn set_restart_policy(&self, name: &str, policy: RestartPolicy) -> Result<(), Error> {
        todo!("{name} {policy:?}")
    }
}
