//! One deployment, run and brought to its end. The only place that writes a final status, but for a request that
//! takes a queued one's place.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

use super::pushes;
use crate::db;
use crate::deploy::job::Job;
use crate::deploy::pipeline::{self, Ended};
use crate::deploy::{Context, DeployError, insist};
use crate::events::Event;
use crate::model::deployment::{Deployment, ErrorKind, Status, Step, Trigger};

/// Ends of Dhow or of the engine in one step after which a deployment is given up.
pub(super) const MAX_DEATHS: i64 = 2;

/// Runs a deployment to its end, or as far as it can be run now; `true` when it is live. A panic ends it as a fault of
/// Dhow's, so that the app is not blocked by it.
pub(super) async fn job(job: &Job, is_resumed: bool) -> bool {
    let run = AssertUnwindSafe(run_to_end(job, is_resumed)).catch_unwind();
    if let Ok(is_live) = run.await {
        return is_live;
    }
    let error = DeployError::Internal("a step panicked".to_owned());
    fail(job, error).await;
    false
}

async fn run_to_end(job: &Job, is_resumed: bool) -> bool {
    job.announce();
    let ended = if is_resumed {
        pipeline::resume(job).await
    } else {
        pipeline::run(job).await
    };
    let is_live = ended.is_ok();
    match ended {
        Ok(()) => {
            job.log.line("Done.");
            finish(&job.context, &job.deployment, Status::Succeeded, None).await;
        }
        Err(Ended::Cancelled) => {
            job.log.line("Cancelled.");
            finish(&job.context, &job.deployment, Status::Cancelled, None).await;
        }
        Err(Ended::Failed(error)) => fail(job, error).await,
        Err(Ended::Stopped) => stop(job).await,
    }
    job.context.events.announce(Event::App(job.app.id));
    is_live
}

/// A deployment that lost the engine waits for it and is tried once more; any other failure is final.
async fn fail(job: &Job, error: DeployError) {
    let id = job.deployment.id;
    if error.kind() == ErrorKind::DockerUnreachable {
        let requeued = job.context.db.write(move |tx| {
            let is_first = db::deployments::update_died(tx, id)? < MAX_DEATHS;
            if is_first {
                db::deployments::update_requeued(tx, id)?;
            }
            Ok::<_, db::Error>(is_first)
        });
        if requeued.await.unwrap_or(false) {
            job.log
                .line(&format!("{error} The deployment begins again when Docker is back."));
            let lost = Err(error.to_string());
            job.context.health.send_modify(|health| health.docker = lost);
            return job.announce();
        }
    }
    // It may quote what the app or its build printed.
    let message = job.log.redacted(&error.to_string());
    job.log.line(&message);
    if error.kind() == ErrorKind::Internal {
        tracing::error!(error = message, deployment = %id, "a deployment met a fault");
    }
    finish(
        &job.context,
        &job.deployment,
        Status::Failed,
        Some((error.kind(), message)),
    )
    .await;
}

/// Dhow stops: what is not live yet waits again, what is live goes on where it is at the next start.
async fn stop(job: &Job) {
    job.log
        .line("Dhow stops; the deployment goes on when it is started again.");
    let id = job.deployment.id;
    let requeued = job.context.db.write(move |tx| {
        let is_live = db::deployments::find(tx, id)?
            .and_then(|now| now.step)
            .is_some_and(Step::is_live);
        if is_live {
            Ok(())
        } else {
            db::deployments::update_requeued(tx, id)
        }
    });
    if let Err(error) = requeued.await {
        tracing::error!(%error, deployment = %id, "a deployment could not be put back into the queue");
    }
    job.announce();
}

/// Writes how a deployment ended; the only place that does, but for a request that takes a queued one's place.
pub(super) async fn finish(
    context: &Context,
    deployment: &Deployment,
    status: Status,
    error: Option<(ErrorKind, String)>,
) {
    if deployment.trigger == Trigger::Push && status != Status::Succeeded {
        pushes::take_back(context, deployment).await;
    }
    let id = deployment.id;
    let written = insist::write(context, move |tx| {
        db::deployments::update_finished(tx, id, status, error.as_ref())
    });
    if let Err(error) = written.await {
        tracing::error!(%error, deployment = %id, "the end of a deployment could not be stored");
    }
    context.events.announce(Event::Deployment(id, deployment.app_id));
}
