//! The Docker engine: the only module that speaks to it, and the only one that knows bollard.
//!
//! It changes and removes only what carries both labels of ownership (containers: `dhow.kind` too, since a container
//! inherits the labels of its image). Names are looked up once and the object is then used by its id.

mod build;
mod connection;
mod container;
mod error;
mod events;
mod image;
mod network;
mod output;
mod ownership;
mod progress;
mod registry;
mod session;
mod state;
mod upgrade;
mod upload;

pub use build::{BuildError, ImageBuild};
pub use container::ContainerSummary;
pub use error::Error;
pub use events::{ContainerEvent, Happened};
pub use image::{Image, ImageSummary, ImageTag};
pub use registry::{RegistryError, Resolved};

use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error as BollardError;

use crate::model::container::Ownership;
use connection::Connection;

/// Bound on [`Engine::ping`]: a page that waits for it must still come quickly.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// A handle on one engine; cheap to clone, safe to share.
#[derive(Debug, Clone)]
pub struct Engine {
    connection: Arc<Connection>,
    ownership: Arc<Ownership>,
    /// Held while a network is looked for and made: engines before 24 accept one name twice.
    network_creation: Arc<tokio::sync::Mutex<()>>,
}

impl Engine {
    /// Connects and agrees on an API version. `docker_host` is `unix://…` or `tcp://…`; `None` is the default socket.
    pub async fn connect(docker_host: Option<&str>, ownership: Ownership) -> Result<Engine, Error> {
        let connection = Arc::new(Connection::open(docker_host)?);
        let engine = Engine {
            connection,
            ownership: Arc::new(ownership),
            network_creation: Arc::default(),
        };
        engine.connection.negotiate().await?;
        Ok(engine)
    }

    /// Whether the engine answers within two seconds; agrees on an API version again where the engine has changed.
    pub async fn ping(&self) -> Result<(), Error> {
        match tokio::time::timeout(PING_TIMEOUT, self.connection.ping()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.connection.explain(BollardError::RequestTimeoutError)),
        }
    }

    /// The engine's own version, as `20.10.24`.
    pub async fn version(&self) -> Result<String, Error> {
        self.connection.negotiate().await?;
        Ok(self.connection.engine_version())
    }

    /// The identity under which this engine handle marks and finds its objects.
    pub fn ownership(&self) -> &Ownership {
        &self.ownership
    }

    /// The client, ready for use.
    async fn docker(&self) -> Result<Docker, Error> {
        self.connection.ready().await
    }

    /// For `map_err`: sorts bollard's error into our kinds.
    fn explain(&self) -> impl Fn(BollardError) -> Error {
        |error| self.connection.explain(error)
    }
}
