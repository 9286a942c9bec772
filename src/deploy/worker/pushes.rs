//! Boot: ask for what was pushed when a former process died before it had asked. git has stored the branch then and
//! would not send it again.

use std::path::Path;

use super::Worker;
use crate::db;
use crate::deploy::{DeployError, Deployer, RequestError};
use crate::git::{HostedRepository, Want};
use crate::model::deployment::{Trigger, Wanted};
use crate::model::ids::AppId;
use crate::model::source::{CommitPrefix, Source};
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
            .read(move |c| Ok((db::apps::find(c, id)?, db::deployments::find_pushed_commit(c, id)?)));
        let (Some(app), asked_for) = read.await? else {
            return Ok(None);
        };
        if !matches!(app.settings.source, Source::Push { .. }) {
            return Ok(None);
        }
        let dir = self.context.paths.hosted_repository(id);
        let head = tokio::task::spawn_blocking(move || head_of(&dir)).await;
        let head = head.map_err(|error| DeployError::Internal(error.to_string()))?;
        Ok(head.filter(|head| asked_for.as_deref() != Some(head.as_str())))
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

/// Where the deployed branch stands; nothing was pushed where it cannot be told.
fn head_of(dir: &Path) -> Option<CommitPrefix> {
    if !dir.exists() {
        return None;
    }
    let commit = HostedRepository::open(dir).ok()?.resolve(&Want::Branch(None)).ok()?;
    Some(CommitPrefix::from(&commit.sha))
}
