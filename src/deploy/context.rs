//! What every step of a deployment works with.

use std::sync::Arc;

use tokio::sync::{Mutex, Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::looks::Looks;
use super::watch::Health;
use super::worker::Worker;
use super::{Deployer, Paths, proxy};
use crate::config::Config;
use crate::db::Db;
use crate::dns::Dns;
use crate::docker::Engine;
use crate::events::Events;
use crate::logs::Logs;
use crate::secrets::SecretKey;
use crate::traefik::DynamicFiles;

/// The parts, shared by the worker, its jobs and the handles.
pub struct Context {
    pub(super) config: Arc<Config>,
    pub(super) paths: Paths,
    pub(super) db: Db,
    pub(super) events: Events,
    pub(super) logs: Logs,
    pub(super) secrets: SecretKey,
    /// Of the proxy's API; stays what it was at the start when the key is changed.
    pub(super) proxy_password: String,
    pub(super) engine: Engine,
    pub(super) dns: Dns,
    /// What was seen of the domains when they were last looked up.
    pub(super) looks: Looks,
    pub(super) routes: DynamicFiles,
    /// Held from reading the database until the route file is written, so that the newest reading wins.
    pub(super) route_lock: Mutex<()>,
    /// Held while the proxy's container is made or joins a network.
    pub(super) proxy_lock: Mutex<()>,
    /// Told when something has happened to the proxy.
    pub(super) proxy_is_suspect: Notify,
    pub(super) health: watch::Sender<Health>,
    pub(super) shutdown: CancellationToken,
}

/// What [`Context::new`] is made of.
pub struct Parts {
    /// What the operator chose.
    pub config: Arc<Config>,
    /// Where files are.
    pub paths: Paths,
    /// The database.
    pub db: Db,
    /// Where changes are announced.
    pub events: Events,
    /// Where logs are.
    pub logs: Logs,
    /// The key of stored variables.
    pub secrets: SecretKey,
    /// The engine, connected.
    pub engine: Engine,
    /// Where domains lead.
    pub dns: Dns,
    /// Ends the worker.
    pub shutdown: CancellationToken,
}

impl Context {
    /// Puts the parts together and makes the proxy right; answers the handle and the worker, which is to be run.
    pub async fn start(parts: Parts) -> anyhow::Result<(Deployer, Worker)> {
        let routes = DynamicFiles::open(&parts.paths.traefik())?;
        let context = Arc::new(Self {
            config: parts.config,
            paths: parts.paths,
            db: parts.db,
            events: parts.events,
            logs: parts.logs,
            proxy_password: proxy::password(&parts.secrets),
            secrets: parts.secrets,
            engine: parts.engine,
            dns: parts.dns,
            looks: Looks::default(),
            routes,
            route_lock: Mutex::new(()),
            proxy_lock: Mutex::new(()),
            proxy_is_suspect: Notify::new(),
            health: watch::Sender::new(Health::unknown()),
            shutdown: parts.shutdown,
        });
        proxy::ensure(&context).await?;
        let (messages, receiver) = mpsc::unbounded_channel();
        let deployer = Deployer {
            context: Arc::clone(&context),
            messages: messages.clone(),
        };
        Ok((deployer, Worker::new(context, messages, receiver)))
    }

    /// Prefix of an app's container names and its images' name.
    pub(super) fn name_of(&self, app_slug: &str, deployment: crate::model::ids::DeploymentId) -> String {
        format!("{}-{app_slug}-{deployment}", self.config.instance)
    }
}
