//! Deployments: ask for one, cancel one, read its log.

use futures_util::Stream;

use super::{Actions, Error, Result};
use crate::db;
use crate::deploy::RequestError;
use crate::logs::Chunk;
use crate::model::app::App;
use crate::model::deployment::{Deployment, Status, Trigger};
use crate::model::ids::DeploymentId;
use crate::model::source::CommitPrefix;
use crate::model::user::Actor;

impl Actions {
    /// Puts a deployment into the queue and answers it; nothing is waited for.
    pub async fn deploy(&self, actor: &Actor, app: &App, trigger: Trigger, commit: Option<&str>) -> Result<Deployment> {
        if !actor.may_deploy() {
            return Err(Error::Forbidden);
        }
        let commit = commit
            .map(CommitPrefix::parse)
            .transpose()
            .map_err(|error| Error::field("commit", error))?;
        match self.deployer.request(actor, app.id, trigger, commit.as_ref()).await {
            Ok(deployment) => Ok(deployment),
            Err(RequestError::AppGone) => Err(Error::NotFound),
            Err(RequestError::Db(error)) => Err(error.into()),
        }
    }

    /// Cancels a deployment that is not live yet.
    pub async fn cancel_deployment(&self, actor: &Actor, id: DeploymentId) -> Result<Deployment> {
        if !actor.may_deploy() {
            return Err(Error::Forbidden);
        }
        let actor = actor.clone();
        let deployment = self
            .db
            .write(move |tx| {
                let deployment = db::deployments::find(tx, id)?.ok_or(Error::NotFound)?;
                refuse_ended_or_live(&deployment)?;
                db::audit::insert(tx, &actor, "deployment.cancel", &id.to_string())?;
                Ok::<_, Error>(deployment)
            })
            .await?;
        self.deployer.cancel(id);
        Ok(deployment)
    }

    /// A deployment's log from an offset on, as it grows, until the deployment has ended.
    pub fn follow_log(
        &self,
        id: DeploymentId,
        offset: u64,
    ) -> impl Stream<Item = std::io::Result<Chunk>> + Send + use<> {
        self.deployer.follow_log(id, offset)
    }
}

fn refuse_ended_or_live(deployment: &Deployment) -> Result<()> {
    let is_live = deployment.step.is_some_and(crate::model::deployment::Step::is_live);
    match deployment.status {
        Status::Queued => Ok(()),
        Status::Running if !is_live => Ok(()),
        Status::Running | Status::Succeeded => Err(Error::Conflict("Already live; roll back instead.".to_owned())),
        Status::Failed | Status::Cancelled | Status::Superseded => Err(Error::Conflict(format!(
            "The deployment has ended: it is {}.",
            deployment.status
        ))),
    }
}
