//! Boot: take up what a former process left.

use super::run::{MAX_DEATHS, finish};
use super::{CLEAN_STOP, Worker};
use crate::db;
use crate::deploy::job::JobLog;
use crate::deploy::{DeployError, undo};
use crate::model::app::App;
use crate::model::deployment::{Deployment, Status, Step};

impl Worker {
    /// Takes up what a former process left: live deployments go on, earlier ones wait again, apps are put right.
    pub(super) async fn recover(&mut self) -> Result<(), DeployError> {
        let was_clean = self
            .context
            .db
            .read(|c| db::meta::find(c, CLEAN_STOP))
            .await?
            .as_deref()
            == Some("1");
        let begin = |tx: &db::Tx| {
            // Each new delivery does this too, but an instance that gets none must not keep the last ones for ever.
            db::deliveries::delete_expired(tx)?;
            db::meta::set(tx, CLEAN_STOP, "0")
        };
        self.context.db.write(begin).await?;
        for deployment in self.context.db.read(db::deployments::list_cancel_asked).await? {
            self.cancel_again(&deployment).await?;
        }
        for deployment in self.context.db.read(db::deployments::list_running).await? {
            self.take_up(deployment, was_clean).await?;
        }
        // Before the queue is looked at: an app that is down must not wait for its own next build.
        self.reconcile_all().await;
        self.ask_for_lost_pushes().await
    }

    /// Carries out a cancel that a former process had accepted; what had taken over by then stays.
    async fn cancel_again(&self, deployment: &Deployment) -> Result<(), DeployError> {
        let app_id = deployment.app_id;
        let app = self.context.db.read(move |c| db::apps::find(c, app_id)).await?;
        let Some(app) = app.filter(|_| !deployment.step.is_some_and(Step::is_live)) else {
            return Ok(());
        };
        undo::remove_all(&self.context, &app, deployment).await;
        JobLog::open(&self.context, deployment).line("Cancelled.");
        finish(&self.context, deployment, Status::Cancelled, None).await;
        Ok(())
    }

    async fn take_up(&mut self, deployment: Deployment, was_clean: bool) -> Result<(), DeployError> {
        let (id, app_id) = (deployment.id, deployment.app_id);
        let Some(app) = self.context.db.read(move |c| db::apps::find(c, app_id)).await? else {
            return Ok(());
        };
        let count = move |tx: &db::Tx| {
            if was_clean {
                Ok(0)
            } else {
                db::deployments::update_died(tx, id)
            }
        };
        let deaths: i64 = self.context.db.write(count).await?;
        let is_live = deployment.step.is_some_and(Step::is_live);
        if !is_live {
            undo::remove_all(&self.context, &app, &deployment).await;
        }
        if deaths >= MAX_DEATHS {
            self.give_up(&app, &deployment).await?;
        } else if is_live {
            self.spawn_deployment(app, deployment, true);
        } else {
            let requeue = move |tx: &db::Tx| db::deployments::update_requeued(tx, id);
            self.context.db.write(requeue).await?;
        }
        Ok(())
    }

    /// Ends a deployment in whose step Dhow died too often. One that has taken over stays; the reconcile that follows
    /// removes the old version without a drain.
    async fn give_up(&self, app: &App, deployment: &Deployment) -> Result<(), DeployError> {
        let (id, app_id) = (deployment.id, app.id);
        let active = self.context.db.read(move |c| db::apps::find_active(c, app_id)).await?;
        let log = JobLog::open(&self.context, deployment);
        if active.is_some_and(|(_, active)| active == id) {
            log.line("Dhow was ended twice in this step; what is left of the old version is removed.");
            finish(&self.context, deployment, Status::Succeeded, None).await;
            return Ok(());
        }
        undo::remove_all(&self.context, app, deployment).await;
        let error = DeployError::Interrupted;
        log.line(&error.to_string());
        let failure = Some((error.kind(), error.to_string()));
        finish(&self.context, deployment, Status::Failed, failure).await;
        Ok(())
    }
}
