//! Putting requests into the queue, in the transaction of whoever asks.

use super::RequestError;
use crate::db::{self, Tx};
use crate::model::delivery::Push;
use crate::model::deployment::{CommitInfo, Deployment, Status, Trigger, Wanted};
use crate::model::ids::{AppId, DeploymentId};
use crate::model::source::{CommitPrefix, CommitSha};
use crate::model::time::Timestamp;
use crate::model::user::Actor;

/// A request in the queue; to be told to [`Deployer::announce`](super::Deployer::announce) once it is stored.
#[derive(Debug, Clone)]
pub struct Queued {
    /// The request.
    pub deployment: Deployment,
    /// What it took the place of.
    superseded: Vec<DeploymentId>,
}

impl Queued {
    /// Everything that changed.
    pub(super) fn changed(&self) -> impl Iterator<Item = DeploymentId> {
        self.superseded.iter().copied().chain([self.deployment.id])
    }
}

/// Puts a request into the queue; it takes the place of what its trigger replaces.
pub(super) fn put(
    tx: &Tx,
    actor: &Actor,
    app: AppId,
    trigger: Trigger,
    wanted: &Wanted,
) -> Result<Queued, RequestError> {
    put_replacing(tx, actor, app, trigger, wanted, |queued| {
        trigger.replaces(queued.trigger)
    })
}

/// Asks for a commit that was pushed to the repository that Dhow hosts. Its branch is stored with it: it is known when the
/// push has to be taken back, whichever branch is deployed by then.
pub fn put_hosted_push(
    tx: &Tx,
    actor: &Actor,
    app: AppId,
    branch: &str,
    commit: &CommitSha,
) -> Result<Queued, RequestError> {
    let queued = put(
        tx,
        actor,
        app,
        Trigger::Push,
        &Wanted::Commit(CommitPrefix::from(commit)),
    )?;
    db::deployments::update_branch(tx, queued.deployment.id, branch)?;
    Ok(queued)
}

/// Asks for the commit of a push that a forge told of. The same commit is asked for once at a time. Another push that
/// waits is replaced only where the forge itself says that this one came after it: deliveries overtake each other, and
/// which commit is the newer one is seen when the repository is here.
pub fn put_push(tx: &Tx, actor: &Actor, app: AppId, push: &Push, commit: &CommitSha) -> Result<Queued, RequestError> {
    if let Some(deployment) = find_same(tx, app, commit)? {
        let superseded = Vec::new();
        return Ok(Queued { deployment, superseded });
    }
    let wanted = Wanted::Commit(CommitPrefix::from(commit));
    let before = push.before.as_ref().map(CommitSha::as_str);
    let replaces = |queued: &Deployment| {
        queued.trigger != Trigger::Webhook || push.is_forced || queued.wanted_commit.as_deref() == before
    };
    let queued = put_replacing(tx, actor, app, Trigger::Webhook, &wanted, replaces)?;
    let id = queued.deployment.id;
    let told = CommitInfo {
        sha: commit.to_string(),
        message: push.message.clone(),
        author: push.author.clone(),
    };
    db::deployments::update_commit(tx, id, &told)?;
    if let Some(branch) = push.branch() {
        db::deployments::update_branch(tx, id, branch)?;
    }
    Ok(queued)
}

/// A push of the same commit that is not done yet, and after which nothing else was asked for.
fn find_same(tx: &Tx, app: AppId, commit: &CommitSha) -> db::Result<Option<Deployment>> {
    let Some(last) = db::deployments::list_unfinished_of_app(tx, app)?.pop() else {
        return Ok(None);
    };
    let found = db::deployments::find(tx, last)?;
    Ok(found
        .filter(|found| found.trigger == Trigger::Webhook && found.wanted_commit.as_deref() == Some(commit.as_str())))
}

fn put_replacing(
    tx: &Tx,
    actor: &Actor,
    app: AppId,
    trigger: Trigger,
    wanted: &Wanted,
    replaces: impl Fn(&Deployment) -> bool,
) -> Result<Queued, RequestError> {
    if !db::apps::is_kept(tx, app)? {
        return Err(RequestError::AppGone);
    }
    let (mut superseded, mut waits_since) = (Vec::new(), None);
    for queued in db::deployments::list_queued_of_app(tx, app)? {
        if replaces(&queued) {
            db::deployments::update_finished(tx, queued.id, Status::Superseded, None)?;
            superseded.push(queued.id);
            // An app that is pushed to again and again keeps its turn.
            let since = db::deployments::find_waits_since(tx, queued.id)?;
            waits_since = Some(waits_since.map_or(since, |first: Timestamp| first.min(since)));
        }
    }
    let id = db::deployments::insert(tx, app, trigger, wanted, waits_since)?;
    db::audit::insert(tx, actor, "deployment.request", &id.to_string())?;
    let deployment = db::deployments::find(tx, id)?.ok_or(RequestError::AppGone)?;
    Ok(Queued { deployment, superseded })
}
