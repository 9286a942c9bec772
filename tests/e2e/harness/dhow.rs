//! The built binary as an operator runs it: its own data directory, instance name, ports and subnets.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::api::Api;
use super::docker;
use super::free_port::free_port;
use super::http::{Answer, Http, ask_once};
use super::panel::Panel;
use super::process::{Lines, Outcome, Process, print_party, run, run_id};
use super::setup::{Refusal, Setup};
use super::small_disk::SmallDisk;
use super::wait::{eventually, seconds};

/// The owner whom most tests act as.
pub const OWNER: &str = "owner@example.com";
pub const PASSWORD: &str = "correct horse battery staple";

/// Time for a start, with the proxy's container: about a second, more while the other test builds.
pub const READY_WITHIN: Duration = seconds(60);

/// A running instance. When it goes out of scope it is killed and everything it made in Docker is removed.
pub struct Dhow {
    pub instance: String,
    pub http_port: u16,
    pub https_port: u16,
    listen_port: u16,
    subnets: String,
    flags: Vec<String>,
    /// Unmounted before its directory is removed.
    disk: Option<SmallDisk>,
    data: TempDir,
    process: Option<Process>,
    pub http: Http,
    owns_objects: bool,
}

impl Dhow {
    pub async fn start() -> Self {
        Setup::new().start().await
    }

    pub fn prepare(setup: Setup) -> Self {
        let data = tempfile::Builder::new().prefix("dhow-e2e-").tempdir().unwrap();
        Self {
            instance: setup.instance,
            http_port: free_port(),
            https_port: free_port(),
            listen_port: free_port(),
            subnets: setup.subnets,
            flags: setup.flags,
            disk: setup.disk_mib.map(|mib| SmallDisk::mount(data.path(), mib)),
            data,
            process: None,
            http: Http::new(),
            owns_objects: true,
        }
    }

    fn serve(&self) -> Command {
        let mut command = self.binary();
        command
            .arg("serve")
            .arg("--data-dir")
            .arg(self.data.path())
            .args(&self.flags);
        command.args([
            "--instance",
            &self.instance,
            "--bind",
            "127.0.0.1",
            "--subnet-pool",
            &self.subnets,
        ]);
        command.arg("--listen").arg(format!("127.0.0.1:{}", self.listen_port));
        command.arg("--http-port").arg(self.http_port.to_string());
        command.arg("--https-port").arg(self.https_port.to_string());
        command
    }

    /// The binary with an environment in which nothing of the tester's own settings is left.
    fn binary(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dhow"));
        command
            .env_clear()
            .env("HOME", self.data.path())
            .env("RUST_BACKTRACE", "1");
        for kept in ["PATH", "DOCKER_HOST", "RUST_LOG"] {
            command.envs(std::env::var(kept).map(|value| (kept, value)));
        }
        command
    }

    /// Starts a process that must end by itself, and answers how.
    pub async fn refuse(mut self) -> Refusal {
        // Another's objects may carry this instance name: they are not this test's to remove.
        self.owns_objects = false;
        self.refuse_again().await
    }

    /// Starts a process on the same data, which must end by itself; answers how.
    pub async fn refuse_again(&self) -> Refusal {
        let began = Instant::now();
        let mut process = Process::start("dhow serve", &mut self.serve());
        let (status, _) = process.ended(READY_WITHIN).await;
        Refusal {
            code: status.code(),
            lines: process.lines.all(),
            took: began.elapsed(),
        }
    }

    /// The disk of its own.
    pub fn disk(&self) -> &SmallDisk {
        self.disk.as_ref().expect("the setup asks for one")
    }

    /// A file of the data directory.
    pub fn data_file(&self, name: &str) -> PathBuf {
        self.data.path().join(name)
    }

    pub async fn start_process(&mut self) {
        let mut process = Process::start(&format!("dhow serve ({})", self.instance), &mut self.serve());
        let address = process.line("its ready line", READY_WITHIN, |line| {
            line.strip_prefix("dhow is ready on http://").map(str::to_owned)
        });
        assert_eq!(
            address.await,
            format!("127.0.0.1:{}", self.listen_port),
            "the ready line names the address"
        );
        self.process = Some(process);
    }

    /// Where the panel answers, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.listen_port)
    }

    fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("the process runs")
    }

    pub fn lines(&self) -> &Lines {
        &self.process.as_ref().expect("the process runs").lines
    }

    pub fn has_ended(&mut self) -> bool {
        self.process().has_ended()
    }

    /// The link with which the first visitor becomes owner.
    pub async fn claim_link(&mut self) -> String {
        let start = format!("{}/setup?token=", self.url());
        self.process()
            .line("a claim link", seconds(5), |line| {
                line.find(&start).map(|at| line[at..].trim().to_owned())
            })
            .await
    }

    /// SIGTERM; answers the exit code and the time to the end.
    pub async fn terminate(&mut self) -> (Option<i32>, Duration) {
        let mut process = self.process.take().expect("the process runs");
        process.signal("TERM");
        let (status, took) = process.ended(seconds(30)).await;
        if !status.success() {
            print_party("dhow serve, which did not end well", &process.lines.text());
        }
        (status.code(), took)
    }

    /// SIGKILL, as a power failure or the kernel's out-of-memory killer would.
    pub async fn kill(&mut self) {
        let mut process = self.process.take().expect("the process runs");
        process.signal("KILL");
        process.ended(seconds(5)).await;
    }

    /// Starts again on the same data directory, address and ports.
    pub async fn start_again(&mut self) {
        assert!(self.process.is_none(), "it was stopped before");
        self.start_process().await;
    }

    /// Any other verb of the command line, on this instance's data.
    pub async fn verb(&self, arguments: &[&str], input: &str) -> Outcome {
        let mut command = self.binary();
        command.args(arguments).arg("--data-dir").arg(self.data.path());
        run(command, input).await
    }

    async fn verb_succeeds(&self, arguments: &[&str], input: &str) -> String {
        let outcome = self.verb(arguments, input).await;
        assert_eq!(
            outcome.code, 0,
            "dhow {arguments:?}: {}{}",
            outcome.stdout, outcome.stderr
        );
        outcome.stdout.trim().to_owned()
    }

    /// Makes the owner by the command line.
    pub async fn add_owner(&self) {
        self.verb_succeeds(&["user", "add", OWNER, "--role", "owner", "--password-stdin"], PASSWORD)
            .await;
    }

    pub async fn token(&self, scope: &str) -> String {
        self.token_of(OWNER, scope).await
    }

    pub async fn token_of(&self, email: &str, scope: &str) -> String {
        let arguments = [
            "token",
            "create",
            "--user",
            email,
            "--name",
            &format!("{scope} {}", run_id()),
            "--scope",
            scope,
        ];
        let token = self.verb_succeeds(&arguments, "").await;
        assert!(
            token.starts_with("dhow_") && !token.contains(char::is_whitespace),
            "only the token is printed: {token}"
        );
        token
    }

    /// A client of the API with an admin token of the owner, who is made first.
    pub async fn owner(&self) -> Api {
        self.add_owner().await;
        self.api("admin").await
    }

    /// A client of the API with a token of the owner that has this scope.
    pub async fn api(&self, scope: &str) -> Api {
        Api::new(&self.url(), &self.token(scope).await)
    }

    /// A signed-in visitor who has no JavaScript.
    pub async fn panel(&self) -> Panel {
        Panel::sign_in(&self.url(), OWNER, PASSWORD).await
    }

    /// Waits until `/readyz` has the status; answers its JSON.
    pub async fn readiness(&self, status: u16) -> serde_json::Value {
        eventually(&format!("/readyz answers {status}"), seconds(20), || async {
            let answer = self.http.send("GET", &format!("{}/readyz", self.url()), &[], "").await;
            if answer.status == status {
                Ok(answer.json())
            } else {
                Err(answer.to_string())
            }
        })
        .await
    }

    /// A page as a visitor of an app gets it, through the proxy.
    pub async fn visit(&self, host: &str, path: &str) -> Answer {
        self.http.send("GET", &self.app_url(path), &[("host", host)], "").await
    }

    /// Waits until a host's first page is there again, however its connections fail meanwhile; answers the page.
    pub async fn serves_again(&self, host: &str, within: Duration) -> String {
        let url = self.app_url("/");
        eventually(&format!("{host} serves again"), within, || ask_once(&url, host)).await
    }

    pub fn app_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.http_port)
    }

    /// Every file below the data directory.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut left = vec![self.data.path().to_owned()];
        while let Some(directory) = left.pop() {
            for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
                let list = if entry.file_type().unwrap().is_dir() {
                    &mut left
                } else {
                    &mut found
                };
                list.push(entry.path());
            }
        }
        found
    }

    /// Ids of this instance's containers of a kind (`app`, `proxy`, `job`).
    pub fn containers(&self, kind: &str) -> Vec<String> {
        docker::labelled(
            "container",
            &[
                &format!("dhow.instance={}", self.instance),
                &format!("dhow.kind={kind}"),
            ],
        )
    }

    /// What the proxy has printed.
    pub fn proxy_log(&self) -> String {
        let proxies = self.containers("proxy");
        assert_eq!(proxies.len(), 1, "one proxy");
        docker::logs(&proxies[0])
    }

    /// Ids of an app's containers, running or not.
    pub fn containers_of(&self, app: &str) -> Vec<String> {
        docker::labelled(
            "container",
            &[&format!("dhow.instance={}", self.instance), &format!("dhow.app={app}")],
        )
    }
}

impl Drop for Dhow {
    fn drop(&mut self) {
        // The process first, or it would start again what is removed below.
        drop(self.process.take());
        // A story that failed while its engine was away leaves nothing that could be removed here.
        if !self.owns_objects || !docker::answers() {
            return;
        }
        if std::thread::panicking() {
            print_party(
                &format!("containers of {}", self.instance),
                &docker::container_logs(&self.instance),
            );
        }
        docker::remove_instance(&self.instance);
    }
}
