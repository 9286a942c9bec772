//! Images: found, pulled, listed by app and removed.

use std::collections::BTreeMap;

use super::{Engine, Error};

/// An image on the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The engine's id (`sha256:…`), which names its content.
    pub id: String,
    /// Names that point to it, as `busybox:1`.
    pub tags: Vec<String>,
    /// Labels, ownership included where it is ours.
    pub labels: BTreeMap<String, String>,
    /// TCP ports that it declares by EXPOSE, lowest first.
    pub exposed_ports: Vec<u16>,
    /// Whether it declares a HEALTHCHECK.
    pub has_health_check: bool,
    /// Unix time, in seconds, at which it was made.
    pub created_at: i64,
    /// Size in bytes, shared layers included.
    pub size_bytes: i64,
}

impl Engine {
    /// The image of that name or id, whoever made it; `None` when it is not on the engine.
    pub async fn find_image(&self, reference: &str) -> Result<Option<Image>, Error> {
        todo!("{reference}")
    }

    /// Fetches it from its registry. `NotFound` when the registry has none of that name or asks for a password.
    pub async fn pull_image(&self, reference: &str) -> Result<(), Error> {
        todo!("{reference}")
    }

    /// Removes it; one that is in use or gone is fine. `Refused` when it is not ours.
    pub async fn remove_image(&self, reference: &str) -> Result<(), Error> {
        todo!("{reference}")
    }

    /// Our images of an app (label `dhow.app`), newest first.
    pub async fn list_images(&self, app: &str) -> Result<Vec<Image>, Error> {
        todo!("{app}")
    }
}
