//! What can go wrong with the engine, in the few kinds that callers tell apart.

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
