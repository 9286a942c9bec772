//! Pushes and how they end: one whose deployment failed is taken back, so that it can be made again; one that was
//! stored when a former process died is asked for, since git would not send it again.

use std::path::Path;

use super::Worker;
use crate::db;
use crate::deploy::{Context, DeployError, Deployer, RequestError};
use crate::git::{self, HostedRepository, Want};
use crate::model::deployment::{Deployment, Trigger, Wanted};
use crate::model::ids::AppId;
use crate::model::source::{CommitPrefix, CommitSha, Source};
use crate::model::user::Actor;

impl Worker {
    /// Looks at every app that is pushed to.
    pub(super) async fn ask_for_lost_pushes(&self) -> Result<(), DeployError> {
        for app in self.context.db.read(db::apps::list_ids).await? {
            if let Some(commit) = self.lost_push(app).await? {
                self.ask_for(app, commit).await?;
            }
        }
        Ok(())
    }

    /// The head of the branch that is deployed, if no push that was asked for has brought it.
    async fn lost_push(&self, id: AppId) -> Result<Option<CommitPrefix>, DeployError> {
        let Some(app) = self.context.db.read(move |c| db::apps::find(c, id)).await? else {
            return Ok(None);
        };
        if !matches!(app.settings.source, Source::Push { .. }) {
            return Ok(None);
        }
        let dir = self.context.paths.hosted_repository(id);
        let head = tokio::task::spawn_blocking(move || head_of(&dir)).await;
        let head = head.map_err(|error| DeployError::Internal(error.to_string()))?;
        let Some(head) = head else {
            return Ok(None);
        };
        let commit = head.as_str().to_owned();
        let read = self
            .context
            .db
            .read(move |c| db::deployments::is_pushed(c, id, &commit));
        Ok((!read.await?).then_some(head))
    }

    async fn ask_for(&self, app: AppId, commit: CommitPrefix) -> Result<(), DeployError> {
        let deployer = Deployer {
            context: self.context.clone(),
            messages: self.messages.clone(),
        };
        tracing::info!(%app, commit = commit.as_str(), "asking for a push that a former process had only stored");
        match deployer
            .request(&Actor::DHOW, app, Trigger::Push, Wanted::Commit(commit))
            .await
        {
            Ok(_) | Err(RequestError::AppGone) => Ok(()),
            Err(RequestError::Db(error)) => Err(error.into()),
        }
    }
}

/// Takes a push back whose deployment came to nothing.
pub(super) async fn take_back(context: &Context, deployment: &Deployment) {
    let Some(Ok(commit)) = deployment.wanted_commit.as_deref().map(CommitSha::parse) else {
        return;
    };
    let dir = context.paths.hosted_repository(deployment.app_id);
    let id = deployment.id;
    let branch = context.db.read(move |c| db::deployments::find_branch(c, id)).await;
    let branch = branch.ok().flatten();
    let step_back = move || {
        // An app that was deleted meanwhile must not get its repository back.
        if dir.exists() {
            HostedRepository::open(&dir)?.step_back(branch, &commit)?;
        }
        Ok::<_, git::Error>(())
    };
    let result = tokio::task::spawn_blocking(step_back).await;
    let result = result.unwrap_or_else(|error| Err(git::Error::Other(error.to_string())));
    if let Err(error) = result {
        tracing::warn!(%error, deployment = %deployment.id, "a push whose deployment failed could not be taken back");
    }
}

/// Where the deployed branch stands; nothing was pushed where it cannot be told.
fn head_of(dir: &Path) -> Option<CommitPrefix> {
    if !dir.exists() {
        return None;
    }
    let commit = HostedRepository::open(dir).ok()?.resolve(&Want::Branch(None)).ok()?;
    Some(CommitPrefix::from(&commit.sha))
}
