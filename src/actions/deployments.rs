//! Deployments: ask for one in each of its ways, cancel one, read its log. Stop an app, which is none.

use futures_util::Stream;
use tokio::sync::broadcast::error::RecvError;

use super::{Actions, Error, Result, access};
use crate::db;
use crate::events::Event;
use crate::logs::Chunk;
use crate::model::Invalid;
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::deployment::{Deployment, Status, Step, Trigger, Wanted};
use crate::model::ids::DeploymentId;
use crate::model::source::{CommitPrefix, Source};
use crate::model::time::Timestamp;
use crate::model::user::Actor;

impl Actions {
    /// Puts a deployment into the queue and answers it; nothing is waited for.
    /// `is_fresh` has it built with the newest base images and without the build cache, whatever is there.
    pub async fn deploy(
        &self,
        actor: &Actor,
        app: &App,
        trigger: Trigger,
        commit: Option<&str>,
        is_fresh: bool,
    ) -> Result<Deployment> {
        self.require_in(actor, app, Right::Deploy).await?;
        if commit.is_some() && matches!(app.settings.source, Source::Image { .. }) {
            let message = "This app runs a ready image, which has no commits; leave it out.";
            return Err(Error::field("commit", Invalid::new(message)));
        }
        let commit = commit
            .map(CommitPrefix::parse)
            .transpose()
            .map_err(|error| Error::field("commit", error))?;
        let wanted = match commit {
            Some(_) if is_fresh => {
                let message = "Only the newest commit is built from scratch; leave the commit out.";
                return Err(Error::field("fresh", Invalid::new(message)));
            }
            Some(commit) => Wanted::Commit(commit),
            None if is_fresh => Wanted::Fresh,
            None => Wanted::Newest,
        };
        self.request(actor, app, trigger, wanted).await
    }

    /// Has the app's settings and variables of now take effect; without a build unless one of its inputs changed.
    pub async fn apply_settings(&self, actor: &Actor, app: &App) -> Result<Deployment> {
        self.require_in(actor, app, Right::Deploy).await?;
        require_live(app)?;
        if app.stopped_at.is_none() && self.pending(app).await?.is_some_and(|pending| pending.is_empty()) {
            return Err(Error::Conflict("Everything that is saved is live already.".to_owned()));
        }
        self.request(actor, app, Trigger::Config, Wanted::Newest).await
    }

    /// Makes an earlier release live again, as it was, without a build.
    pub async fn roll_back(&self, actor: &Actor, app: &App, number: i64) -> Result<Deployment> {
        self.require_in(actor, app, Right::Deploy).await?;
        let id = app.id;
        let release = self
            .db
            .read(move |c| db::releases::find_by_number(c, id, number))
            .await?;
        let release = release.ok_or_else(|| {
            let message = format!("There is no release {number}; see the app's list of releases.");
            Error::field("release", Invalid::new(message))
        })?;
        if app.active_release_id == Some(release.id) && app.stopped_at.is_none() {
            return Err(Error::Conflict(format!("v{number} is live already.")));
        }
        self.request(actor, app, Trigger::Rollback, Wanted::Release(release.id))
            .await
    }

    /// Replaces the instance by a new one of the same release, without a gap.
    pub async fn restart(&self, actor: &Actor, app: &App) -> Result<Deployment> {
        self.require_in(actor, app, Right::Deploy).await?;
        require_live(app)?;
        self.request(actor, app, Trigger::Restart, Wanted::Newest).await
    }

    /// Starts a stopped app: a new instance of the release that served, checked before it gets the traffic.
    pub async fn start(&self, actor: &Actor, app: &App) -> Result<Deployment> {
        self.require_in(actor, app, Right::Deploy).await?;
        require_live(app)?;
        if app.stopped_at.is_none() {
            return Err(Error::Conflict(
                "The app is not stopped; restart it instead.".to_owned(),
            ));
        }
        self.request(actor, app, Trigger::Restart, Wanted::Newest).await
    }

    /// Stops an app until it is started or deployed again. Deployments that are not live yet are cancelled.
    pub async fn stop(&self, actor: &Actor, app: &App) -> Result<()> {
        self.require_in(actor, app, Right::Deploy).await?;
        require_live(app)?;
        let (actor, id) = (actor.clone(), app.id);
        let cancelled = self.db.write(move |tx| {
            let app = db::apps::find(tx, id)?.ok_or(Error::NotFound)?;
            db::apps::update_stopped(tx, id, Some(app.stopped_at.unwrap_or_else(Timestamp::now)))?;
            db::audit::insert(tx, &actor, "app.stop", app.slug.as_str())?;
            let unfinished = db::deployments::list_unfinished_of_app(tx, id)?;
            for deployment in &unfinished {
                db::deployments::update_cancel_asked(tx, *deployment)?;
            }
            Ok::<_, Error>(unfinished)
        });
        for deployment in cancelled.await? {
            self.deployer.cancel(deployment);
        }
        self.events.announce(Event::App(id));
        self.deployer.reconcile(id);
        Ok(())
    }

    async fn request(&self, actor: &Actor, app: &App, trigger: Trigger, wanted: Wanted) -> Result<Deployment> {
        self.require_in(actor, app, Right::Deploy).await?;
        Ok(self.deployer.request(actor, app.id, trigger, wanted).await?)
    }

    /// Cancels a deployment that is not live yet.
    pub async fn cancel_deployment(&self, actor: &Actor, id: DeploymentId) -> Result<Deployment> {
        let actor = actor.clone();
        let deployment = self
            .db
            .write(move |tx| {
                let deployment = db::deployments::find(tx, id)?.ok_or(Error::NotFound)?;
                let app = db::apps::find(tx, deployment.app_id)?.ok_or(Error::NotFound)?;
                access::require(tx, &actor, app.project_id, Right::Deploy)?;
                refuse_ended_or_live(&deployment)?;
                db::deployments::update_cancel_asked(tx, id)?;
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

    /// Resolves when an actor may no longer see a deployment: it is gone, their account or token, or their place in the
    /// project. A session ends with any change of its account, since nobody knows here which of them it is.
    pub fn sight_lost(&self, actor: &Actor, id: DeploymentId) -> impl Future<Output = ()> + Send + use<> {
        let (actions, actor, mut events) = (self.clone(), actor.clone(), self.events.listen());
        let user = actor.user().map(|user| user.id);
        async move {
            // Listened before it is asked, so that no change is missed in between.
            while actions.find_deployment_now(&actor, id).await.is_ok() {
                loop {
                    match events.recv().await {
                        Ok(Event::Account(changed)) if Some(changed) == user => match actor.token_id() {
                            Some(_) => break,
                            None => return,
                        },
                        Ok(Event::Project(_)) | Err(RecvError::Lagged(_)) => break,
                        Ok(_) => {}
                        // Dhow stops; streams have their own end for that.
                        Err(RecvError::Closed) => std::future::pending().await,
                    }
                }
            }
        }
    }
}

fn require_live(app: &App) -> Result<()> {
    if app.active_release_id.is_none() {
        return Err(Error::Conflict("Nothing is live yet; deploy the app first.".to_owned()));
    }
    Ok(())
}

fn refuse_ended_or_live(deployment: &Deployment) -> Result<()> {
    let is_live = deployment.step.is_some_and(Step::is_live);
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
