//! The Docker engine: the only module that speaks to it, and the only one that knows bollard.
//!
//! It refuses to change or remove an object that does not carry both labels of ownership.

mod build;
mod container;
mod error;
mod image;
mod network;
mod output;

pub use build::{BuildError, ImageBuild};
pub use container::ContainerSummary;
pub use error::Error;
pub use image::Image;

use crate::model::container::Ownership;

/// A handle on one engine; cheap to clone, safe to share.
#[derive(Debug, Clone)]
pub struct Engine {
    ownership: Ownership,
}

impl Engine {
    /// Connects and agrees on an API version. `docker_host` is `unix://…` or `tcp://…`; `None` is the default socket.
    pub async fn connect(docker_host: Option<&str>, ownership: Ownership) -> Result<Engine, Error> {
        todo!("{docker_host:?} {ownership:?}")
    }

    /// Whether the engine answers within two seconds; agrees on an API version again where the engine has changed.
    pub async fn ping(&self) -> Result<(), Error> {
        todo!()
    }

    /// The engine's own version, as `20.10.24`.
    pub async fn version(&self) -> Result<String, Error> {
        todo!()
    }

    /// Describes the first object that has this instance's label and another owner's or none, as `container dhow--proxy`.
    pub async fn other_owner(&self) -> Result<Option<String>, Error> {
        todo!()
    }

    /// The identity under which this engine handle marks and finds its objects.
    pub fn ownership(&self) -> &Ownership {
        &self.ownership
    }
}
