//! Deployments wait for each other as they should: one an app, a limit in all, and only the newest of those that wait.

use serde_json::json;

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::gate::Gate;
use crate::harness::git_server::GitServer;
use crate::harness::setup::Setup;
use crate::harness::wait::seconds;

/// Apps `a` and `b`, whose next builds arrive at the gate by the app's name and a number.
struct Yard {
    dhow: Dhow,
    api: Api,
    gate: Gate,
    git: GitServer,
}

impl Yard {
    async fn with(limit: &str) -> Self {
        let dhow = Setup::new().flag("--max-deployments", limit).start().await;
        let api = dhow.owner().await;
        let yard = Self {
            dhow,
            api,
            gate: Gate::start().await,
            git: GitServer::start().await,
        };
        yard.api.create_project("Yard").await;
        yard
    }

    /// Makes an app and asks for its first deployment.
    async fn app(&self, name: &str) -> i64 {
        let repository = self.git.repository(name);
        self.next(&repository, name, 1);
        self.api.create_app("yard", name, &repository).await;
        self.api.deploy(name).await
    }

    /// Commits the app's next version.
    fn next(&self, repository: &crate::harness::repository::Repository, name: &str, number: u32) {
        repository.write_app(&format!("{name}{number}"), &self.gate.step(&format!("{name}{number}")));
        repository.commit(&format!("Version {number}"));
    }

    async fn status(&self, id: i64) -> String {
        self.api.deployment(id).await["status"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deployments_beyond_the_limit_wait_for_their_turn() {
    let yard = Yard::with("1").await;
    let first = yard.app("a").await;
    yard.gate.arrival("a1", seconds(60)).await;
    let second = yard.app("b").await;
    assert_eq!(
        (yard.status(first).await, yard.status(second).await),
        ("running".to_owned(), "queued".to_owned())
    );
    yard.gate.open("b1");
    yard.gate.open("a1");
    let first = yard.api.succeeded(first).await;
    let second = yard.api.succeeded(second).await;
    assert_eq!(yard.gate.arrived(), ["a1", "b1"]);
    // A slot is free at retire: what drains holds up nobody.
    let retire = first["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|step| step["step"] == "retire")
        .unwrap();
    assert!(
        second["started_at"].as_str() >= retire["started_at"].as_str(),
        "{first:#}\n{second:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_apps_deploy_at_once_but_one_app_never_twice() {
    let yard = Yard::with("2").await;
    let a1 = yard.app("a").await;
    let b1 = yard.app("b").await;
    yard.gate.arrival("a1", seconds(60)).await;
    yard.gate.arrival("b1", seconds(60)).await;
    yard.gate.open("b1");
    yard.api.succeeded(b1).await;

    // The app's second waits although a slot is free; the third takes the waiting one's place.
    let repository = yard.git.again("a");
    yard.next(&repository, "a", 2);
    let a2 = yard.api.deploy("a").await;
    assert_eq!(yard.status(a2).await, "queued");
    yard.next(&repository, "a", 3);
    let a3 = yard.api.deploy("a").await;
    assert_eq!(
        (yard.status(a2).await, yard.status(a3).await),
        ("superseded".to_owned(), "queued".to_owned())
    );
    assert_eq!(
        yard.gate.arrived().len(),
        2,
        "no build of the app began while its first one ran"
    );

    for name in ["a1", "a2", "a3"] {
        yard.gate.open(name);
    }
    let first = yard.api.succeeded(a1).await;
    let third = yard.api.succeeded(a3).await;
    assert!(
        third["started_at"].as_str() >= first["finished_at"].as_str(),
        "they do not overlap: {first:#}\n{third:#}"
    );
    assert_eq!(
        yard.gate.arrived().last().unwrap(),
        "a3",
        "the superseded one was never built"
    );
    assert_eq!(yard.status(a2).await, "superseded");
    assert_eq!(yard.dhow.visit("a.localhost", "/").await.expect(200).text(), "a3");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_deployed_again_while_it_waits_keeps_its_turn() {
    let yard = Yard::with("1").await;
    let a1 = yard.app("a").await;
    yard.gate.arrival("a1", seconds(60)).await;
    yard.app("b").await;
    let c1 = yard.app("c").await;
    let repository = yard.git.again("b");
    yard.next(&repository, "b", 2);
    let b2 = yard.api.deploy("b").await;

    for name in ["a1", "b2", "c1"] {
        yard.gate.open(name);
    }
    for id in [a1, b2, c1] {
        yard.api.succeeded(id).await;
    }
    assert_eq!(yard.gate.arrived(), ["a1", "b2", "c1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_and_a_rollback_do_not_wait_for_another_apps_build() {
    let yard = Yard::with("1").await;
    let first = yard.app("b").await;
    yard.gate.open("b1");
    yard.api.succeeded(first).await;
    yard.next(&yard.git.again("b"), "b", 2);
    yard.gate.open("b2");
    yard.api.succeeded(yard.api.deploy("b").await).await;

    let building = yard.app("a").await;
    yard.gate.arrival("a1", seconds(60)).await;
    let restart = yard.api.post("/apps/b/restart", json!({})).await.expect(202).json();
    yard.api.succeeded(restart["id"].as_i64().unwrap()).await;
    let rollback = json!({ "release": 1 });
    let rollback = yard.api.post("/apps/b/rollback", rollback).await.expect(202).json();
    yard.api.succeeded(rollback["id"].as_i64().unwrap()).await;
    assert_eq!(yard.dhow.visit("b.localhost", "/").await.expect(200).text(), "b1");
    assert_eq!(yard.status(building).await, "running");
    yard.gate.open("a1");
    yard.api.succeeded(building).await;
}
