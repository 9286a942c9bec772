//! A real git server over HTTP: `git http-backend` behind a small CGI server, with or without a password.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode, header};
use base64::Engine;
use http_body_util::BodyExt;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tokio::time::timeout;

use super::lfs_store::LfsStore;
use super::process::print_party;
use super::repository::{Repository, git};
use super::wait::{in_time, seconds};

/// The longest that a request is kept waiting.
const HELD_AT_MOST: Duration = seconds(120);

/// A server with its repositories; ends with the test.
pub struct GitServer {
    root: TempDir,
    works: PathBuf,
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
    held: Arc<watch::Sender<Held>>,
    /// Large files of its repositories.
    pub lfs: LfsStore,
}

/// Repositories that are served to nobody for a while, and who waits for them.
#[derive(Default)]
struct Held {
    names: BTreeSet<String>,
    waiting: Vec<String>,
}

#[derive(Clone)]
struct Served {
    root: PathBuf,
    /// The value of `Authorization` without which nothing is served.
    required: Option<String>,
    asked: Arc<Mutex<Vec<String>>>,
    held: Arc<watch::Sender<Held>>,
    lfs: LfsStore,
}

impl GitServer {
    pub async fn start() -> Self {
        Self::serve(None).await
    }

    /// Serves only who has this user name and password.
    pub async fn with_password(user: &str, password: &str) -> Self {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        Self::serve(Some(format!("Basic {pair}"))).await
    }

    async fn serve(required: Option<String>) -> Self {
        let root = tempfile::Builder::new().prefix("dhow-e2e-git-").tempdir().unwrap();
        let works = root.path().join("works");
        std::fs::create_dir(&works).unwrap();
        std::fs::create_dir(root.path().join("served")).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let served = Served {
            root: root.path().join("served"),
            required,
            asked: Arc::clone(&asked),
            held: Arc::default(),
            lfs: LfsStore::default(),
        };
        let (held, lfs) = (Arc::clone(&served.held), served.lfs.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new().fallback(backend).with_state(served);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            root,
            works,
            address,
            asked,
            held,
            lfs,
        }
    }

    /// Keeps everybody waiting who asks for a repository.
    pub fn hold(&self, name: &str) {
        self.held.send_modify(|held| {
            held.names.insert(name.to_owned());
        });
    }

    /// Waits until so many requests have been kept waiting for a repository.
    pub async fn waiting(&self, name: &str, times: usize, within: Duration) {
        let mut held = self.held.subscribe();
        let here = held.wait_for(|held| held.waiting.iter().filter(|waiting| *waiting == name).count() >= times);
        in_time(
            &format!("request {times} waits for the repository '{name}'"),
            within,
            here,
        )
        .await
        .unwrap();
    }

    /// Serves a repository again.
    pub fn open(&self, name: &str) {
        self.held.send_modify(|held| {
            held.names.remove(name);
        });
    }

    /// A new, empty repository.
    pub fn repository(&self, name: &str) -> Repository {
        let url = format!("http://{}/{name}.git", self.address);
        Repository::init(&self.works, &self.root.path().join("served"), name, url)
    }

    /// A repository that was made before.
    pub fn again(&self, name: &str) -> Repository {
        let url = format!("http://{}/{name}.git", self.address);
        Repository::at(&self.works, &self.root.path().join("served"), name, url)
    }

    /// What was asked for so far: method, path and status.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            print_party("git server", &self.asked().join("\n"));
        }
    }
}

async fn backend(State(served): State<Served>, request: Request) -> Response<Body> {
    let what = format!("{} {}", request.method(), request.uri());
    wait_while_held(&served, request.uri().path()).await;
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let response = if served
        .required
        .as_deref()
        .is_none_or(|required| given == Some(required))
    {
        match served.lfs.answer(request).await {
            Ok(answer) => answer,
            Err(request) => run_backend(&served, request).await,
        }
    } else {
        let refused = Response::builder().status(StatusCode::UNAUTHORIZED);
        refused
            .header(header::WWW_AUTHENTICATE, "Basic realm=\"git\"")
            .body(Body::empty())
            .unwrap()
    };
    served
        .asked
        .lock()
        .unwrap()
        .push(format!("{what} → {}", response.status()));
    response
}

async fn wait_while_held(served: &Served, path: &str) {
    let name = path
        .trim_start_matches('/')
        .split(".git")
        .next()
        .unwrap_or_default()
        .to_owned();
    let mut held = served.held.subscribe();
    if held.borrow().names.contains(&name) {
        served.held.send_modify(|held| held.waiting.push(name.clone()));
        let _ = timeout(HELD_AT_MOST, held.wait_for(|held| !held.names.contains(&name))).await;
    }
}

/// One request by the Common Gateway Interface (RFC 3875).
async fn run_backend(served: &Served, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let header = |name: &str| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let mut command = git(&served.root, &["http-backend"]);
    command
        .env("GIT_PROJECT_ROOT", &served.root)
        .env("GIT_HTTP_EXPORT_ALL", "1");
    command
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", parts.uri.path());
    command
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", header("content-type"));
    command
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"));
    command.env("CONTENT_LENGTH", body.len().to_string());
    let mut command = tokio::process::Command::from(command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writing = tokio::spawn(async move { stdin.write_all(&body).await });
    let output = child.wait_with_output().await.unwrap().stdout;
    let _ = writing.await;
    parse(&output)
}

/// A CGI answer: headers, an empty line, the body.
fn parse(output: &[u8]) -> Response<Body> {
    let end = output
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("git http-backend answers with headers");
    let mut response = Response::builder();
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        let (name, value) = line.split_once(": ").unwrap();
        response = match name {
            "Status" => response.status(value[..3].parse::<u16>().unwrap()),
            _ => response.header(name, value),
        };
    }
    response.body(Body::from(output[end + 4..].to_vec())).unwrap()
}

#[tokio::test]
async fn the_git_server_serves_clones_and_asks_for_the_password() {
    let server = GitServer::with_password("ada", "secret").await;
    let repository = server.repository("hello");
    let commit = repository.commit_app("hello");
    let clone = |url: String| {
        let mut command = git(server.root.path(), &["clone", "--quiet", &url, "copy"]);
        command.current_dir(server.root.path());
        super::process::run(command, "")
    };
    let refused = clone(repository.url.clone()).await;
    assert_ne!(refused.code, 0, "a clone without the password");
    let cloned = clone(repository.url.replace("http://", "http://ada:secret@")).await;
    assert_eq!(cloned.code, 0, "{}", cloned.stderr);
    let head = git(server.root.path(), &["-C", "copy", "rev-parse", "HEAD"])
        .current_dir(server.root.path())
        .output();
    assert_eq!(String::from_utf8_lossy(&head.unwrap().stdout).trim(), commit);
    assert!(
        server.asked().iter().any(|line| line.contains("401")),
        "the first request was refused"
    );
}
