//! Pushes to repositories that Dhow hosts: who may push, and what a push sets off.

use std::path::PathBuf;

use super::{Actions, Error, Result};
use crate::db;
use crate::deploy;
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::deployment::Deployment;
use crate::model::source::{Branch, CommitSha, Source};
use crate::model::user::Actor;

impl Actions {
    /// The app whose hosted repository is meant, if the actor may push to it.
    pub async fn find_pushed_app(&self, actor: &Actor, slug: &str) -> Result<App> {
        let (app, right) = self.find_app(actor, slug).await?;
        if right < Right::Deploy {
            return Err(Error::Forbidden);
        }
        match app.settings.source {
            Source::Push { .. } => Ok(app),
            Source::Git { .. } => {
                let message = "This app is deployed from another Git server. Push there, or make it a push app first.";
                Err(Error::Conflict(message.to_owned()))
            }
            Source::Image { .. } => {
                let message = "This app runs a ready image. Make it a push app before you push to it.";
                Err(Error::Conflict(message.to_owned()))
            }
        }
    }

    /// Where an app's hosted repository is.
    pub fn hosted_repository(&self, app: &App) -> PathBuf {
        self.deployer.paths().hosted_repository(app.id)
    }

    /// Notes what a push changed in an app's repository, and the branch that it made the deployed one.
    pub async fn note_push(&self, actor: &Actor, app: &App, changes: &str, deployed: Option<Branch>) -> Result<()> {
        let (actor, id, object) = (actor.clone(), app.id, format!("{}: {changes}", app.slug));
        let noted = self.db.write(move |tx| {
            if let Some(branch) = &deployed {
                db::apps::update_branch(tx, id, branch)?;
            }
            db::audit::insert(tx, &actor, "app.push", &object)
        });
        Ok(noted.await?)
    }

    /// Deploys a commit that was pushed to a branch.
    pub async fn deploy_push(&self, actor: &Actor, app: &App, branch: &str, commit: &CommitSha) -> Result<Deployment> {
        self.require_in(actor, app, Right::Deploy).await?;
        let (actor, id, branch, commit) = (actor.clone(), app.id, branch.to_owned(), commit.clone());
        let put = self
            .db
            .write(move |tx| deploy::put_hosted_push(tx, &actor, id, &branch, &commit));
        let queued = put.await?;
        self.deployer.announce(&queued);
        Ok(queued.deployment)
    }
}
