//! One deployment at work: its app, its log, its wish to stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Context, DeployError, Message};
use crate::db;
use crate::events::Event;
use crate::logs::LogWriter;
use crate::model::app::App;
use crate::model::deployment::{Deployment, Step};
use crate::secrets::Redaction;

/// A deployment at work.
pub struct Job {
    pub(super) context: Arc<Context>,
    pub(super) app: App,
    pub(super) deployment: Deployment,
    pub(super) log: JobLog,
    /// Cancelled when the deployment is not wanted any more.
    pub(super) cancel: CancellationToken,
    /// Whether it has reached retire, where it holds nobody up.
    pub(super) is_retiring: Arc<AtomicBool>,
    pub(super) messages: mpsc::UnboundedSender<Message>,
}

impl Job {
    /// The name of the new instance's container.
    pub fn container(&self) -> String {
        self.context.name_of(self.app.slug.as_str(), self.deployment.id)
    }

    /// The name of the one-off container of the release command.
    pub fn release_container(&self) -> String {
        format!("{}-release", self.container())
    }

    /// The name of the image that the deployment makes.
    pub fn image_tag(&self) -> String {
        image_tag(&self.context, &self.app, self.deployment.id)
    }

    /// Runs one step: noted in the database, announced, timed.
    pub async fn step<T>(
        &self,
        step: Step,
        work: impl Future<Output = Result<T, DeployError>>,
    ) -> Result<T, DeployError> {
        self.enter(step).await?;
        let result = work.await?;
        let id = self.deployment.id;
        self.context
            .db
            .write(move |tx| db::deployments::update_step_ended(tx, id, step))
            .await?;
        Ok(result)
    }

    async fn enter(&self, step: Step) -> Result<(), DeployError> {
        let id = self.deployment.id;
        self.context
            .db
            .write(move |tx| db::deployments::update_step(tx, id, step))
            .await?;
        self.log.line(&format!("==> {step}"));
        if step == Step::Retire {
            self.is_retiring.store(true, Ordering::Relaxed);
            let _stopping = self.messages.send(Message::Wake);
        }
        self.announce();
        Ok(())
    }

    /// Tells listeners that the deployment changed.
    pub fn announce(&self) {
        self.context
            .events
            .announce(Event::Deployment(self.deployment.id, self.app.id));
    }
}

/// The name of a deployment's image.
pub fn image_tag(context: &Context, app: &App, deployment: crate::model::ids::DeploymentId) -> String {
    context.engine.ownership().image_name(app.slug.as_str(), deployment)
}

/// The log of one deployment; clones write to the same file. A log that cannot be written (a full disk) must not bring
/// a deployment down: Dhow's own log tells of it.
#[derive(Clone)]
pub struct JobLog(Option<Arc<Mutex<LogWriter>>>);

impl JobLog {
    /// Writes to the log of a deployment.
    pub fn open(context: &Context, deployment: &Deployment) -> Self {
        let (events, id) = (context.events.clone(), deployment.id);
        let announce = Box::new(move || events.announce(Event::Log(id)));
        let writer = context.logs.writer(id, announce).inspect_err(tell);
        Self(writer.ok().map(|writer| Arc::new(Mutex::new(writer))))
    }

    /// The text without values that are hidden.
    pub fn redacted(&self, text: &str) -> String {
        self.writer()
            .map_or_else(|| text.to_owned(), |writer| writer.redacted(text))
    }

    /// Hides these values too from now on.
    pub fn redact(&self, redaction: Redaction) {
        if let Some(mut writer) = self.writer() {
            writer.redact_with(move |text| redaction.apply(text));
        }
    }

    /// Writes a line.
    pub fn line(&self, text: &str) {
        if let Some(Err(error)) = self.writer().map(|mut writer| writer.line(text)) {
            tell(&error);
        }
    }

    fn writer(&self) -> Option<MutexGuard<'_, LogWriter>> {
        Some(self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn tell(error: &std::io::Error) {
    tracing::warn!(%error, "a deployment's log could not be written");
}
