//! `git http-backend` as a child process, driven as a CGI program (git-http-backend(1), RFC 3875).
//!
//! The only command that Dhow runs. It gets an environment of Dhow's own making: no configuration of the machine, no
//! hook, and paths made from a directory that Dhow chose, never from the request.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::StreamExt;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::{Operation, PushLimits};

/// A system's usual places of programs; `http-backend` looks for `git` there.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The answer to a push is a few hundred bytes, and some more for every branch.
const MAX_ANSWER_BYTES: u64 = 4 << 20;
const MAX_HEAD_BYTES: u64 = 8 << 10;
const MAX_ERROR_BYTES: u64 = 4 << 10;
/// So much of a body that is too large is received in any case: the client hears why only once it has sent all of it.
const LEAST_RECEIVED: u64 = 64 * 1024 * 1024;
/// Between two parts of a pack; git makes one while it sends it.
const BODY_IDLE: Duration = Duration::from_secs(120);

/// Why a request could not be answered by git.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The body is larger than allowed.
    #[error("The push is larger than {} MiB. Leave out large files, or push the history in parts.", .0 >> 20)]
    TooLarge(u64),
    /// It took too long.
    #[error("The request took too long and was ended.")]
    TimedOut,
    /// There is no git on this machine.
    #[error("The server has no git installed, which pushing needs. Ask its operator to install the package git.")]
    NoGit,
    /// Anything else; the cause is for the log.
    #[error("The server could not answer this request. Its log says more.")]
    Failed(String),
}

/// The head of a CGI answer.
#[derive(Debug)]
pub(super) struct Head {
    status: StatusCode,
    headers: HeaderMap,
}

impl Head {
    pub(super) fn into_response(self, body: Body) -> Response {
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// A running `git http-backend`; it is killed when this is dropped, and its own children then find their input closed.
pub(super) struct Backend {
    process: Process,
    output: BufReader<ChildStdout>,
}

/// What must be kept as long as the answer is read.
pub(super) struct Process {
    child: Child,
    /// Passes the body on; the result is whether it was small enough.
    feeding: AbortOnDropHandle<Result<(), Trouble>>,
}

impl Backend {
    /// Starts it for a request, and begins to pass the body on.
    pub(super) fn start(
        request: Request,
        operation: Operation,
        repository: &Path,
        limits: &PushLimits,
    ) -> Result<Self, Trouble> {
        let mut command = Command::new("git");
        command
            .arg("http-backend")
            .env_clear()
            .env("PATH", PATH)
            .current_dir(repository);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        set_request(&mut command, request.headers(), operation, repository)?;
        set_configuration(&mut command, limits);
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Trouble::NoGit,
            _ => Trouble::Failed(error.to_string()),
        })?;
        let (Some(input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Trouble::Failed("git http-backend has no pipes".to_owned()));
        };
        tokio::spawn(log_errors(errors));
        let feeding = tokio::spawn(pass_body(request.into_body(), input, limits.body_bytes));
        let process = Process {
            child,
            feeding: AbortOnDropHandle::new(feeding),
        };
        Ok(Self {
            process,
            output: BufReader::new(output),
        })
    }

    /// Reads the head of the answer.
    pub(super) async fn read_head(&mut self) -> Result<Head, Trouble> {
        let mut head = Head {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
        };
        let mut lines = (&mut self.output).take(MAX_HEAD_BYTES);
        loop {
            let mut line = String::new();
            let read = lines
                .read_line(&mut line)
                .await
                .map_err(|error| Trouble::Failed(error.to_string()))?;
            if read == 0 {
                return Err(Trouble::Failed("git http-backend ended without an answer".to_owned()));
            }
            match line.trim_end().split_once(':') {
                Some((name, value)) => set_header(&mut head, name, value.trim())?,
                None if line.trim_end().is_empty() => return Ok(head),
                None => return Err(Trouble::Failed("git http-backend sent a malformed head".to_owned())),
            }
        }
    }

    /// Reads the whole answer, which must be small.
    pub(super) async fn read_whole(mut self) -> Result<(Head, Vec<u8>), Trouble> {
        let mut answer = Vec::new();
        let head = self.read_head().await;
        let read = (&mut self.output).take(MAX_ANSWER_BYTES).read_to_end(&mut answer).await;
        if let Ok(Err(trouble)) = self.process.feeding.await {
            return Err(trouble);
        }
        read.map_err(|error| Trouble::Failed(error.to_string()))?;
        self.process
            .child
            .wait()
            .await
            .map_err(|error| Trouble::Failed(error.to_string()))?;
        Ok((head?, answer))
    }

    /// The process and what is left of its answer.
    pub(super) fn into_parts(self) -> (Process, BufReader<ChildStdout>) {
        (self.process, self.output)
    }
}

/// The request in CGI's variables.
fn set_request(
    command: &mut Command,
    headers: &HeaderMap,
    operation: Operation,
    repository: &Path,
) -> Result<(), Trouble> {
    let (Some(root), Some(name)) = (
        repository.parent(),
        repository.file_name().and_then(|name| name.to_str()),
    ) else {
        return Err(Trouble::Failed(format!(
            "no place for a repository: {}",
            repository.display()
        )));
    };
    let (method, tail, query) = match operation {
        Operation::Advertise(service) => ("GET", "info/refs", format!("service={}", service.name())),
        Operation::Call(service) => ("POST", service.name(), String::new()),
    };
    command
        .env("GATEWAY_INTERFACE", "CGI/1.1")
        .env("REQUEST_METHOD", method)
        .env("GIT_PROJECT_ROOT", root)
        .env("PATH_INFO", format!("/{name}/{tail}"))
        .env("QUERY_STRING", query)
        // Without a user, http-backend refuses pushes; who it really is was checked before.
        .env("REMOTE_USER", "dhow")
        .env("GIT_HTTP_EXPORT_ALL", "1");
    // No CONTENT_LENGTH: http-backend (seen in 2.47) spins for ever when its input ends before that many bytes.
    for (header, variable) in [
        ("content-type", "CONTENT_TYPE"),
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("git-protocol", "GIT_PROTOCOL"),
    ] {
        if let Some(value) = headers.get(header).and_then(|value| value.to_str().ok()) {
            command.env(variable, value);
        }
    }
    Ok(())
}

/// Configuration that counts before the repository's own and is the only other one.
fn set_configuration(command: &mut Command, limits: &PushLimits) {
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0");
    let max_pack = limits.body_bytes.to_string();
    let settings = [
        ("http.receivepack", "true"),
        ("http.getanyfile", "false"),
        ("core.hooksPath", "/dev/null"),
        ("receive.fsckObjects", "true"),
        // Branches and tags are all that a push may write.
        ("receive.hideRefs", "refs/"),
        ("receive.hideRefs", "!refs/heads/"),
        ("receive.hideRefs", "!refs/tags/"),
        // The deployed branch may be deleted: what runs stays, and git's own refusal names settings that nobody has here.
        ("receive.denyDeleteCurrent", "ignore"),
        // Where a branch stood before a push is read there.
        ("core.logAllRefUpdates", "true"),
        ("receive.maxInputSize", &max_pack),
        // Packing runs at the end of some pushes; in the background it would outlive them.
        ("gc.autoDetach", "false"),
        ("maintenance.autoDetach", "false"),
    ];
    command.env("GIT_CONFIG_COUNT", settings.len().to_string());
    for (number, (key, value)) in settings.iter().enumerate() {
        command
            .env(format!("GIT_CONFIG_KEY_{number}"), key)
            .env(format!("GIT_CONFIG_VALUE_{number}"), value);
    }
}

fn set_header(head: &mut Head, name: &str, value: &str) -> Result<(), Trouble> {
    let malformed = || Trouble::Failed(format!("git http-backend sent a malformed header {name}"));
    if name.eq_ignore_ascii_case("status") {
        let code = value.split(' ').next().unwrap_or_default();
        head.status = code.parse().map_err(|_| malformed())?;
    } else {
        let name: HeaderName = name.parse().map_err(|_| malformed())?;
        head.headers
            .insert(name, HeaderValue::from_str(value).map_err(|_| malformed())?);
    }
    Ok(())
}

/// Passes a body on until it ends. One that breaks off is passed on as ended; git sees by its own lengths that something
/// is missing. One that is too large, or is no longer read by git, is still received for a while, since a client that
/// cannot send does not read the answer either.
async fn pass_body(body: Body, input: ChildStdin, max_bytes: u64) -> Result<(), Trouble> {
    let mut chunks = body.into_data_stream();
    let mut input = Some(input);
    let mut received = 0;
    // The repository is this push's alone meanwhile.
    while let Some(Ok(chunk)) = timeout(BODY_IDLE, chunks.next()).await.map_err(|_| Trouble::TimedOut)? {
        received += chunk.len() as u64;
        if received > max_bytes {
            input = None;
        }
        if received > max_bytes.saturating_mul(2).max(LEAST_RECEIVED) {
            break;
        }
        if let Some(open) = &mut input
            && open.write_all(&chunk).await.is_err()
        {
            input = None;
        }
    }
    if received > max_bytes {
        Err(Trouble::TooLarge(max_bytes))
    } else {
        Ok(())
    }
}

/// What git says beside its answer is for the operator: a wrong owner of the directory, a full disk.
async fn log_errors(mut errors: ChildStderr) {
    let mut text = Vec::new();
    let read = (&mut errors).take(MAX_ERROR_BYTES).read_to_end(&mut text).await;
    if read.is_ok_and(|bytes| bytes > 0) {
        tracing::warn!(text = ?String::from_utf8_lossy(&text).trim(), "git http-backend complains");
    }
    let _ = tokio::io::copy(&mut errors, &mut tokio::io::sink()).await;
}
