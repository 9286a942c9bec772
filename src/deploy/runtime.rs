//! The state of instances: one stream of the engine's events, each of which only causes a look at what is.
//!
//! A look stores what an app's instance does when that has changed, and asks for a reconcile when the engine will not
//! put it right by itself; a crash loop is the engine's, with its own back-off. Every app is looked at when the stream
//! is opened, so that nothing missed stays missed; what is steady is not looked at again without an event.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::strays::deployment_of;
use super::watch::{PERIOD, until_engine_answers};
use super::{Context, DeployError, Message, proxy};
use crate::db;
use crate::docker::{self, ContainerEvent, Happened};
use crate::events::Event;
use crate::model::app::App;
use crate::model::container::{ContainerState, KIND_LABEL};
use crate::model::ids::{AppId, DeploymentId};
use crate::model::instance::{Instance, InstanceState, Told};
use crate::model::time::Timestamp;

/// Most events that one round of looks answers.
const BATCH: usize = 64;
/// Least time between two rounds: lack of memory was seen to give fifty events a second.
const PACE: Duration = Duration::from_millis(100);
/// Longest look; the engine holds one back while it starts or removes the container.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);
/// Time until an app that a reconcile could not put right is tried again.
const RETRY: Duration = Duration::from_secs(60);
/// How long an event about memory is kept for the end that belongs to it, in milliseconds.
const TOLD_LIFETIME: i64 = 60_000;
/// Pause before the stream is opened again: an engine that refuses it must not be asked without end.
const REOPEN_PAUSE: Duration = Duration::from_secs(1);

/// What was asked for an app whose instance does not run steadily, and when; nothing while the engine restarts it.
type Asked = Option<(Instance, Instant)>;

/// What is kept between two looks.
struct Runtime<'a> {
    context: &'a Context,
    messages: mpsc::UnboundedSender<Message>,
    /// Apps to be looked at again without an event.
    unsteady: BTreeMap<AppId, Asked>,
    /// When memory last ran out.
    out_of_memory: BTreeMap<DeploymentId, Timestamp>,
}

/// Follows the engine's events until Dhow stops.
pub async fn run(context: Arc<Context>, messages: mpsc::UnboundedSender<Message>) {
    let shutdown = context.shutdown.clone();
    let mut runtime = Runtime {
        context: &context,
        messages,
        unsteady: BTreeMap::new(),
        out_of_memory: BTreeMap::new(),
    };
    let follow = async {
        loop {
            if let Err(error) = runtime.follow().await {
                tracing::debug!(%error, "the engine's events have ended");
            }
            sleep(REOPEN_PAUSE).await;
            until_engine_answers(&context).await;
        }
    };
    shutdown.run_until_cancelled(follow).await;
}

impl Runtime<'_> {
    /// Looks at everything, then at what events name, until the engine goes away.
    async fn follow(&mut self) -> Result<(), DeployError> {
        // The engine repeats what happened from this moment on, however long the first looks take.
        let events = self.context.engine.events(Timestamp::now()).ready_chunks(BATCH);
        let mut events = std::pin::pin!(events);
        for app in self.context.db.read(db::apps::list_wanted).await? {
            self.look(app, Told::default()).await?;
        }
        let mut health = self.context.health.subscribe();
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                batch = events.next() => match batch {
                    Some(batch) => self.handle(batch).await?,
                    None => return Ok(()),
                },
                _ = ticks.tick(), if !self.unsteady.is_empty() => self.look_again().await?,
                // A connection to an engine on another machine can be dead without a sign of it.
                Ok(()) = health.changed() => if health.borrow().docker.is_err() { return Ok(()) },
            }
        }
    }

    async fn handle(&mut self, batch: Vec<Result<ContainerEvent, docker::Error>>) -> Result<(), DeployError> {
        let mut named: BTreeMap<DeploymentId, Option<i64>> = BTreeMap::new();
        for event in batch {
            let event = event?;
            match event.labels.get(KIND_LABEL).map(String::as_str) {
                Some("proxy") => self.handle_proxy(event.happened),
                Some("app") => {
                    let Some(deployment) = deployment_of(&event.labels) else {
                        continue;
                    };
                    let exit_code = named.entry(deployment).or_default();
                    match event.happened {
                        Happened::Ended { exit_code: code } => *exit_code = Some(code),
                        Happened::OutOfMemory => self.note_out_of_memory(deployment, event.at),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        for (deployment, exit_code) in named {
            // Instances come and go in deployments and deletions; only the one that serves is watched.
            let app = self.context.db.read(move |c| db::apps::find_wanted(c, deployment));
            if let Some(app) = app.await? {
                let out_of_memory_at = self.out_of_memory.get(&deployment).copied();
                let told = Told {
                    exit_code,
                    out_of_memory_at,
                };
                self.look(app, told).await?;
            }
        }
        sleep(PACE).await;
        Ok(())
    }

    fn handle_proxy(&self, happened: Happened) {
        if matches!(
            happened,
            Happened::Ended { .. } | Happened::Removed | Happened::Disconnected
        ) {
            self.context.proxy_is_suspect.notify_one();
        }
    }

    fn note_out_of_memory(&mut self, deployment: DeploymentId, at: Timestamp) {
        self.out_of_memory
            .retain(|_, before| at.millis_since(*before) < TOLD_LIFETIME);
        self.out_of_memory.insert(deployment, at);
    }

    /// Looks at what is not steady, as far as it is time.
    async fn look_again(&mut self) -> Result<(), DeployError> {
        let is_due = |asked: &Asked| asked.as_ref().is_none_or(|(_, at)| at.elapsed() >= RETRY);
        let due: Vec<AppId> = self
            .unsteady
            .iter()
            .filter_map(|(app, asked)| is_due(asked).then_some(*app))
            .collect();
        for app in due {
            self.look(app, Told::default()).await?;
        }
        Ok(())
    }

    /// Looks at an app's instance; what cannot be seen now is looked at again, unless the engine is gone.
    async fn look(&mut self, app: AppId, told: Told) -> Result<(), DeployError> {
        let problem = match timeout(LOOK_TIMEOUT, self.look_now(app, told)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error @ DeployError::DockerUnreachable(_))) => return Err(error),
            Ok(Err(error)) => error.to_string(),
            Err(_elapsed) => "the engine did not tell in time".to_owned(),
        };
        if self.unsteady.insert(app, None).is_none() {
            tracing::warn!(%app, problem, "an app's instance could not be looked at");
        }
        Ok(())
    }

    async fn look_now(&mut self, id: AppId, told: Told) -> Result<(), DeployError> {
        let Some((app, deployment)) = self.context.db.read(move |c| find_wanted(c, id)).await? else {
            self.unsteady.remove(&id);
            return Ok(());
        };
        let name = self.context.name_of(app.slug.as_str(), deployment);
        let container = self.context.engine.inspect_our_container(&name).await?;
        let before = app.instance.as_ref();
        let instance = Instance::judge(deployment, container.as_ref(), told, before, Timestamp::now());
        if before != Some(&instance) {
            store(self.context, id, &instance).await?;
        }
        let network = proxy::project_network(self.context, &app);
        let is_out_of_reach = container.is_some_and(|container| is_out_of_reach(&container, &network));
        self.settle(&app, instance, is_out_of_reach);
        Ok(())
    }

    /// Decides who puts an instance right: nobody has to, the engine does, or a reconcile is asked for.
    fn settle(&mut self, app: &App, instance: Instance, is_out_of_reach: bool) {
        let has_ended = matches!(instance.state, InstanceState::Exited | InstanceState::Missing);
        if !has_ended && !is_out_of_reach {
            match instance.state {
                InstanceState::Restarting => drop(self.unsteady.insert(app.id, None)),
                _ => drop(self.unsteady.remove(&app.id)),
            }
            return;
        }
        // A start that failed leaves the same end behind and is not tried again at once.
        let is_same = |asked: &Asked| {
            let same = asked.as_ref().filter(|(asked, _)| *asked == instance);
            same.is_some_and(|(_, at)| at.elapsed() < RETRY)
        };
        if !is_out_of_reach && self.unsteady.get(&app.id).is_some_and(is_same) {
            return;
        }
        tracing::info!(app = %app.slug, state = %instance.state, is_out_of_reach, "an instance does not serve");
        self.unsteady.insert(app.id, Some((instance, Instant::now())));
        let _stopping = self.messages.send(Message::Reconcile(app.id));
    }
}

/// Whether it runs, but is paused, or not in its project's network, where the proxy could reach it.
fn is_out_of_reach(container: &ContainerState, network: &str) -> bool {
    container.is_running && (container.is_paused || !container.addresses.contains_key(network))
}

fn find_wanted(c: &db::Tx, id: AppId) -> db::Result<Option<(App, DeploymentId)>> {
    let Some((_, deployment)) = db::apps::find_active(c, id)? else {
        return Ok(None);
    };
    match db::apps::find_wanted(c, deployment)? {
        Some(id) => Ok(db::apps::find(c, id)?.map(|app| (app, deployment))),
        None => Ok(None),
    }
}

/// Stores what was seen, unless another instance has taken over in between.
async fn store(context: &Context, app: AppId, instance: &Instance) -> Result<(), DeployError> {
    let instance = *instance;
    let stored = context.db.write(move |tx| {
        let is_active = db::apps::find_active(tx, app)?.is_some_and(|(_, active)| active == instance.deployment_id);
        if is_active {
            db::instances::update(tx, app, &instance)?;
        }
        Ok::<_, db::Error>(())
    });
    stored.await?;
    context.events.announce(Event::App(app));
    Ok(())
}
