//! What was live can be live again: releases come back as they were, settings take effect without a build, and an app
//! is stopped, started and restarted without anybody waiting.

use serde_json::{Value, json};

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::docker::{docker, inspect, labelled};
use crate::harness::git_server::GitServer;
use crate::harness::load::Load;
use crate::harness::repository::Repository;
use crate::harness::wait::{eventually, seconds};

/// An instance with the app `shop`, which answers its version, its variable `WORD` and its port.
struct Shop {
    dhow: Dhow,
    api: Api,
    _git: GitServer,
    repository: Repository,
}

impl Shop {
    async fn open() -> Self {
        let dhow = Dhow::start().await;
        let api = dhow.owner().await;
        let git = GitServer::start().await;
        let repository = git.repository("shop");
        let shop = Self {
            dhow,
            api,
            _git: git,
            repository,
        };
        shop.write("v1");
        shop.api.create_project("Shop").await;
        shop.api.create_app("shop", "Shop", &shop.repository).await;
        shop.set_word("one").await;
        shop.deploy().await;
        assert_eq!(shop.page().await, "v1 one 3000");
        shop
    }

    /// Commits a version; answers its commit.
    fn write(&self, version: &str) -> String {
        self.repository.write("version", version);
        self.repository.write(
            "Dockerfile",
            "FROM busybox:1\nARG STAGE\nCOPY version /version\nRUN echo \"stage $STAGE\"\n\
             CMD mkdir -p /www; echo \"$(cat /version) $WORD $PORT\" >/www/index.html; exec httpd -f -p $PORT -h /www\n",
        );
        self.repository.commit(version)
    }

    async fn set_word(&self, word: &str) {
        self.set_variable("WORD", word, "run").await;
    }

    async fn set_variable(&self, key: &str, value: &str, scope: &str) {
        let body = json!({ "vars": [{ "key": key, "value": value, "scope": scope }] });
        self.api.patch("/apps/shop/env", body).await.expect(200);
    }

    async fn deploy(&self) -> Value {
        self.api.succeeded(self.api.deploy("shop").await).await
    }

    /// Asks for a deployment by one of the app's calls and waits for its good end.
    async fn call(&self, call: &str, body: Value) -> Value {
        let id = self.ask(call, body).await;
        self.api.succeeded(id).await
    }

    async fn ask(&self, call: &str, body: Value) -> i64 {
        let answer = self.api.post(&format!("/apps/shop/{call}"), body).await.expect(202);
        answer.json()["id"].as_i64().unwrap()
    }

    async fn page(&self) -> String {
        self.visit().await.expect(200).text().trim().to_owned()
    }

    async fn visit(&self) -> crate::harness::http::Answer {
        self.dhow.visit("shop.localhost", "/").await
    }

    async fn app(&self) -> Value {
        self.api.read("/apps/shop").await
    }

    fn images(&self) -> Vec<String> {
        let instance = format!("dhow.instance={}", self.dhow.instance);
        labelled("image", &[&instance, "dhow.app=shop"])
    }
}

fn steps(deployment: &Value) -> Vec<&str> {
    let steps = deployment["steps"].as_array().unwrap();
    steps.iter().map(|step| step["step"].as_str().unwrap()).collect()
}

const WITHOUT_BUILD: [&str; 4] = ["start", "check", "switch", "retire"];

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_restores_code_variables_and_settings_without_git_or_builder() {
    let shop = Shop::open().await;
    shop.write("v2");
    shop.set_word("two").await;
    shop.api.patch("/apps/shop", json!({ "port": 4000 })).await.expect(200);
    shop.deploy().await;
    assert_eq!(shop.page().await, "v2 two 4000");
    let domain = json!({ "host": "later.example.com", "tls": "off" });
    shop.api.post("/apps/shop/domains", domain).await.expect(201);
    // Neither is needed any more.
    let away = "http://127.0.0.1:9/shop.git";
    let source = json!({ "source": { "kind": "git", "url": away, "branch": "main" } });
    shop.api.patch("/apps/shop", source).await.expect(200);
    let visitors = Load::on(&shop.dhow, "later.example.com");

    let back = shop.call("rollback", json!({ "release": 1 })).await;

    visitors.assert_nothing_failed("a rollback").await;
    assert_eq!(steps(&back), WITHOUT_BUILD);
    assert_eq!((&back["trigger"], &back["release"]), (&json!("rollback"), &json!(1)));
    assert_eq!(back["commit"]["message"], "v1");
    let answer = shop.dhow.visit("later.example.com", "/").await.expect(200).text();
    assert_eq!(answer.trim(), "v1 one 3000", "the domain stays, all else is as it was");
    assert_eq!(shop.app().await["active_release"], 1);
    assert_eq!(shop.app().await["port"], 4000, "what the owner typed stays");

    let releases = shop.api.read("/apps/shop/releases").await;
    let listed: Vec<(i64, bool)> = releases["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|release| {
            (
                release["number"].as_i64().unwrap(),
                release["active"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(listed, [(2, false), (1, true)]);
    shop.api
        .post("/apps/shop/rollback", json!({ "release": 1 }))
        .await
        .problem(409);
    shop.api
        .post("/apps/shop/rollback", json!({ "release": 7 }))
        .await
        .problem(422);
    // A release that is live is kept, however old: a restart of Dhow finds all as it is.
    let forward = shop.call("rollback", json!({ "release": 2 })).await;
    assert_eq!(forward["release"], 2);
    assert_eq!(shop.images().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_to_an_image_that_is_gone_says_what_to_deploy_and_leaves_what_serves() {
    let shop = Shop::open().await;
    let first = shop.repository.git(&["rev-parse", "HEAD"]);
    shop.write("v2");
    shop.deploy().await;
    let gone = shop.api.read("/apps/shop/releases").await["items"][1]["image"].clone();
    docker(&["rmi", "--force", gone.as_str().unwrap()]);

    let id = shop.ask("rollback", json!({ "release": 1 })).await;

    let failed = shop.api.failed(id, "image_not_found").await;
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(message.contains(&first[..7]) && message.contains("v1"), "{message}");
    assert_eq!(shop.page().await, "v2 one 3000");
    let listed = shop.api.read("/apps/shop/releases").await["items"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(listed, 2, "the release is still there to be built again");
    shop.call("deployments", json!({ "commit": first })).await;
    assert_eq!(shop.page().await, "v1 one 3000");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_take_effect_without_a_build_unless_one_of_its_inputs_changed() {
    let shop = Shop::open().await;
    let newer = shop.write("v2");
    shop.set_word("changed").await;
    shop.api
        .patch("/apps/shop", json!({ "port": 4000, "resources": { "memory_mb": 64 } }))
        .await
        .expect(200);
    assert_eq!(shop.page().await, "v1 one 3000", "nothing happens by itself");

    let applied = shop.call("apply", json!({})).await;

    assert_eq!(steps(&applied), WITHOUT_BUILD);
    assert_eq!(
        (&applied["trigger"], &applied["release"]),
        (&json!("config"), &json!(2))
    );
    assert_eq!(
        shop.page().await,
        "v1 changed 4000",
        "the commit that serves, not the newest one"
    );
    assert_eq!(shop.images().len(), 1, "both releases share an image");
    shop.api.post("/apps/shop/apply", json!({})).await.problem(409);

    shop.set_variable("STAGE", "web", "build").await;
    let built = shop.call("apply", json!({})).await;
    assert!(steps(&built).contains(&"build"), "{built:#}");
    assert_eq!(shop.page().await, "v1 changed 4000");
    let id = built["id"].as_i64().unwrap();
    assert!(shop.api.log(id).await.contains("stage web"));

    // The same commit with the same inputs is not built again; the newest commit is.
    let again = shop
        .call("deployments", json!({ "commit": &built["commit"]["sha"] }))
        .await;
    assert_eq!(steps(&again)[..2], ["fetch", "start"]);
    let newest = shop.deploy().await;
    assert_eq!(newest["commit"]["sha"], newer);
    assert!(steps(&newest).contains(&"build"));
    assert_eq!(shop.page().await, "v2 changed 4000");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_stopped_started_and_restarted() {
    let mut shop = Shop::open().await;
    shop.api.post("/apps/shop/start", json!({})).await.problem(409);
    let reader = shop.dhow.api("read").await;
    reader.post("/apps/shop/start", json!({})).await.problem(403);
    let before = shop.dhow.containers_of("shop");
    let visitors = Load::on(&shop.dhow, "shop.localhost");
    let restarted = shop.call("restart", json!({})).await;
    visitors.assert_nothing_failed("a restart").await;
    assert_eq!(
        (&restarted["trigger"], &restarted["release"]),
        (&json!("restart"), &json!(1))
    );
    assert_ne!(shop.dhow.containers_of("shop"), before, "another container runs");

    shop.api.post("/apps/shop/stop", json!({})).await.expect(202);
    shop.is_stopped().await;
    // Neither Dhow's next start nor the engine brings it back.
    shop.dhow.terminate().await;
    shop.dhow.start_again().await;
    shop.is_stopped().await;

    let started = shop.call("start", json!({})).await;
    assert_eq!(started["release"], 1);
    assert_eq!(shop.page().await, "v1 one 3000");
    assert_eq!(shop.app().await["status"], "running");
    assert_eq!(shop.dhow.containers_of("shop").len(), 1);

    shop.api.post("/apps/shop/stop", json!({})).await.expect(202);
    shop.is_stopped().await;
    shop.write("v2");
    shop.deploy().await;
    assert_eq!(shop.page().await, "v2 one 3000", "a deployment starts it");
    let container = shop.dhow.containers_of("shop").remove(0);
    let policy = inspect("container", &container)["HostConfig"]["RestartPolicy"]["Name"].clone();
    assert_eq!(policy, "unless-stopped", "it comes back after a reboot");
}

impl Shop {
    async fn is_stopped(&self) {
        eventually("the app is stopped", seconds(20), || async {
            let containers = self.dhow.containers_of("shop");
            let runs = |id: &String| inspect("container", id)["State"]["Running"] == json!(true);
            let (status, answer) = (self.app().await["status"].clone(), self.visit().await.status);
            if status == "stopped" && answer == 404 && !containers.iter().any(runs) {
                Ok(())
            } else {
                Err(format!("{status}, answer {answer}"))
            }
        })
        .await;
        assert_eq!(self.dhow.containers_of("shop").len(), 1, "its output can still be read");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn git_rollback_to_old_commit_a_commit_of_the_past_is_deployed_by_its_id_or_the_beginning_of_it() {
    let shop = Shop::open().await;
    let first = shop.repository.git(&["rev-parse", "HEAD"]);
    let second = shop.write("c2");
    shop.write("c3");
    shop.deploy().await;
    assert_eq!(shop.page().await, "c3 one 3000");

    let back = shop.call("deployments", json!({ "commit": first })).await;
    assert_eq!(
        (shop.page().await.as_str(), &back["commit"]["sha"]),
        ("v1 one 3000", &json!(first))
    );
    let forth = shop.call("deployments", json!({ "commit": second[..12] })).await;
    assert_eq!(
        (shop.page().await.as_str(), &forth["commit"]["sha"]),
        ("c2 one 3000", &json!(second))
    );

    let missing = shop.ask("deployments", json!({ "commit": "0".repeat(40) })).await;
    shop.api.failed(missing, "git_ref_not_found").await;
    assert_eq!(shop.page().await, "c2 one 3000");
}
