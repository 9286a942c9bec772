//! The proxy: what its container shall be, what its dynamic files say, and what its API confirms.
//!
//! Makes no container and keeps no state: the deployment engine carries out [`proxy::container`], writes what
//! [`render`] says through [`DynamicFiles`], and asks [`ProxyApi`] whether Traefik serves it. Invariant: whatever
//! is written here is read by Traefik as a whole or not at all, since one bad file would take every app away.

mod acme;
mod api;
mod certificate;
mod dynamic;
mod files;
mod guard;
mod mark;
mod metrics;
mod panel;
pub mod proxy;
mod render;
mod rules;
mod shown;
mod text;

pub use acme::{AcmeOutcome, Refusal, Storage, acme_refusal};
pub use api::ProxyApi;
pub use files::DynamicFiles;
pub use mark::Mark;
pub use metrics::Counters;
pub use panel::{panel_file, render_panel};
pub use render::{PublicPorts, api_file, app_file, render, render_api};

/// Entry point for plain http.
const WEB: &str = "web";
/// Entry point for https.
const WEB_SECURE: &str = "websecure";
/// Entry point for Traefik's own API and metrics, published on loopback only.
const PRIVATE: &str = "dhow";
/// Name of the certificate resolver.
const RESOLVER: &str = "acme";
/// User name for the API and the metrics.
const API_USER: &str = "dhow";

/// Why the proxy could not be asked or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its API did not answer as Traefik's: not started yet, starting again, or without its own routes.
    #[error("the proxy's API could not be reached: {0}")]
    Unreachable(String),
    /// It answers, but does not serve what was written.
    #[error("the proxy does not serve the new routes: {0}")]
    NotConfirmed(String),
    /// A dynamic file could not be read or written.
    #[error("the proxy's file {path} could not be used: {source}")]
    File {
        /// The file or directory.
        path: std::path::PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}
