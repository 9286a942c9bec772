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

    /// The head of the branch that is deployed, if the newest push that was asked for was another one.
    async fn lost_push(&self, id: AppId) -> Result<Option<CommitPrefix>, DeployError> {
        let read = self
            .context
            .db
            .read(move |c| Ok((db::apps::find(c, id)?, db::deployments::list_pushed_commits(c, id)?)));
        let (Some(app), asked_for) = read.await? else {
            return Ok(None);
        };
        if !matches!(app.settings.source, Source::Push { .. }) {
            return Ok(None);
        }
        let dir = self.context.paths.hosted_repository(id);
        let head = tokio::task::spawn_blocking(move || head_of(&dir)).await;
        let head = head.map_err(|error| DeployError::Internal(error.to_string()))?;
        Ok(head.filter(|head| !is_known(&asked_for, head)))
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

/// Whether a branch stands where it should: at the newest push that was asked for, or behind pushes that came to nothing.
fn is_known(pushes: &[(String, bool)], head: &CommitPrefix) -> bool {
    let mut back_to_a_good_one = pushes.iter().skip_while(|(_, was_taken_back)| *was_taken_back);
    pushes.first().is_some_and(|(commit, _)| commit == head.as_str())
        || back_to_a_good_one
            .next()
            .is_some_and(|(commit, _)| commit == head.as_str())
}

/// Takes a push back whose deployment came to nothing.
pub(super) async fn take_back(context: &Context, deployment: &Deployment) {
    let Some(Ok(commit)) = deployment.wanted_commit.as_deref().map(CommitSha::parse) else {
        return;
    };
    let dir = context.paths.hosted_repository(deployment.app_id);
    let step_back = move || {
        // An app that was deleted meanwhile must not get its repository back.
        if dir.exists() {
            HostedRepository::open(&dir)?.step_back(&commit)?;
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
