//! Who may do what to what: the one place where a role meets the right that an action needs.
//!
//! What somebody may not see does not exist for them; what they see but may not do is refused. A change asks inside
//! its own transaction, so that a right that was just taken no longer counts.

use super::{Actions, Error, Result};
use crate::db;
use crate::model::access::Right;
use crate::model::app::{App, Project};
use crate::model::deployment::Deployment;
use crate::model::ids::{DeploymentId, ProjectId, UserId};
use crate::model::user::Actor;

/// An actor as the database knows them now; refuses one who was deactivated while the request ran.
pub(super) fn as_now(c: &db::Tx, actor: &Actor) -> Result<Actor> {
    let Some(user) = actor.user() else {
        return Ok(actor.clone());
    };
    let user = db::users::find_active(c, user.id)?.ok_or(Error::Forbidden)?;
    Ok(actor.with_user(user))
}

/// What an actor may do in a project; `None` where it must not know of it.
pub(super) fn right_in(c: &db::Tx, actor: &Actor, project: ProjectId) -> db::Result<Option<Right>> {
    let role = match actor.user() {
        Some(user) if !actor.sees_all() => db::memberships::find_role(c, project, user.id)?,
        _ => None,
    };
    Ok(actor.right_in(role))
}

/// Refuses an actor without a right in a project.
pub(super) fn require(c: &db::Tx, actor: &Actor, project: ProjectId, needed: Right) -> Result<()> {
    match right_in(c, actor, project)? {
        None => Err(Error::NotFound),
        Some(right) if right < needed => Err(Error::Forbidden),
        Some(_) => Ok(()),
    }
}

/// A project, for an actor with a right in it.
pub(super) fn project(c: &db::Tx, actor: &Actor, slug: &str, needed: Right) -> Result<Project> {
    let project = db::projects::find_by_slug(c, slug)?.ok_or(Error::NotFound)?;
    require(c, actor, project.id, needed)?;
    Ok(project)
}

/// An app, for an actor with a right in its project.
pub(super) fn app(c: &db::Tx, actor: &Actor, slug: &str, needed: Right) -> Result<App> {
    let app = db::apps::find_by_slug(c, slug)?.ok_or(Error::NotFound)?;
    require(c, actor, app.project_id, needed)?;
    Ok(app)
}

impl Actions {
    /// A project that an actor may see, and what it may do there.
    pub async fn find_project(&self, actor: &Actor, slug: &str) -> Result<(Project, Right)> {
        let (actor, slug) = (actor.clone(), slug.to_owned());
        let found = self.db.read(move |c| {
            let Some(project) = db::projects::find_by_slug(c, &slug)? else {
                return Ok(None);
            };
            Ok(right_in(c, &actor, project.id)?.map(|right| (project, right)))
        });
        found.await?.ok_or(Error::NotFound)
    }

    /// An app that an actor may see, and what it may do with it.
    pub async fn find_app(&self, actor: &Actor, slug: &str) -> Result<(App, Right)> {
        let (actor, slug) = (actor.clone(), slug.to_owned());
        let found = self.db.read(move |c| {
            let Some(app) = db::apps::find_by_slug(c, &slug)? else {
                return Ok(None);
            };
            Ok(right_in(c, &actor, app.project_id)?.map(|right| (app, right)))
        });
        found.await?.ok_or(Error::NotFound)
    }

    /// The same for a user as they are now: a stream that stays open asks again and again.
    pub async fn find_app_for(&self, user: UserId, slug: &str) -> Result<(App, Right)> {
        let user = self.db.read(move |c| db::users::find_active(c, user)).await?;
        self.find_app(&Actor::person(user.ok_or(Error::NotFound)?), slug).await
    }

    /// The same as [`Actions::find_deployment`] for an actor as the database knows them now, and their token.
    pub(super) async fn find_deployment_now(&self, actor: &Actor, id: DeploymentId) -> Result<(Deployment, App)> {
        let actor = actor.clone();
        let now = self.db.read(move |c| {
            let is_good = actor
                .token_id()
                .map_or(Ok(true), |token| db::tokens::is_good(c, token))?;
            Ok(is_good.then(|| as_now(c, &actor)))
        });
        let now = now.await?.ok_or(Error::Forbidden)??;
        self.find_deployment(&now, id).await
    }

    /// A deployment that an actor may see, with its app.
    pub async fn find_deployment(&self, actor: &Actor, id: DeploymentId) -> Result<(Deployment, App)> {
        let actor = actor.clone();
        let found = self.db.read(move |c| {
            let Some(deployment) = db::deployments::find(c, id)? else {
                return Ok(None);
            };
            if db::apps::is_deleting(c, deployment.app_id)? {
                return Ok(None);
            }
            let Some(app) = db::apps::find(c, deployment.app_id)? else {
                return Ok(None);
            };
            Ok(right_in(c, &actor, app.project_id)?.map(|_| (deployment, app)))
        });
        found.await?.ok_or(Error::NotFound)
    }

    /// Refuses an actor without a right in a project, before its input is looked at.
    pub(super) async fn require_in_project(&self, actor: &Actor, slug: &str, needed: Right) -> Result<()> {
        match self.find_project(actor, slug).await? {
            (_, right) if right < needed => Err(Error::Forbidden),
            _ => Ok(()),
        }
    }

    /// Refuses an actor without a right in an app's project.
    pub(super) async fn require_in(&self, actor: &Actor, app: &App, needed: Right) -> Result<()> {
        let (actor, project) = (actor.clone(), app.project_id);
        match self.db.read(move |c| right_in(c, &actor, project)).await? {
            None => Err(Error::NotFound),
            Some(right) if right < needed => Err(Error::Forbidden),
            Some(_) => Ok(()),
        }
    }
}
