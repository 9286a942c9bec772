//! `git push` over HTTP: the smart protocol, spoken by git's own `git http-backend`.
//!
//! Owns the child process and the bytes between it and the client. Who may push and what a push sets off is decided
//! by the caller, who gets a [`PushOutcome`] and answers with lines for the pusher.

mod backend;
mod locks;
mod operation;
mod outcome;
mod sideband;
mod token;
mod told;

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use tokio_util::io::ReaderStream;

pub use operation::{Operation, Service};
pub use outcome::{BranchChange, PushOutcome};
pub use token::{PushToken, challenge};
pub use told::{News, Reply};

use crate::git::{self, HostedRepository};
use backend::{Backend, Trouble};
use locks::Locks;

/// What one request may cost.
#[derive(Debug, Clone)]
pub struct PushLimits {
    /// Largest request body, in bytes, as sent; also the largest pack.
    pub body_bytes: u64,
    /// Longest time a request may take.
    pub duration: Duration,
}

impl Default for PushLimits {
    /// 512 MiB in half an hour: the history of a large web app over a slow line.
    fn default() -> Self {
        Self {
            body_bytes: 512 << 20,
            duration: Duration::from_secs(30 * 60),
        }
    }
}

/// Serves the repositories that Dhow hosts; clones share their locks.
#[derive(Debug, Clone)]
pub struct PushServer {
    limits: PushLimits,
    locks: Locks,
}

impl PushServer {
    /// A server with those limits.
    pub fn new(limits: PushLimits) -> Self {
        Self {
            limits,
            locks: Locks::default(),
        }
    }

    /// Answers a request that was let in. After a push that changed a branch, `on_push` is called and the pusher is told
    /// its reply; the call runs to its end even when the pusher goes away, and before the next push to the same
    /// repository begins. The news of a reply are told for as long as the pusher stays.
    pub async fn serve<OnPush, Replying>(
        &self,
        request: Request,
        operation: Operation,
        repository: HostedRepository,
        on_push: OnPush,
    ) -> Response
    where
        OnPush: FnOnce(PushOutcome) -> Replying + Send + 'static,
        Replying: Future<Output = Reply> + Send + 'static,
    {
        if operation != Operation::Call(Service::ReceivePack) {
            return match Backend::start(request, operation, repository.dir(), &self.limits) {
                Ok(backend) => stream(backend, self.limits.duration).await,
                Err(trouble) => refuse(&trouble),
            };
        }
        let server = self.clone();
        let push = async move { server.receive(request, repository, on_push).await };
        tokio::spawn(push)
            .await
            .unwrap_or_else(|error| refuse(&Trouble::Failed(error.to_string())))
    }

    async fn receive<OnPush, Replying>(
        &self,
        request: Request,
        repository: HostedRepository,
        on_push: OnPush,
    ) -> Response
    where
        OnPush: FnOnce(PushOutcome) -> Replying,
        Replying: Future<Output = Reply>,
    {
        let _turn = self.locks.take(repository.dir()).await;
        let before = match read_branches(&repository).await {
            Ok(before) => before,
            Err(error) => return refuse(&Trouble::Failed(error.to_string())),
        };
        let operation = Operation::Call(Service::ReceivePack);
        let answered = match Backend::start(request, operation, repository.dir(), &self.limits) {
            Ok(backend) => tokio::time::timeout(self.limits.duration, backend.read_whole()).await,
            Err(trouble) => return refuse(&trouble),
        };
        // Looked at even after a failure: the branches may have moved before it.
        let outcome = tokio::task::spawn_blocking(move || outcome::compare(&repository, &before)).await;
        let reply = match outcome {
            Ok(Ok(Some(outcome))) => Some(on_push(outcome).await),
            Ok(Ok(None)) => Some(Reply {
                lines: vec!["No branch was changed, so nothing is deployed.".to_owned()],
                news: None,
            }),
            Ok(Err(error)) => return refuse(&Trouble::Failed(error.to_string())),
            Err(error) => return refuse(&Trouble::Failed(error.to_string())),
        };
        match answered {
            Ok(Ok((head, answer))) => head.into_response(told::body(answer, reply)),
            Ok(Err(trouble)) => refuse(&trouble),
            Err(_) => refuse(&Trouble::TimedOut),
        }
    }
}

async fn read_branches(repository: &HostedRepository) -> Result<Vec<git::BranchHead>, git::Error> {
    let repository = repository.clone();
    tokio::task::spawn_blocking(move || repository.branches())
        .await
        .unwrap_or_else(|error| Err(git::Error::Other(error.to_string())))
}

/// Passes the answer on while it is made; the process ends with the connection.
async fn stream(mut backend: Backend, limit: Duration) -> Response {
    let head = match tokio::time::timeout(limit, backend.read_head()).await {
        Ok(Ok(head)) => head,
        Ok(Err(trouble)) => return refuse(&trouble),
        Err(_) => return refuse(&Trouble::TimedOut),
    };
    let (process, output) = backend.into_parts();
    let chunks = ReaderStream::new(output)
        .take_until(Box::pin(tokio::time::sleep(limit)))
        .map(move |chunk| {
            let _alive_until_sent = &process;
            chunk
        });
    head.into_response(Body::from_stream(chunks))
}

/// A refusal in plain text, which git shows to the user.
fn refuse(trouble: &Trouble) -> Response {
    let status = match trouble {
        Trouble::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Trouble::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        Trouble::NoGit => StatusCode::SERVICE_UNAVAILABLE,
        Trouble::Failed(why) => {
            tracing::error!(error = %why, "git http-backend failed");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    (status, [(header::CONTENT_TYPE, text)], format!("{trouble}\n")).into_response()
}
