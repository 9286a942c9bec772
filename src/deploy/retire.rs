//! Retire: let the old instance finish what it has begun, then remove it; keep the images of the last releases.
//!
//! While the old instance still runs, the new one is watched: should it end, the traffic goes back. Trouble in
//! removing is a warning; the deployment is live all the same.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::job::Job;
use super::switch::Switched;
use super::{DeployError, check, proxy, pull, reconcile, release, sockets, strays};
use crate::db;
use crate::model::app::{Port, RunSettings};
use crate::model::container::{ContainerState, RELEASE_LABEL, RestartPolicy};
use crate::model::deployment::SwitchReport;

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
        let old = with_ports(job, &old, release.run.port).await?;
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

/// Each instance with the port that its own release is served at.
async fn with_ports(job: &Job, instances: &[ContainerState], otherwise: Port) -> Result<Vec<(i64, Port)>, DeployError> {
    let number = |state: &ContainerState| state.labels.get(RELEASE_LABEL)?.parse::<i64>().ok();
    let numbered: Vec<(i64, Option<i64>)> = instances.iter().map(|state| (state.pid, number(state))).collect();
    let app = job.app.id;
    let read = job.context.db.read(move |c| {
        let mut ports = Vec::new();
        for (pid, number) in numbered {
            let release = number.map(|number| db::releases::find_by_number(c, app, number));
            let release = release.transpose()?.flatten();
            ports.push((pid, release.map_or(otherwise, |release| release.run.port)));
        }
        Ok(ports)
    });
    Ok(read.await?)
}

/// Drains processes, each with the port that it is served at.
async fn drain_all(job: &Job, old: &[(i64, Port)], run: &RunSettings) -> Result<(), DeployError> {
    let began = Instant::now();
    loop {
        if let Err(error) = check::running_state(job, run, "soon after it had taken over").await {
            check::show_output(job).await;
            return Err(error);
        }
        let waited = began.elapsed();
        let is_idle = old
            .iter()
            .all(|(pid, port)| sockets::open_connections(*pid, port.get()).unwrap_or(0) == 0);
        if waited >= LONGEST_DRAIN || (waited >= SHORTEST_DRAIN && is_idle) {
            return Ok(());
        }
        sleep(PAUSE).await;
    }
}

/// Stores and writes what the switch has cost, by the proxy's own counters.
async fn tell_cost(job: &Job, switched: &Switched) {
    let seconds = switched.took.as_millis() as f64 / 1_000.0;
    let after = proxy::counters(&job.context, &job.app.slug).await;
    let Some((before, after)) = switched.before.zip(after) else {
        job.log.line(&format!(
            "Switched in {seconds:.2} s; the proxy did not tell how many requests it answered meanwhile"
        ));
        return;
    };
    let counted = after.since(before);
    let report = SwitchReport {
        requests: number(counted.requests),
        failed: number(counted.failed),
        millis: number(switched.took.as_millis()),
    };
    let id = job.deployment.id;
    let stored = job
        .context
        .db
        .write(move |tx| db::deployments::update_switch(tx, id, &report));
    if let Err(error) = stored.await {
        tracing::warn!(%error, "the cost of a switch could not be stored");
    }
    job.log.line(&match report.requests {
        0 => format!("Switched in {seconds:.2} s; no request came in meanwhile"),
        requests => format!(
            "{} of {requests} requests failed, switched in {seconds:.2} s",
            report.failed
        ),
    });
}

/// A count as it is stored.
fn number(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
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
    remove_old_names(job, &kept).await?;
    pull::remove_unused(&job.context).await
}

/// Removes the names that deployments of the app gave to ready images, but the newest one of each that is kept.
async fn remove_old_names(job: &Job, kept: &[String]) -> Result<(), DeployError> {
    let mut named = strays::names_of_app(&job.context, job.app.id).await?;
    named.sort_by_key(|name| std::cmp::Reverse(name.deployment));
    let mut seen = HashSet::new();
    for name in named {
        let is_newest = seen.insert(name.image_id.clone());
        if !is_newest || !kept.contains(&name.image_id) {
            job.context.engine.remove_image(&name.name).await?;
        }
    }
    Ok(())
}
