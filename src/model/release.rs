//! What can be made live again: an image, a commit, frozen variables and run settings.

use super::app::RunSettings;
use super::build_inputs::BuildInputs;
use super::deployment::CommitInfo;
use super::ids::{AppId, DeploymentId, ReleaseId};
use super::source::PulledImage;
use super::time::Timestamp;

/// An immutable version of an app.
#[derive(Debug, Clone)]
pub struct Release {
    /// Row id.
    pub id: ReleaseId,
    /// Whose it is.
    pub app_id: AppId,
    /// Counts from 1 in each app.
    pub number: i64,
    /// The deployment that made it.
    pub deployment_id: DeploymentId,
    /// The image's id (`sha256:…`).
    pub image_id: String,
    /// The commit it was built from.
    pub commit: Option<CommitInfo>,
    /// The ready image that it is.
    pub image: Option<PulledImage>,
    /// How its instances run.
    pub run: RunSettings,
    /// What went into its image; unknown for one that an older Dhow made.
    pub build_inputs: Option<BuildInputs>,
    /// When it was made.
    pub created_at: Timestamp,
}
