//! How long users wait: a redeploy beside the script that one would write by hand, in the same run, and a rollback.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::dhow::Dhow;
use crate::harness::docker::{docker, try_docker};
use crate::harness::free_port::free_port;
use crate::harness::git_server::GitServer;
use crate::harness::http::ask_once;
use crate::harness::process::{run_id, succeed};
use crate::harness::repository::{Repository, git};
use crate::harness::wait::in_time;

const ROUNDS: usize = 10;
/// How often the page is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// The longest that either way may take.
const LONGEST: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_redeploy_of_a_small_change_is_not_slower_than_by_hand() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let server = GitServer::start().await;
    let repository = server.repository("small");
    repository.commit_app("version 0");
    let app = api.live_app("Small", "small", &repository).await;
    let by_hand = ByHand::new();
    by_hand.redeploy(&repository, "version 0").await;

    let (mut dhows, mut hands, mut steps) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let page = format!("version {round}");
        repository.commit_app(&page);
        let began = Instant::now();
        let id = api.deploy(&app).await;
        until_served(&dhow.app_url("/"), "small.localhost", &page).await;
        dhows.push(began.elapsed());
        steps.push(api.succeeded(id).await);
        hands.push(by_hand.redeploy(&repository, &page).await);
    }
    println!("by Dhow: median {:.2?} of {dhows:.2?}", median(&dhows));
    println!("by hand: median {:.2?} of {hands:.2?}", median(&hands));
    tell_steps(&steps);
    assert!(median(&dhows) <= median(&hands), "Dhow is slower than a script");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_is_served_within_a_second_and_a_half() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let server = GitServer::start().await;
    let repository = server.repository("back");
    repository.commit_app("first");
    let app = api.live_app("Back", "back", &repository).await;
    repository.commit_app("second");
    api.succeeded(api.deploy(&app).await).await;

    let mut times = Vec::new();
    for (release, page) in [(1, "first"), (2, "second")].into_iter().cycle().take(ROUNDS) {
        let began = Instant::now();
        let answer = api.post("/apps/back/rollback", json!({ "release": release })).await;
        until_served(&dhow.app_url("/"), "back.localhost", page).await;
        times.push(began.elapsed());
        api.succeeded(answer.expect(202).json()["id"].as_i64().unwrap()).await;
    }
    println!(
        "rollback, asked to served: median {:.2?} of {times:.2?}",
        median(&times)
    );
    assert!(median(&times) <= Duration::from_millis(1_500));
}

/// Prints where the time goes: the median of each step in milliseconds.
fn tell_steps(deployments: &[Value]) {
    for step in ["fetch", "build", "start", "check", "switch", "retire"] {
        let of = |deployment: &Value| {
            let steps = deployment["steps"].as_array().unwrap();
            let run = steps.iter().find(|run| run["step"] == step).unwrap();
            Duration::from_millis(run["ms"].as_u64().unwrap())
        };
        let all: Vec<Duration> = deployments.iter().map(of).collect();
        println!("  {step}: median {:.3?}", median(&all));
    }
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times[times.len() / 2]
}

/// The script: clone, build, take the old container away, start the new one, wait for its page.
struct ByHand {
    name: String,
    port: u16,
    directory: tempfile::TempDir,
}

impl ByHand {
    fn new() -> Self {
        Self {
            name: format!("by-hand-{}", run_id()),
            port: free_port(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    async fn redeploy(&self, repository: &Repository, page: &str) -> Duration {
        let checkout = self.directory.path().join("checkout");
        let _ = std::fs::remove_dir_all(&checkout);
        let path = checkout.to_str().unwrap();
        let publish = format!("127.0.0.1:{}:3000", self.port);
        let run = [
            "run",
            "--detach",
            "--init",
            "--label",
            "dhow.bait=by-hand",
            "--env",
            "PORT=3000",
        ];
        let began = Instant::now();
        succeed(&mut git(
            self.directory.path(),
            &["clone", "--quiet", "--depth", "1", &repository.url, path],
        ));
        succeed(Command::new("docker").args([
            "build",
            "--quiet",
            "--label",
            "dhow.bait=by-hand",
            "--tag",
            &self.name,
            path,
        ]));
        let _ = try_docker(&["rm", "--force", &self.name]);
        docker(&[&run[..], &["--name", &self.name, "--publish", &publish, &self.name]].concat());
        until_served(&format!("http://127.0.0.1:{}/", self.port), "small", page).await;
        began.elapsed()
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        let _ = try_docker(&["rm", "--force", &self.name]);
        let _ = try_docker(&["rmi", "--force", &self.name]);
    }
}

/// Waits for the page, also through refused connections.
async fn until_served(url: &str, host: &str, page: &str) {
    let waiting = async {
        while ask_once(url, host).await.as_deref() != Ok(page) {
            tokio::time::sleep(LOOK).await;
        }
    };
    in_time(&format!("{url} serves {page}"), LONGEST, waiting).await;
}
