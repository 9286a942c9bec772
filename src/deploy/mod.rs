//! The engine of deployments: the only caller of git, build, docker and traefik.
//!
//! Others hold the [`Deployer`]: they put a request into the database and wake the worker. The queued rows are the
//! queue; the channel carries only hints, so a lost message costs time, not work.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use tokio::sync::mpsc;

use crate::db::{self, Db};
use crate::events::Event;
use crate::logs::Chunk;
use crate::model::app::App;
use crate::model::deployment::{Deployment, Trigger, Wanted};
use crate::model::difference::Difference;
use crate::model::host::Host;
use crate::model::ids::{AppId, DeploymentId};
use crate::model::release::Release;
use crate::model::source::{GitUrl, ImageRef};
use crate::model::user::Actor;

mod acme;
mod build;
mod check;
mod context;
mod deliveries;
mod environment;
mod error;
mod exit;
mod fetch;
mod follow;
mod insist;
mod job;
mod login;
mod look;
mod looks;
mod order;
mod panel;
mod pipeline;
mod plan;
mod pointing;
mod port;
mod port_80;
mod proxy;
mod pull;
mod queue;
mod reconcile;
mod release;
mod retire;
mod routes;
mod runtime;
mod sockets;
mod source;
mod start;
mod strays;
mod switch;
mod undo;
mod variables;
mod watch;
mod worker;

pub use crate::docker::Resolved;
pub use crate::git::Branches;
pub use crate::traefik::{AcmeOutcome, Refusal};
pub use context::{Context, Parts};
pub use error::DeployError;
pub use looks::Look;
pub use queue::{Queued, put_hosted_push, put_push};
pub use watch::Health;
pub use worker::Worker;

/// How long a change of domains waits for the proxy.
const APPLY_TIMEOUT: Duration = Duration::from_secs(5);

/// A hint for the worker.
#[derive(Debug, Clone, Copy)]
enum Message {
    /// Something may wait in the queue.
    Wake,
    /// This deployment is not wanted any more.
    Cancel(DeploymentId),
    /// Make this app on the engine match the database.
    Reconcile(AppId),
    /// The engine came back, or the proxy had to be made anew: look at everything.
    ReconcileAll,
}

/// Why a deployment could not be asked for.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The app is gone.
    #[error("the app does not exist any more")]
    AppGone,
    /// The database refused.
    #[error(transparent)]
    Db(#[from] db::Error),
}

/// Where the engine keeps its files in the data directory.
#[derive(Debug, Clone)]
pub struct Paths {
    data_dir: PathBuf,
}

impl Paths {
    /// Below this directory (absolute).
    pub fn new(data_dir: &Path) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
        }
    }

    /// The data directory itself.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// A directory for each app.
    fn repositories(&self) -> PathBuf {
        self.data_dir.join("repos")
    }

    /// Everything of one app.
    fn app(&self, app: AppId) -> PathBuf {
        self.repositories().join(app.to_string())
    }

    /// The bare copy of an app's repository elsewhere.
    fn mirror(&self, app: AppId) -> PathBuf {
        self.app(app).join("mirror.git")
    }

    /// The bare repository that an app's owner pushes to.
    pub fn hosted_repository(&self, app: AppId) -> PathBuf {
        self.app(app).join("pushed.git")
    }

    /// The files of a deployment while it builds.
    fn checkout(&self, app: AppId, deployment: DeploymentId) -> PathBuf {
        self.app(app).join(format!("checkout-{deployment}"))
    }

    /// The files of an app's source while they are looked at.
    fn looked_at(&self, app: AppId) -> PathBuf {
        self.app(app).join("looked-at")
    }

    /// The proxy's directory.
    pub fn traefik(&self) -> PathBuf {
        self.data_dir.join("traefik")
    }
}

/// The handle that the rest of Dhow holds; clones are equal.
#[derive(Clone)]
pub struct Deployer {
    context: Arc<Context>,
    messages: mpsc::UnboundedSender<Message>,
}

impl Deployer {
    /// Puts a request into the queue in one transaction with whatever it replaces, then wakes the worker.
    pub async fn request(
        &self,
        actor: &Actor,
        app: AppId,
        trigger: Trigger,
        wanted: Wanted,
    ) -> Result<Deployment, RequestError> {
        let actor = actor.clone();
        let queued = self
            .db()
            .write(move |tx| queue::put(tx, &actor, app, trigger, &wanted))
            .await?;
        self.announce(&queued);
        Ok(queued.deployment)
    }

    /// Tells of a request that was stored, and wakes the worker.
    pub fn announce(&self, queued: &Queued) {
        for id in queued.changed() {
            self.context
                .events
                .announce(Event::Deployment(id, queued.deployment.app_id));
        }
        self.wake();
    }

    /// What an app's owner has changed since the release that serves was frozen; `None` when nothing serves.
    pub async fn pending(&self, app: &App) -> Result<Option<Difference>, DeployError> {
        let Some(active) = release::active(&self.context, app.id).await? else {
            return Ok(None);
        };
        let before = release::configuration_of_release(&self.context, &active).await?;
        let after = release::configuration_of_app(&self.context, app, &active).await?;
        Ok(Some(Difference::between(&before, &after)))
    }

    /// What a rollback to a release would change of what serves.
    pub async fn difference_of_rollback(&self, active: &Release, wanted: &Release) -> Result<Difference, DeployError> {
        let before = release::configuration_of_release(&self.context, active).await?;
        let after = release::configuration_of_release(&self.context, wanted).await?;
        Ok(Difference::between(&before, &after))
    }

    /// The branches of the repository that an app is fetched from, as its server tells them now. Nothing is fetched.
    pub async fn list_branches(&self, app: &App, url: &GitUrl) -> Result<Branches, DeployError> {
        source::list_branches(&self.context, app, url).await
    }

    /// What the image that an app runs is at its registry now. Nothing is pulled.
    pub async fn resolve_image(&self, app: &App, image: &ImageRef) -> Result<Resolved, DeployError> {
        login::check(&self.context, app, image).await
    }

    /// Whether a release's image is on the engine.
    pub async fn has_image(&self, release: &Release) -> Result<bool, DeployError> {
        Ok(self.context.engine.find_image(&release.image_id).await?.is_some())
    }

    /// Tells the worker that a deployment is not wanted any more.
    pub fn cancel(&self, id: DeploymentId) {
        self.tell(Message::Cancel(id));
    }

    /// Has an app on the engine made to match the database, after the deployment that runs now.
    pub fn reconcile(&self, app: AppId) {
        self.tell(Message::Reconcile(app));
    }

    /// Tells the worker that something may wait.
    pub fn wake(&self) {
        self.tell(Message::Wake);
    }

    /// Writes an app's route from the database at once, whatever else happens to the app, and waits a moment for the
    /// proxy to use it. A proxy that does not answer now reads the file when it is back.
    pub async fn apply_route(&self, app: AppId) -> Result<(), DeployError> {
        let routes = routes::write(&self.context, app).await?;
        if let Err(error) = proxy::confirm(&self.context, &routes, APPLY_TIMEOUT).await {
            tracing::warn!(%app, %error, "a route is written, but the proxy does not show it yet");
        }
        Ok(())
    }

    /// Why an app's route could not be written yet, in words for its people; it is tried again by itself.
    pub fn unwritten(&self, app: AppId) -> Option<String> {
        self.context.unwritten.reason(app)
    }

    /// The machine's own address in the proxy's network.
    pub async fn proxy_gateway(&self) -> Result<Option<IpAddr>, DeployError> {
        Ok(panel::gateway(&self.context).await?)
    }

    /// The proxy's address in its own network, while it runs.
    pub async fn proxy_address(&self) -> Option<IpAddr> {
        panel::address(&self.context).await
    }

    /// Has the proxy pass requests for the panel's own name on to this address.
    pub async fn serve_panel(&self, host: &Host, door: SocketAddr) -> anyhow::Result<()> {
        panel::serve(&self.context, host, door).await
    }

    /// Looks up now where an app's domains lead; [`Deployer::apply_route`] then writes what the proxy makes of it. Where no
    /// certificates can be had that is nothing, and nobody waits.
    pub async fn look_up_domains(&self, app: AppId) -> Result<(), DeployError> {
        let context = Arc::clone(&self.context);
        let look = async move { pointing::look_up(&context, app).await };
        if self.context.config.has_acme() {
            look.await?;
        } else {
            tokio::spawn(look);
        }
        Ok(())
    }

    /// What was seen of a host when it was last looked up.
    pub fn last_look(&self, host: &Host) -> Option<Look> {
        self.context.looks.of(host)
    }

    /// What became of certificates by ACME, host by host.
    pub async fn certificates(&self, hosts: &[Host]) -> Vec<AcmeOutcome> {
        acme::outcomes(&self.context, hosts).await
    }

    /// Whether the engine and the proxy answered when last asked.
    pub fn health(&self) -> Health {
        self.context.health.borrow().clone()
    }

    /// Asks the engine and the proxy now.
    pub async fn ask_health(&self) -> Health {
        let health = watch::ask(&self.context).await;
        watch::note(&self.context, &self.messages, health.clone());
        health
    }

    /// Where files are.
    pub fn paths(&self) -> &Paths {
        &self.context.paths
    }

    /// A deployment's log from an offset on, as it grows; ends when the deployment has ended and all was read.
    pub fn follow_log(
        &self,
        id: DeploymentId,
        offset: u64,
    ) -> impl Stream<Item = std::io::Result<Chunk>> + Send + use<> {
        follow::follow(&self.context, id, offset)
    }

    fn db(&self) -> &Db {
        &self.context.db
    }

    fn tell(&self, message: Message) {
        // The worker is gone only while Dhow stops; what was meant is in the database and is found at the next start.
        let _stopping = self.messages.send(message);
    }
}
