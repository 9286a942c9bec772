//! `dhow serve`: listens, says when it is ready, stops on SIGTERM or Ctrl-C.

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::print_line;
use crate::config::Config;
use crate::telemetry;

/// Serves until a signal ends it.
pub async fn run(config: Config) -> anyhow::Result<()> {
    telemetry::start(config.log_format);
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be received")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be received")?;
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!(
            "{} cannot be listened on; choose another address with --listen",
            config.listen
        )
    })?;
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    crate::run(config, listener, print_line, shutdown).await
}
