//! Deployments as rows of a table.

use super::view::{CommitView, took, trigger_words};
use crate::model::deployment::{Deployment, Status};
use crate::model::time::Timestamp;
use crate::web::moment::{Moment, duration};
use crate::web::status::StatusWord;

/// One row.
#[derive(Debug)]
pub struct DeploymentRow {
    /// Its number in its app.
    pub number: i64,
    /// How far it is.
    pub status: StatusWord,
    /// What it was about.
    pub commit: Option<CommitView>,
    /// The release that it made or brought back.
    pub release: Option<i64>,
    /// Why it exists.
    pub trigger: &'static str,
    /// When it began, or was asked for.
    pub when: Moment,
    /// How long it took, or has taken so far.
    pub took: Option<String>,
}

impl From<&Deployment> for DeploymentRow {
    fn from(deployment: &Deployment) -> Self {
        Self {
            number: deployment.number,
            status: deployment.status.into(),
            commit: CommitView::of(deployment.commit.as_ref(), deployment.image.as_ref()),
            release: deployment.release_number,
            trigger: trigger_words(deployment.trigger),
            when: Moment::of(deployment.started_at.unwrap_or(deployment.created_at)),
            took: took(deployment).or_else(|| so_far(deployment)),
        }
    }
}

fn so_far(deployment: &Deployment) -> Option<String> {
    let started_at = deployment.started_at.filter(|_| deployment.status == Status::Running)?;
    Some(duration(Timestamp::now().millis_since(started_at)))
}
