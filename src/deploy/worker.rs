//! The worker: claims what waits, runs it, and alone writes how a deployment ended.
//!
//! One slot an app, held by its deployment or its reconcile to the end; `--max-deployments` in all, freed at retire
//! so that a drain holds nobody else up.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::job::{Job, JobLog};
use super::pipeline::{self, Ended};
use super::{Context, DeployError, Message, reconcile, undo, watch};
use crate::db;
use crate::events::Event;
use crate::model::app::App;
use crate::model::deployment::{Deployment, ErrorKind, Status, Step};
use crate::model::ids::{AppId, DeploymentId};

/// In `meta`: whether the last process stopped by itself, so that what it left running did not die.
const CLEAN_STOP: &str = "clean_stop";
/// Ends of Dhow or of the engine in one step after which a deployment is given up.
const MAX_DEATHS: i64 = 2;

/// An app at work.
struct Slot {
    /// Its deployment; a reconcile has none.
    deployment: Option<DeploymentId>,
    cancel: CancellationToken,
    is_retiring: Arc<AtomicBool>,
}

/// The dispatcher.
pub struct Worker {
    context: Arc<Context>,
    messages: mpsc::UnboundedSender<Message>,
    receiver: mpsc::UnboundedReceiver<Message>,
    slots: HashMap<AppId, Slot>,
    tasks: JoinSet<AppId>,
    /// Apps to be reconciled once their slot is free.
    unreconciled: HashSet<AppId>,
}

impl Worker {
    pub(super) fn new(
        context: Arc<Context>,
        messages: mpsc::UnboundedSender<Message>,
        receiver: mpsc::UnboundedReceiver<Message>,
    ) -> Self {
        Self {
            context,
            messages,
            receiver,
            slots: HashMap::new(),
            tasks: JoinSet::new(),
            unreconciled: HashSet::new(),
        }
    }

    /// Works until Dhow stops; then waits for its tasks, which give up by themselves.
    pub async fn run(mut self) {
        let watch = tokio::spawn(watch::run(Arc::clone(&self.context), self.messages.clone()));
        if let Err(error) = self.recover().await {
            tracing::error!(%error, "what a former process left could not be taken up");
        }
        let shutdown = self.context.shutdown.clone();
        while !shutdown.is_cancelled() {
            self.start_what_can_be().await;
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(message) = self.receiver.recv() => self.handle(message).await,
                Some(ended) = self.tasks.join_next() => self.free(ended),
            }
        }
        while self.tasks.join_next().await.is_some() {}
        let _ended = watch.await;
        let stopped = self.context.db.write(|tx| db::meta::set(tx, CLEAN_STOP, "1")).await;
        if let Err(error) = stopped {
            tracing::warn!(%error, "the clean stop could not be noted");
        }
    }

    /// Takes up what a former process left: live deployments go on, earlier ones wait again, apps are put right.
    async fn recover(&mut self) -> Result<(), DeployError> {
        let was_clean = self
            .context
            .db
            .read(|c| db::meta::find(c, CLEAN_STOP))
            .await?
            .as_deref()
            == Some("1");
        self.context.db.write(|tx| db::meta::set(tx, CLEAN_STOP, "0")).await?;
        for deployment in self.context.db.read(db::deployments::list_running).await? {
            self.take_up(deployment, was_clean).await?;
        }
        let _stopping = self.messages.send(Message::ReconcileAll);
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
            let error = DeployError::Interrupted;
            let log = JobLog::open(&self.context, &deployment).map_err(|error| DeployError::of_io(&error))?;
            log.line(&error.to_string());
            finish(
                &self.context,
                &deployment,
                Status::Failed,
                Some((error.kind(), error.to_string())),
            )
            .await;
        } else if is_live {
            self.spawn_deployment(app, deployment, true);
        } else {
            let requeue = move |tx: &db::Tx| db::deployments::update_requeued(tx, id);
            self.context.db.write(requeue).await?;
        }
        Ok(())
    }

    async fn handle(&mut self, message: Message) {
        match message {
            Message::Wake => self.finish_deleted_projects().await,
            Message::Cancel(id) => self.cancel(id).await,
            Message::Reconcile(app) => self.want_reconciled(app),
            Message::ReconcileAll => self.reconcile_all().await,
        }
    }

    async fn finish_deleted_projects(&self) {
        if let Err(error) = reconcile::deleted_projects(&self.context).await {
            tracing::warn!(%error, "a deleted project's network is left for now");
        }
    }

    async fn cancel(&self, id: DeploymentId) {
        if let Some(slot) = self.slots.values().find(|slot| slot.deployment == Some(id)) {
            slot.cancel.cancel();
            return;
        }
        match self.context.db.read(move |c| db::deployments::find(c, id)).await {
            Ok(Some(deployment)) if deployment.status == Status::Queued => {
                finish(&self.context, &deployment, Status::Cancelled, None).await;
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, deployment = %id, "a deployment could not be cancelled"),
        }
    }

    /// A deployment of an app that is to be deleted is not worth its end.
    fn want_reconciled(&mut self, app: AppId) {
        self.unreconciled.insert(app);
    }

    async fn reconcile_all(&mut self) {
        let ids = self.context.db.read(db::apps::list_ids).await;
        let strays = reconcile::strays(&self.context).await;
        match (ids, strays) {
            (Ok(ids), Ok(())) => self.unreconciled.extend(ids),
            (Err(error), _) => tracing::error!(%error, "apps could not be listed"),
            (Ok(ids), Err(error)) => {
                self.unreconciled.extend(ids);
                tracing::warn!(%error, "strays could not be removed");
            }
        }
        self.finish_deleted_projects().await;
    }

    fn free(&mut self, ended: Result<AppId, tokio::task::JoinError>) {
        match ended {
            Ok(app) => drop(self.slots.remove(&app)),
            Err(error) => tracing::error!(%error, "a task of the worker ended by a fault"),
        }
    }

    /// Fills free slots. While the engine is away nothing is begun that needs it.
    async fn start_what_can_be(&mut self) {
        self.cancel_deployments_of_deleted_apps().await;
        if self.context.health.borrow().docker.is_err() {
            return;
        }
        let free: Vec<AppId> = self
            .unreconciled
            .iter()
            .filter(|app| !self.slots.contains_key(app))
            .copied()
            .collect();
        for app in free {
            self.unreconciled.remove(&app);
            self.spawn_reconcile(app);
        }
        while self.has_room() {
            let busy: Vec<AppId> = self.slots.keys().copied().collect();
            match self.context.db.write(move |tx| claim(tx, &busy)).await {
                Ok(Some((app, deployment))) => self.spawn_deployment(app, deployment, false),
                Ok(None) => return,
                Err(error) => {
                    tracing::error!(%error, "the queue could not be read");
                    return;
                }
            }
        }
    }

    async fn cancel_deployments_of_deleted_apps(&self) {
        for app in &self.unreconciled {
            let (Some(slot), app) = (self.slots.get(app), *app) else {
                continue;
            };
            let is_deleting = self.context.db.read(move |c| db::apps::is_deleting(c, app)).await;
            if is_deleting.unwrap_or(false) {
                slot.cancel.cancel();
            }
        }
    }

    fn has_room(&self) -> bool {
        let counts = |slot: &&Slot| slot.deployment.is_some() && !slot.is_retiring.load(Ordering::Relaxed);
        self.slots.values().filter(counts).count() < usize::from(self.context.config.max_deployments)
    }

    fn spawn_reconcile(&mut self, app: AppId) {
        let slot = Slot {
            deployment: None,
            cancel: CancellationToken::new(),
            is_retiring: Arc::new(AtomicBool::new(false)),
        };
        self.slots.insert(app, slot);
        let context = Arc::clone(&self.context);
        self.tasks.spawn(async move {
            if let Err(error) = reconcile::app(&context, app).await {
                tracing::warn!(%app, %error, "an app could not be put right");
            }
            context.events.announce(Event::App(app));
            app
        });
    }

    fn spawn_deployment(&mut self, app: App, deployment: Deployment, is_resumed: bool) {
        let slot = Slot {
            deployment: Some(deployment.id),
            cancel: CancellationToken::new(),
            is_retiring: Arc::new(AtomicBool::new(false)),
        };
        let (cancel, is_retiring) = (slot.cancel.clone(), Arc::clone(&slot.is_retiring));
        let app_id = app.id;
        self.slots.insert(app_id, slot);
        let (context, messages) = (Arc::clone(&self.context), self.messages.clone());
        self.tasks.spawn(async move {
            match JobLog::open(&context, &deployment) {
                Ok(log) => {
                    let job = Job {
                        context,
                        app,
                        deployment,
                        log,
                        cancel,
                        is_retiring,
                        messages,
                    };
                    run_job(&job, is_resumed).await;
                }
                Err(error) => {
                    let error = DeployError::of_io(&error);
                    finish(
                        &context,
                        &deployment,
                        Status::Failed,
                        Some((error.kind(), error.to_string())),
                    )
                    .await;
                }
            }
            app_id
        });
    }
}

/// Takes the next request together with its app.
fn claim(tx: &db::Tx, busy: &[AppId]) -> db::Result<Option<(App, Deployment)>> {
    let Some(deployment) = db::deployments::claim_next(tx, busy)? else {
        return Ok(None);
    };
    Ok(db::apps::find(tx, deployment.app_id)?.map(|app| (app, deployment)))
}

async fn run_job(job: &Job, is_resumed: bool) {
    job.announce();
    let ended = if is_resumed {
        pipeline::resume(job).await
    } else {
        pipeline::run(job).await
    };
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
    job.log.line(&error.to_string());
    if error.kind() == ErrorKind::Internal {
        tracing::error!(%error, deployment = %id, "a deployment met a fault");
    }
    finish(
        &job.context,
        &job.deployment,
        Status::Failed,
        Some((error.kind(), error.to_string())),
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
async fn finish(context: &Context, deployment: &Deployment, status: Status, error: Option<(ErrorKind, String)>) {
    let id = deployment.id;
    let written = context
        .db
        .write(move |tx| db::deployments::update_finished(tx, id, status, error.as_ref()))
        .await;
    if let Err(error) = written {
        tracing::error!(%error, deployment = %id, "the end of a deployment could not be stored");
    }
    context.events.announce(Event::Deployment(id, deployment.app_id));
}
