//! A small Git server over HTTP made of Dhow's own `PushServer`, and a Git user with the real `git`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use dhow::git::HostedRepository;
use dhow::hooks::push::{News, Operation, PushLimits, PushOutcome, PushServer, PushToken, Reply, challenge};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tempfile::TempDir;

use crate::lfs_store::{BATCH, LfsStore};

/// The only password that lets a push in.
pub const TOKEN: &str = "dhow_TESTTOKEN123";

/// The same with the user name that Dhow gives of itself, as a header.
pub const BASIC: &str = "Basic eC10b2tlbi1hdXRoOmRob3dfVEVTVFRPS0VOMTIz";

/// What the server remembers.
#[derive(Debug, Default)]
pub struct Seen {
    /// Requests in all.
    pub requests: AtomicUsize,
    /// Those that carried any credential.
    pub authorized: AtomicUsize,
    /// Pushes that changed a branch, in order.
    pub pushes: Mutex<Vec<PushOutcome>>,
}

/// A server on a free port of loopback. `/git/{name}.git` is a repository that anybody may read, `/private/{name}.git`
/// the same for those with the token; pushing always needs it. Repositories are made by [`GitServer::host`].
pub struct GitServer {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// Host and port.
    pub authority: String,
    /// What happened so far.
    pub seen: Arc<Seen>,
    /// Large files of its repositories.
    pub lfs: LfsStore,
    root: TempDir,
}

#[derive(Clone)]
struct Site {
    root: PathBuf,
    server: PushServer,
    seen: Arc<Seen>,
    lfs: LfsStore,
    running: Arc<AtomicUsize>,
}

impl GitServer {
    /// Starts one.
    pub async fn start() -> Self {
        Self::with_limits(PushLimits::default()).await
    }

    /// Starts one that allows pushes so much.
    pub async fn with_limits(limits: PushLimits) -> Self {
        let root = TempDir::new().unwrap();
        let (seen, lfs) = (Arc::new(Seen::default()), LfsStore::default());
        let site = Site {
            root: root.path().to_owned(),
            server: PushServer::new(limits),
            seen: seen.clone(),
            lfs: lfs.clone(),
            running: Arc::default(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let app = Router::new().fallback(answer).with_state(site);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            url: format!("http://{authority}"),
            authority,
            seen,
            lfs,
            root,
        }
    }

    /// Makes an empty repository.
    pub fn host(&self, name: &str) -> HostedRepository {
        HostedRepository::open(&self.root.path().join(format!("{name}.git"))).unwrap()
    }

    /// The address for reading.
    pub fn address(&self, name: &str) -> String {
        format!("{}/git/{name}.git", self.url)
    }

    /// The address for reading with the token.
    pub fn private_address(&self, name: &str) -> String {
        format!("{}/private/{name}.git", self.url)
    }

    /// The address with the token in it.
    pub fn push_address(&self, name: &str) -> String {
        format!("http://any:{TOKEN}@{}/git/{name}.git", self.authority)
    }

    /// The outcomes of all pushes so far.
    pub fn pushes(&self) -> Vec<PushOutcome> {
        self.seen.pushes.lock().unwrap().clone()
    }
}

async fn answer(State(site): State<Site>, request: Request) -> Response {
    site.seen.requests.fetch_add(1, Ordering::Relaxed);
    if request.headers().contains_key(header::AUTHORIZATION) {
        site.seen.authorized.fetch_add(1, Ordering::Relaxed);
    }
    let path = request.uri().path().to_owned();
    let parts: Vec<&str> = path.trim_start_matches('/').splitn(3, '/').collect();
    let is_admitted = request
        .headers()
        .get(header::AUTHORIZATION)
        .is_some_and(|given| given == BASIC);
    match parts[..] {
        ["private", _, BATCH] if !is_admitted => challenge(),
        ["git" | "private", _, BATCH] | ["lfs", ..] => site.lfs.answer(request).await.unwrap(),
        ["git", name, tail] => serve(site, request, name, tail, false).await,
        ["private", name, tail] => serve(site, request, name, tail, true).await,
        ["status", code, _] => StatusCode::from_bytes(code.as_bytes()).unwrap().into_response(),
        ["html", ..] => Html("<title>Sign in</title>").into_response(),
        ["elsewhere", ..] => redirect(
            format!("http://example.com/{path}?{}", request.uri().query().unwrap_or("")),
            &request,
        ),
        ["moved", ..] => redirect(path.replace("/moved/", "/git/"), &request),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn redirect(to: String, request: &Request) -> Response {
    let to = if to.contains('?') {
        to
    } else {
        format!("{to}?{}", request.uri().query().unwrap_or(""))
    };
    (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, to)]).into_response()
}

async fn serve(site: Site, request: Request, name: &str, tail: &str, is_private: bool) -> Response {
    let Some(operation) = Operation::parse(request.method(), tail, request.uri().query()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (mut parts, body) = request.into_parts();
    if is_private || operation.is_push() {
        match <PushToken as axum::extract::FromRequestParts<()>>::from_request_parts(&mut parts, &()).await {
            Ok(token) if token.0 == TOKEN => {}
            Ok(_) => return challenge(),
            Err(refusal) => return refusal,
        }
    }
    let dir = site.root.join(name);
    if !dir.is_dir() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let repository = HostedRepository::open(&dir).unwrap();
    let (seen, running) = (site.seen.clone(), site.running.clone());
    let on_push = move |outcome: PushOutcome| async move {
        assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0, "pushes overlap");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        running.fetch_sub(1, Ordering::SeqCst);
        let line = match &outcome.commit {
            Some(commit) => format!("Deployment of {} queued.", commit.sha.short()),
            None => format!("Stored. Only {} is deployed.", outcome.deploy_branch),
        };
        let branch = outcome.deploy_branch.clone();
        let message = outcome.commit.as_ref().map(|commit| commit.message.clone());
        seen.pushes.lock().unwrap().push(outcome);
        let lines = vec![line];
        let news = message.map(|message| (branch, deployment(&message)));
        Reply { lines, news }
    };
    site.server
        .serve(Request::from_parts(parts, body), operation, repository, on_push)
        .await
}

/// What is told of the deployment of a commit with that message.
fn deployment(message: &str) -> BoxStream<'static, News> {
    let line = News::Line(format!("\u{1b}[32mBuilding {message}\u{1b}[0m"));
    let end = match message {
        "Fails" => Some(News::Refused("deployment 1 failed: it does".to_owned())),
        "Is lost" => Some(News::Lost("Dhow is being stopped.".to_owned())),
        _ => None,
    };
    futures_util::stream::iter([line].into_iter().chain(end)).boxed()
}

/// A working copy, and the real `git` in it.
pub struct WorkTree {
    dir: TempDir,
}

impl WorkTree {
    /// An empty one on branch `main`.
    pub fn new() -> Self {
        let tree = Self {
            dir: TempDir::new().unwrap(),
        };
        tree.git(&["init", "-q", "-b", "main"]);
        tree
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file.
    pub fn write(&self, path: &str, content: &str) {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Commits everything, and answers the commit's name.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    /// Records a submodule, without fetching it. To be committed.
    pub fn add_submodule(&self, path: &str, url: &str, commit: &str) {
        let modules = self.dir.path().join(".gitmodules");
        let before = std::fs::read_to_string(&modules).unwrap_or_default();
        let section = format!("[submodule \"{path}\"]\n\tpath = {path}\n\turl = {url}\n");
        std::fs::write(modules, before + &section).unwrap();
        // Git takes a directory that is missing for a submodule that was removed.
        std::fs::create_dir_all(self.dir.path().join(path)).unwrap();
        self.git(&[
            "update-index",
            "--add",
            "--cacheinfo",
            &format!("160000,{commit},{path}"),
        ]);
    }

    /// Writes the name into VERSION and commits it.
    pub fn commit_version(&self, version: &str) -> String {
        self.write("VERSION", version);
        self.commit(version)
    }

    /// Runs git, which must succeed; answers what it printed.
    pub fn git(&self, arguments: &[&str]) -> String {
        let output = run_git(self.dir.path(), arguments);
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs git, whatever comes of it; answers whether it succeeded, and what it said.
    pub async fn try_git(&self, arguments: &[&str]) -> (bool, String) {
        let (dir, arguments) = (
            self.dir.path().to_owned(),
            arguments.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>(),
        );
        let run = move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            run_git(&dir, &arguments)
        };
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }
}

fn run_git(dir: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .args(arguments)
        .current_dir(dir)
        .envs([
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
        ])
        .envs([("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@example.com")])
        .envs([
            ("GIT_COMMITTER_NAME", "Ada"),
            ("GIT_COMMITTER_EMAIL", "ada@example.com"),
        ])
        .output()
        .expect("git is installed")
}
