//! The ordered steps of a deployment, and what happens when one fails.
//!
//! Until the switch nothing that serves has changed: an error, a cancel or a stop removes what was made. From the
//! switch on the way is forward, or back by the route.

use super::fetch::Fetched;
use super::job::Job;
use super::release::Origin;
use super::{DeployError, build, check, fetch, plan, pull, release, retire, start, switch, undo, watch};
use crate::model::deployment::Step;
use crate::model::release::Release;
use crate::model::source::Source;

/// How a deployment left the pipeline without being live.
#[derive(Debug)]
pub enum Ended {
    /// A step failed.
    Failed(DeployError),
    /// Somebody cancelled it.
    Cancelled,
    /// A newer commit was asked for; why, in a sentence.
    Overtaken(String),
    /// Dhow stops; it goes on at the next start.
    Stopped,
}

impl From<DeployError> for Ended {
    fn from(error: DeployError) -> Self {
        Self::Failed(error)
    }
}

/// Runs a deployment from its first step to its last.
pub async fn run(job: &Job) -> Result<(), Ended> {
    let prepared = tokio::select! {
        biased;
        () = job.context.shutdown.cancelled() => Err(Ended::Stopped),
        () = job.cancel.cancelled() => Err(Ended::Cancelled),
        prepared = prepare(job) => prepared,
    };
    undo::remove_checkout(&job.context, job.app.id, job.deployment.id).await;
    // A cancel that came with the last answer of the check was accepted, so it holds.
    let wanted = prepared.and_then(|()| {
        if job.cancel.is_cancelled() {
            Err(Ended::Cancelled)
        } else {
            Ok(())
        }
    });
    match wanted {
        Ok(()) => go_live(job).await,
        Err(ended) => {
            undo::remove_all(&job.context, &job.app, &job.deployment).await;
            Err(ended)
        }
    }
}

/// Takes a deployment up again that a former process left in switch or retire.
pub async fn resume(job: &Job) -> Result<(), Ended> {
    job.log.line("Dhow was restarted; the deployment goes on where it was.");
    go_live(job).await
}

async fn prepare(job: &Job) -> Result<(), Ended> {
    let release = match release::wanted_back(job).await? {
        Some(release) => release,
        None => make_release(job).await?,
    };
    job.step(Step::Start, start::run(job, &release)).await?;
    Ok(job.step(Step::Check, check::run(job, release)).await?)
}

/// Freezes the app as it is now, with an image that is fetched and built only as far as it has to be.
async fn make_release(job: &Job) -> Result<Release, Ended> {
    if let Source::Image { image } = &job.app.settings.source {
        let (image, pulled) = pull::run(job, image).await?;
        return Ok(release::freeze(job, image, Origin::Image(pulled)).await?);
    }
    let commit = release::commit_of_settings(job).await?;
    if let Some(commit) = &commit
        && let Some(image) = release::made_before(job, commit).await?
    {
        fetch::remember(job, commit, None).await?;
        return Ok(release::freeze(job, image, Origin::Commit(commit.clone())).await?);
    }
    let checkout = match job.step(Step::Fetch, fetch::run(job, commit.as_ref())).await? {
        Fetched::Checkout(checkout) => checkout,
        Fetched::Overtaken(why) => return Err(Ended::Overtaken(why)),
    };
    let planned = plan::make(job, &checkout).await;
    let same = match &planned {
        Ok(planned) => release::made_of_the_same(job, &planned.inputs).await?,
        Err(_) => None,
    };
    let image = match same {
        Some(image) => image,
        // What cannot be planned fails as a build.
        None => job.step(Step::Build, async { build::run(job, planned?).await }).await?,
    };
    Ok(release::freeze(job, image, Origin::Commit(checkout.commit)).await?)
}

async fn go_live(job: &Job) -> Result<(), Ended> {
    let went = tokio::select! {
        biased;
        () = job.context.shutdown.cancelled() => return Err(Ended::Stopped),
        went = switch_over_a_lost_engine(job) => went,
    };
    let Err(error) = went else { return Ok(()) };
    job.log.line(&format!("{error} Putting the version before back."));
    switch::put_back(job).await?;
    undo::remove_all(&job.context, &job.app, &job.deployment).await;
    Err(Ended::Failed(error))
}

/// An engine that goes away in between is waited for once; the steps can be taken again from the first.
async fn switch_over_a_lost_engine(job: &Job) -> Result<(), DeployError> {
    match switch_and_retire(job).await {
        Err(DeployError::DockerUnreachable(text)) => {
            job.log.line(&format!("{text} Waiting until it is back."));
            watch::until_engine_answers(&job.context).await;
            // It ended with the engine, which starts it again only once the deployment is over.
            job.context.engine.start_container(&job.container()).await?;
            switch_and_retire(job).await
        }
        went => went,
    }
}

async fn switch_and_retire(job: &Job) -> Result<(), DeployError> {
    let switched = job.step(Step::Switch, switch::run(job)).await?;
    job.step(Step::Retire, retire::run(job, &switched)).await
}
