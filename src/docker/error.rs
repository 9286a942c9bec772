//! What can go wrong with the engine, in the few kinds that callers tell apart, and how bollard's errors become those.

use std::error::Error as StdError;
use std::io;

use bollard::errors::Error as BollardError;

/// A failure of the engine or on the way to it. Every text can be shown to a user.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The engine does not answer; the text names the address and the remedy.
    #[error("{0}")]
    Unreachable(String),
    /// Dhow and the engine have no API version in common.
    #[error("{0}")]
    TooOld(String),
    /// No such container, image or network.
    #[error("{0}")]
    NotFound(String),
    /// The name is taken by another object, which the text names, or the object's state forbids it (HTTP 409).
    #[error("{0}")]
    Conflict(String),
    /// The engine's disk is full.
    #[error("{0}")]
    NoSpace(String),
    /// Any other refusal, in the engine's words.
    #[error("{0}")]
    Refused(String),
}

/// Sorts a failed call into our kinds. `address` is where the engine was looked for.
pub(super) fn explain(error: BollardError, address: &str) -> Error {
    match error {
        BollardError::DockerResponseServerError { message, .. }
        | BollardError::DockerStreamError { error: message }
            if is_disk_full(&message) =>
        {
            Error::NoSpace(format!("Docker has no disk space left: {message}"))
        }
        BollardError::DockerResponseServerError {
            status_code: 404,
            message,
        } => Error::NotFound(message),
        BollardError::DockerResponseServerError {
            status_code: 409,
            message,
        } => Error::Conflict(message),
        BollardError::DockerResponseServerError { message, .. } => Error::Refused(message),
        BollardError::DockerStreamError { error } => Error::Refused(error),
        BollardError::RequestTimeoutError => Error::Unreachable(format!(
            "Docker at {address} accepted the request but did not answer in time; restart Docker if this goes on"
        )),
        BollardError::SocketNotFoundError(_) => Error::Unreachable(format!(
            "Docker does not answer at {address}: there is no such socket. Install and start Docker, or name its \
             address with --docker-host"
        )),
        BollardError::HyperLegacyError { .. }
        | BollardError::HyperResponseError { .. }
        | BollardError::IOError { .. } => explain_connection(&error, address),
        other => Error::Refused(format!("the exchange with Docker failed: {other}")),
    }
}

/// Whether the engine refused the request for its API version, before it did anything.
pub(super) fn is_version_mismatch(error: &BollardError) -> bool {
    matches!(error, BollardError::DockerResponseServerError { status_code: 400, message }
        if message.contains("client version") && (message.contains("too new") || message.contains("too old")))
}

/// Whether the text speaks of a full disk or an exhausted quota.
pub(super) fn is_disk_full(message: &str) -> bool {
    message.contains("no space left on device") || message.contains("disk quota exceeded")
}

fn explain_connection(error: &BollardError, address: &str) -> Error {
    let problem = match io_kind(error) {
        Some(io::ErrorKind::NotFound) => {
            "there is no such socket. Install and start Docker, or name its address with --docker-host".to_owned()
        }
        Some(io::ErrorKind::ConnectionRefused) => {
            "nothing listens there. Start Docker (systemctl start docker)".to_owned()
        }
        Some(io::ErrorKind::PermissionDenied) => {
            "permission denied. Run Dhow as root or as a member of the group `docker`".to_owned()
        }
        _ => format!("{}. Check that Docker runs", innermost(error)),
    };
    Error::Unreachable(format!("Docker does not answer at {address}: {problem}"))
}

fn io_kind(error: &BollardError) -> Option<io::ErrorKind> {
    sources(error)
        .find_map(|source| source.downcast_ref::<io::Error>())
        .map(io::Error::kind)
}

fn innermost(error: &BollardError) -> String {
    sources(error)
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

fn sources<'a>(error: &'a BollardError) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let first: &(dyn StdError + 'static) = error;
    std::iter::successors(Some(first), |error: &&'a (dyn StdError + 'static)| (*error).source())
}
