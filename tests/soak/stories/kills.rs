//! Thirty deaths of Dhow at random moments of deployments: nothing is stuck, nothing is lost, and no visitor notices.

use std::time::Duration;

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::git_server::GitServer;
use crate::harness::leftovers::assert_nothing_left_over;
use crate::harness::load::Load;
use crate::harness::process::run;
use crate::harness::pushing::{create_push_app, push};
use crate::harness::repository::{Repository, git};
use crate::harness::setup::Setup;
use crate::harness::wait::seconds;

const KILLS: u32 = 30;
/// A whole deployment takes about as long, its drain included, so that every step is hit.
const LATEST_KILL_MS: u64 = 8_000;
/// Names the variable that repeats a run.
const SEED: &str = "DHOW_SOAK_SEED";

#[tokio::test(flavor = "multi_thread")]
async fn thirty_kills_at_random_moments_lose_nothing() {
    let mut random = Random::seeded();
    let mut dhow = Setup::new().flag("--max-deployments", "2").start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let apps = Apps::create(&dhow, &api, &git).await;
    let visit = |host| Load::on_paths(&dhow, host, &["/"], 20, seconds(1200));
    let visitors = [visit("pushed.localhost"), visit("pulled.localhost")];

    let mut accepted = [0, 0];
    for version in 1..=KILLS {
        let moment = Duration::from_millis(random.below(LATEST_KILL_MS));
        let death = async {
            tokio::time::sleep(moment).await;
            dhow.kill().await;
        };
        let (asked, ()) = tokio::join!(apps.ask_for(version), death);
        println!("kill {version} after {moment:.1?}; push and call accepted: {asked:?}");
        for (newest, was_accepted) in accepted.iter_mut().zip(asked) {
            *newest = if was_accepted { version } else { *newest };
        }
        dhow.start_again().await;
    }

    for app in ["pushed", "pulled"] {
        let newest = api.read(&format!("/apps/{app}/deployments")).await["items"][0]["id"].as_i64();
        api.succeeded(newest.unwrap()).await;
    }
    assert_nothing_left_over(&dhow, &api).await;
    for (visitors, app) in visitors.into_iter().zip(["pushed", "pulled"]) {
        visitors.assert_nothing_failed(&format!("thirty kills, of {app}")).await;
    }
    for (app, accepted) in ["pushed", "pulled"].into_iter().zip(accepted) {
        let page = dhow.visit(&format!("{app}.localhost"), "/").await.expect(200).text();
        println!("{app} serves {page}, the newest accepted is version {accepted}");
        let served: u32 = page.trim_start_matches("version ").parse().unwrap();
        assert!(served >= accepted, "an accepted version of {app} was lost");
        if app == "pushed" {
            assert_eq!(page, stored_page(&dhow).await, "what git stored is what serves");
        }
    }
}

/// Asks for a deployment while Dhow may be killed; whether it was accepted.
async fn try_deploy(api: &Api, app: &str) -> bool {
    let (url, authorization) = (
        api.url(&format!("/apps/{app}/deployments")),
        format!("Bearer {}", api.token),
    );
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
    ];
    let asking = api.http.try_send("POST", &url, &headers, "{}");
    let answer = tokio::time::timeout(seconds(10), asking).await;
    matches!(answer, Ok(Ok(answer)) if answer.status == 202)
}

/// The page in the repository that Dhow hosts.
async fn stored_page(dhow: &Dhow) -> String {
    let mut apps = std::fs::read_dir(dhow.data_file("repos")).unwrap();
    let hosted = apps.find_map(|app| Some(app.unwrap().path().join("pushed.git")).filter(|dir| dir.exists()));
    let mut show = git(&dhow.data_file(""), &["show", "main:index.html"]);
    show.current_dir(hosted.unwrap());
    run(show, "").await.stdout
}

/// An app that is pushed to and one that is pulled from elsewhere.
struct Apps {
    panel: String,
    token: String,
    api: Api,
    pushed: Repository,
    pulled: Repository,
}

impl Apps {
    async fn create(dhow: &Dhow, api: &Api, git: &GitServer) -> Self {
        let apps = Self {
            panel: dhow.url(),
            token: dhow.token("deploy").await,
            api: api.clone(),
            pushed: git.repository("pushed"),
            pulled: git.repository("pulled"),
        };
        create_push_app(api, "pushed").await;
        let project = api.create_project("pulled").await;
        api.create_app(&project, "pulled", &apps.pulled).await;
        assert_eq!(apps.ask_for(0).await, [true, true]);
        for app in ["pushed", "pulled"] {
            let first = api.read(&format!("/apps/{app}/deployments")).await["items"][0]["id"].as_i64();
            api.succeeded(first.unwrap()).await;
        }
        apps
    }

    /// Publishes a version of both and asks for it; whether Dhow accepted the push and the call, alive as it was.
    async fn ask_for(&self, version: u32) -> [bool; 2] {
        for repository in [&self.pushed, &self.pulled] {
            repository.commit_app(&format!("version {version}"));
        }
        let push = push(&self.panel, &self.pushed, "pushed", &self.token, "main");
        let (push, call) = tokio::join!(push, try_deploy(&self.api, "pulled"));
        // It ends with its deployment, or with Dhow.
        [push.stderr.contains(" is queued."), call]
    }
}

/// Numbers that look random, the same ones for a seed (SplitMix64, Steele et al. 2014).
struct Random(u64);

impl Random {
    fn seeded() -> Self {
        let mut bytes = [0; 4];
        getrandom::fill(&mut bytes).unwrap();
        let given = std::env::var(SEED).map(|seed| seed.parse().expect("a number"));
        let seed = given.unwrap_or_else(|_| u32::from_le_bytes(bytes).into());
        println!("these are the kills of {SEED}={seed}");
        Self(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}
