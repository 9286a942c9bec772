//! The watch over the engine and the proxy: says when one goes away, and has things put right when it comes back.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::{Context, Message, proxy};
use crate::events::Event;

/// How often it looks.
pub const PERIOD: Duration = Duration::from_secs(3);

/// Whether the engine and the proxy answer; a text says why not and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The engine.
    pub docker: Result<(), String>,
    /// The proxy.
    pub traefik: Result<(), String>,
}

impl Health {
    /// Before the first look: the start itself has just used both.
    pub(super) const fn unknown() -> Self {
        Self {
            docker: Ok(()),
            traefik: Ok(()),
        }
    }
}

/// Asks both now.
pub async fn ask(context: &Context) -> Health {
    if let Err(error) = context.engine.ping().await {
        let unknown = "The proxy's state cannot be told while Docker does not answer.";
        return Health {
            docker: Err(error.to_string()),
            traefik: Err(unknown.to_owned()),
        };
    }
    Health {
        docker: Ok(()),
        traefik: ask_proxy(context).await,
    }
}

async fn ask_proxy(context: &Context) -> Result<(), String> {
    match proxy::api(context).await {
        Ok(api) => api.ping().await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// Waits for the engine, however long it is away.
pub async fn until_engine_answers(context: &Context) {
    while context.engine.ping().await.is_err() {
        tokio::time::sleep(PERIOD).await;
    }
}

/// Looks again and again until Dhow stops.
pub async fn run(context: Arc<Context>, messages: mpsc::UnboundedSender<Message>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = context.shutdown.cancelled() => return,
            _ = ticks.tick() => look(&context, &messages, false).await,
            () = context.proxy_is_suspect.notified() => look(&context, &messages, true).await,
        }
    }
}

/// Looks once; a proxy that answers may still have lost a network.
async fn look(context: &Context, messages: &mpsc::UnboundedSender<Message>, is_proxy_suspect: bool) {
    let mut health = ask(context).await;
    if health.docker.is_ok() && (is_proxy_suspect || health.traefik.is_err()) {
        health.traefik = put_proxy_right(context, messages).await;
    }
    note(context, messages, health);
}

/// Stores what was found; a change is announced, and an engine that came back has everything looked at.
pub fn note(context: &Context, messages: &mpsc::UnboundedSender<Message>, health: Health) {
    let was = context.health.send_replace(health.clone());
    if was == health {
        return;
    }
    context.events.announce(Event::Engine);
    match &health.docker {
        Err(error) => tracing::warn!(%error, "the engine does not answer"),
        Ok(()) if was.docker.is_err() => {
            tracing::info!("the engine answers again");
            let _stopping = messages.send(Message::ReconcileAll);
        }
        Ok(()) => {}
    }
}

async fn put_proxy_right(context: &Context, messages: &mpsc::UnboundedSender<Message>) -> Result<(), String> {
    match proxy::ensure(context).await {
        Ok(was_made) => {
            if was_made {
                let _stopping = messages.send(Message::ReconcileAll);
            }
            ask_proxy(context).await
        }
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "the proxy could not be put right");
            Err(format!("{error:#}"))
        }
    }
}
