//! Retire: let the old instance finish what it has begun, then remove it; keep the images of the last releases.
//!
//! While the old instance still runs, the new one is watched: should it end, the traffic goes back. Trouble in
//! removing is a warning; the deployment is live all the same.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::job::Job;
use super::switch::{Switched, report};
use super::{DeployError, check, proxy, reconcile, release, sockets, strays};
use crate::db;
use crate::model::app::RunSettings;
use crate::model::container::{ContainerState, RestartPolicy};

/// Shortest drain: requests that the proxy had sent before it took the new route are on their way for a moment.
const SHORTEST_DRAIN: Duration = Duration::from_secs(5);
/// Longest drain; a download that takes longer is cut.
const LONGEST_DRAIN: Duration = Duration::from_secs(60);
/// How often connections are counted.
const PAUSE: Duration = Duration::from_millis(250);

/// Drains and removes what was replaced.
pub async fn run(job: &Job, switched: &Switched) -> Result<(), DeployError> {
    let old = reconcile::other_instances(&job.context, job.app.id, &job.container()).await?;
    if old.iter().any(|state| state.is_running) {
        job.log.line("Waiting for the old version to finish its requests");
        let release = release::of_deployment(&job.context, job.deployment.id).await?;
        drain_all(job, &old, &release.run).await?;
    }
    job.context
        .engine
        .set_restart_policy(&job.container(), RestartPolicy::UnlessStopped)
        .await?;
    tell_cost(job, switched).await;
    for state in &old {
        if let Err(error) = reconcile::remove_instance(&job.context, &state.name).await {
            job.log
                .line(&format!("Warning: {} could not be removed: {error}", state.name));
        }
    }
    if let Err(error) = remove_old_images(job).await {
        job.log.line(&format!(
            "Warning: images of old releases could not be removed: {error}"
        ));
    }
    Ok(())
}

async fn drain_all(job: &Job, old: &[ContainerState], run: &RunSettings) -> Result<(), DeployError> {
    let began = Instant::now();
    loop {
        if let Err(error) = check::running_state(job, run, "soon after it had taken over").await {
            check::show_output(job).await;
            return Err(error);
        }
        let waited = began.elapsed();
        let is_idle = old
            .iter()
            .all(|state| sockets::open_connections(state.pid, run.port.get()).unwrap_or(0) == 0);
        if waited >= LONGEST_DRAIN || (waited >= SHORTEST_DRAIN && is_idle) {
            return Ok(());
        }
        sleep(PAUSE).await;
    }
}

/// Writes what the switch has cost, by the proxy's own counters.
async fn tell_cost(job: &Job, switched: &Switched) {
    let counted = match proxy::api(&job.context).await {
        Ok(api) => api.counters(job.app.slug.as_str()).await.ok(),
        Err(_) => None,
    };
    let Some(counted) = counted else { return };
    match report(job, counted.since(switched.before), switched.took).await {
        Ok(cost) if cost.requests == 0 => job.log.line(&format!(
            "Switched in {:.2} s; no request came in meanwhile",
            switched.took.as_secs_f64()
        )),
        Ok(cost) => job.log.line(&format!(
            "{} of {} requests failed, switched in {:.2} s",
            cost.failed,
            cost.requests,
            switched.took.as_secs_f64()
        )),
        Err(error) => tracing::warn!(%error, "the cost of a switch could not be stored"),
    }
}

/// Removes the images of all but the newest releases and the one that serves.
async fn remove_old_images(job: &Job) -> Result<(), DeployError> {
    let (app, keep) = (job.app.id, job.context.config.keep_releases);
    let kept = job
        .context
        .db
        .read(move |c| db::releases::list_kept_images(c, app, keep))
        .await?;
    for image in job.context.engine.list_images(Some(job.app.slug.as_str())).await? {
        if kept.contains(&image.id) {
            continue;
        }
        strays::remove_image(&job.context, &image).await?;
    }
    Ok(())
}
