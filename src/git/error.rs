//! Why a repository could not be had.

/// Why a repository, or a commit of it, could not be had. Every text is a sentence for the app's owner, says what to
/// do, and holds no credential.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server wants a password, or does not take the one it got.
    #[error("{0}")]
    Auth(String),
    /// The server does not answer, or not as a Git server does.
    #[error("{0}")]
    Unreachable(String),
    /// The server answers, but has no such repository.
    #[error("{0}")]
    RepositoryNotFound(String),
    /// The branch is not there; names those that are.
    #[error("{0}")]
    RefNotFound(String),
    /// No such commit in the repository, or more than one.
    #[error("{0}")]
    CommitNotFound(String),
    /// There is no commit at all.
    #[error("The repository is empty. Push a commit to it, then deploy again.")]
    Empty,
    /// Against Dhow's rules: a private address, plain http, a link that leaves the checkout.
    #[error("{0}")]
    Refused(String),
    /// Asked to stop.
    #[error("Cancelled.")]
    Cancelled,
    /// The disk is full.
    #[error("The disk is full. Free some space, then deploy again.")]
    NoSpace,
    /// Anything else, in the words of libgit2 or the operating system.
    #[error("{0}")]
    Other(String),
}
