//! Releases as pages tell of them: what has been typed since the one that serves, and what another one would change.
//!
//! Whoever calls has loaded the app, and with it the right to see it.

use super::{Actions, Error, Result};
use crate::deploy::DeployError;
use crate::model::app::App;
use crate::model::difference::Difference;
use crate::model::release::Release;

impl Actions {
    /// What has changed of an app's settings and variables since the release that serves; `None` when nothing serves.
    /// `Error::Conflict` when a variable cannot be opened.
    pub async fn pending(&self, app: &App) -> Result<Option<Difference>> {
        self.deployer.pending(app).await.map_err(told)
    }

    /// What a rollback from the release that serves to another one changes. `Error::Conflict` as for
    /// [`Actions::pending`].
    pub async fn rollback_difference(&self, active: &Release, wanted: &Release) -> Result<Difference> {
        self.deployer.difference_of_rollback(active, wanted).await.map_err(told)
    }

    /// Whether a release's image is still here; `Error::Unavailable` while the engine does not answer.
    pub async fn has_image(&self, release: &Release) -> Result<bool> {
        self.deployer.has_image(release).await.map_err(told)
    }
}

fn told(error: DeployError) -> Error {
    match error {
        DeployError::DockerUnreachable(sentence) => Error::Unavailable(sentence),
        DeployError::SecretUnreadable { .. } => Error::Conflict(error.to_string()),
        error => Error::Internal(error.into()),
    }
}
