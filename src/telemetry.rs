//! Dhow's own log lines: set up once, written to standard error.
//!
//! A message reads alone, ids are fields, units are in names, each fact is told once at the boundary. Values of
//! variables, tokens and bodies are never fields.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogFormat, log_filter};

/// Starts writing log lines. A second call in one process does nothing.
pub fn start(format: LogFormat) {
    let registry = tracing_subscriber::registry().with(EnvFilter::new(log_filter()));
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let _started_before = match format {
        LogFormat::Text => registry.with(layer.with_target(false)).try_init(),
        LogFormat::Json => registry.with(layer.json()).try_init(),
    };
}
