//! `git push` over HTTP: the smart protocol, spoken by git's own `git http-backend`.
//!
//! Owns the child process and the bytes between it and the client. Who may push and what a push sets off is decided
//! by the caller, who gets a [`PushOutcome`] and answers with lines for the pusher.

use std::time::Duration;

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::git::{Commit, HostedRepository};
use crate::model::source::CommitSha;

/// What one request may cost.
#[derive(Debug, Clone)]
pub struct PushLimits {
    /// Largest request body, in bytes, as sent.
    pub body_bytes: u64,
    /// Longest time a request may take.
    pub duration: Duration,
}

/// The two services of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// `git fetch` and `git clone`.
    UploadPack,
    /// `git push`.
    ReceivePack,
}

/// What a request asks for; nothing else is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `GET info/refs?service=…`: the branches, before anything is sent.
    Advertise(Service),
    /// `POST git-upload-pack` or `git-receive-pack`.
    Call(Service),
}

impl Operation {
    /// Reads the method, the part of the path after the repository (`info/refs`) and the query.
    pub fn parse(_method: &Method, _tail: &str, _query: Option<&str>) -> Option<Self> {
        None
    }
}

/// How one branch was changed by a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchChange {
    /// Name without `refs/heads/`.
    pub branch: String,
    /// Where it stood; `None` when it is new.
    pub before: Option<CommitSha>,
    /// Where it stands; `None` when it was deleted.
    pub after: Option<CommitSha>,
}

/// What a push did to a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushOutcome {
    /// Every branch that was changed, at least one.
    pub changes: Vec<BranchChange>,
    /// The branch that is deployed.
    pub deploy_branch: String,
    /// The new head of the branch that is deployed; `None` when the push did not touch it.
    pub commit: Option<Commit>,
}

/// Serves the repositories that Dhow hosts; clones share their locks.
#[derive(Debug, Clone)]
pub struct PushServer {
    _limits: PushLimits,
}

impl PushServer {
    /// A server with those limits.
    pub fn new(limits: PushLimits) -> Self {
        Self { _limits: limits }
    }

    /// Answers a request that was let in. After a push that changed a branch, `on_push` is called and its lines are
    /// shown to the pusher; it runs to its end even when the pusher goes away.
    pub async fn serve<OnPush, Lines>(
        &self,
        _request: Request,
        _operation: Operation,
        _repository: HostedRepository,
        _on_push: OnPush,
    ) -> Response
    where
        OnPush: FnOnce(PushOutcome) -> Lines + Send + 'static,
        Lines: Future<Output = Vec<String>> + Send + 'static,
    {
        StatusCode::NOT_FOUND.into_response()
    }
}
