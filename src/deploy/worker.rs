//! The worker: claims what waits, runs it, and alone writes how a deployment ended.
//!
//! One slot an app, held by its deployment or its reconcile to the end; `--max-deployments` in all, freed at retire
//! so that a drain holds nobody else up. What builds nothing does not count: a rollback must not wait for a build.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::job::{Job, JobLog};
use super::{Context, Message, pointing, reconcile, runtime, strays, watch};
use crate::db;
use crate::events::Event;
use crate::model::app::App;
use crate::model::deployment::{Deployment, Status};
use crate::model::ids::{AppId, DeploymentId};

mod decisions;
mod pushes;
mod recover;
mod run;
mod sources;

/// In `meta`: whether the last process stopped by itself, so that what it left running did not die.
const CLEAN_STOP: &str = "clean_stop";

/// An app at work.
struct Slot {
    /// Its deployment; a reconcile or a decision about deliveries has none.
    deployment: Option<DeploymentId>,
    may_build: bool,
    cancel: CancellationToken,
    is_retiring: Arc<AtomicBool>,
}

impl Slot {
    /// For what keeps an app busy without deploying it.
    fn without_deployment() -> Self {
        Self {
            deployment: None,
            may_build: false,
            cancel: CancellationToken::new(),
            is_retiring: Arc::new(AtomicBool::new(false)),
        }
    }
}

/// What a task says when it ends.
struct Freed {
    app: AppId,
    /// Whether a look at the engine is due: a request that was given up may have been carried out all the same.
    is_suspect: bool,
}

/// The dispatcher.
pub struct Worker {
    context: Arc<Context>,
    messages: mpsc::UnboundedSender<Message>,
    receiver: mpsc::UnboundedReceiver<Message>,
    slots: HashMap<AppId, Slot>,
    tasks: JoinSet<Freed>,
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
        let pointing = tokio::spawn(pointing::run(Arc::clone(&self.context)));
        let runtime = tokio::spawn(runtime::run(Arc::clone(&self.context), self.messages.clone()));
        if let Err(error) = self.recover().await {
            tracing::error!(%error, "what a former process left could not be taken up");
        }
        let shutdown = self.context.shutdown.clone();
        while !shutdown.is_cancelled() {
            self.start_what_can_be().await;
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(message) = self.receiver.recv() => self.handle_all(message).await,
                Some(ended) = self.tasks.join_next() => self.free(ended),
            }
        }
        while self.tasks.join_next().await.is_some() {}
        let _ended = (watch.await, pointing.await, runtime.await);
        let stopped = self.context.db.write(|tx| db::meta::set(tx, CLEAN_STOP, "1")).await;
        if let Err(error) = stopped {
            tracing::warn!(%error, "the clean stop could not be noted");
        }
    }

    /// Handles all that has come so far, so that fifty requests at once cost one look into the queue.
    async fn handle_all(&mut self, first: Message) {
        let (mut next, mut is_woken) = (Some(first), false);
        while let Some(message) = next {
            match message {
                Message::Wake => is_woken = true,
                Message::Cancel(id) => self.cancel(id).await,
                Message::Reconcile(app) => drop(self.unreconciled.insert(app)),
                Message::ReconcileAll => self.reconcile_all().await,
            }
            next = self.receiver.try_recv().ok();
        }
        if is_woken {
            self.finish_deleted_projects().await;
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
                run::finish(&self.context, &deployment, Status::Cancelled, None).await;
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, deployment = %id, "a deployment could not be cancelled"),
        }
    }

    async fn reconcile_all(&mut self) {
        let ids = self.context.db.read(db::apps::list_ids).await;
        let strays = strays::remove(&self.context).await;
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

    fn free(&mut self, ended: Result<Freed, tokio::task::JoinError>) {
        match ended {
            Ok(Freed { app, is_suspect }) => {
                self.slots.remove(&app);
                if is_suspect {
                    self.unreconciled.insert(app);
                }
            }
            Err(error) => tracing::error!(%error, "a task of the worker ended by a fault"),
        }
    }

    /// Fills free slots. While the engine is away nothing is begun that needs it.
    async fn start_what_can_be(&mut self) {
        self.cancel_deployments_of_deleted_apps().await;
        self.decide_deliveries().await;
        self.look_at_sources().await;
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
        loop {
            let busy: Vec<AppId> = self.slots.keys().copied().collect();
            let has_room = self.has_room();
            match self.context.db.write(move |tx| claim(tx, &busy, has_room)).await {
                Ok(Some((app, deployment))) => self.spawn_deployment(app, deployment, false),
                Ok(None) => return,
                Err(error) => {
                    tracing::error!(%error, "the queue could not be read");
                    return;
                }
            }
        }
    }

    /// A deployment of an app that is to be deleted is not worth its end.
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
        let counts = |slot: &&Slot| slot.may_build && !slot.is_retiring.load(Ordering::Relaxed);
        self.slots.values().filter(counts).count() < usize::from(self.context.config.max_deployments)
    }

    fn spawn_reconcile(&mut self, app: AppId) {
        self.slots.insert(app, Slot::without_deployment());
        let context = Arc::clone(&self.context);
        self.tasks.spawn(async move {
            match AssertUnwindSafe(reconcile::app(&context, app)).catch_unwind().await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%app, %error, "an app could not be put right"),
                Err(_panic) => tracing::error!(%app, "putting an app right met a fault"),
            }
            context.events.announce(Event::App(app));
            Freed { app, is_suspect: false }
        });
    }

    fn spawn_deployment(&mut self, app: App, deployment: Deployment, is_resumed: bool) {
        let slot = Slot {
            deployment: Some(deployment.id),
            may_build: deployment.trigger.may_build(),
            cancel: CancellationToken::new(),
            is_retiring: Arc::new(AtomicBool::new(false)),
        };
        let (cancel, is_retiring) = (slot.cancel.clone(), Arc::clone(&slot.is_retiring));
        let app_id = app.id;
        self.slots.insert(app_id, slot);
        let (context, messages) = (Arc::clone(&self.context), self.messages.clone());
        self.tasks.spawn(async move {
            let log = JobLog::open(&context, &deployment);
            let job = Job {
                context,
                app,
                deployment,
                log,
                cancel,
                is_retiring,
                messages,
            };
            let is_good = run::job(&job, is_resumed).await;
            Freed {
                app: app_id,
                is_suspect: !is_good,
            }
        });
    }
}

/// Takes the next request together with its app.
fn claim(tx: &db::Tx, busy: &[AppId], has_room: bool) -> db::Result<Option<(App, Deployment)>> {
    let Some(deployment) = db::deployments::claim_next(tx, busy, has_room)? else {
        return Ok(None);
    };
    Ok(db::apps::find(tx, deployment.app_id)?.map(|app| (app, deployment)))
}
