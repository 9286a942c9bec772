//! Whatever keeps a version from going live is told by a stable kind and a sentence, and the version before goes on.

use serde_json::{Value, json};

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::free_port::free_port;
use crate::harness::git_server::GitServer;
use crate::harness::repository::Repository;

/// An instance whose app `web` serves `good`.
async fn live() -> (Dhow, Api, GitServer, Repository) {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    repository.commit_app("good");
    // A short time to answer: the cases wait for its end.
    let app = api.create_project("Web").await;
    api.create_app_with(&app, "web", &repository, json!({ "health": { "timeout_s": 3 } }))
        .await;
    api.succeeded(api.deploy("web").await).await;
    (dhow, api, git, repository)
}

/// Deploys, and checks the failure and that nothing else has changed.
async fn fails(dhow: &Dhow, api: &Api, kind: &str) -> String {
    let id = api.deploy("web").await;
    let deployment = api.failed(id, kind).await;
    let message = deployment["error"]["message"].as_str().unwrap().to_owned();
    assert!(
        message.len() > 15 && !message.contains('\n'),
        "{kind} says what is wrong in a sentence: {message}"
    );
    let log = api.log(id).await;
    assert!(
        log.trim_end().ends_with(&message),
        "the sentence is the log's last line: {log}"
    );
    assert_eq!(deployment["release"], Value::Null, "{kind}");
    assert_eq!(
        dhow.visit("web.localhost", "/").await.expect(200).text(),
        "good",
        "{kind}"
    );
    assert_eq!(dhow.containers_of("web").len(), 1, "{kind} leaves one container");
    assert_eq!(api.read("/apps/web").await["status"], "running", "{kind}");
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_cannot_be_fetched_is_told_by_its_kind() {
    let (dhow, api, git, good) = live().await;
    let locked = GitServer::with_password("ada", "secret").await;
    let private = locked.repository("private");
    private.commit_app("private");
    let empty = git.repository("empty");
    let closed = format!("http://127.0.0.1:{}/web.git", free_port());
    let missing = good.url.replace("web.git", "nowhere.git");
    for (url, branch, kind) in [
        (private.url.as_str(), "main", "git_auth"),
        (closed.as_str(), "main", "git_unreachable"),
        (missing.as_str(), "main", "git_unreachable"),
        (good.url.as_str(), "nowhere", "git_ref_not_found"),
        (empty.url.as_str(), "main", "git_empty"),
    ] {
        let source = json!({ "source": { "kind": "git", "url": url, "branch": branch } });
        api.patch("/apps/web", source).await.expect(200);
        fails(&dhow, &api, kind).await;
    }
    let absent = json!({ "commit": "0123456789012345678901234567890123456789" });
    api.patch(
        "/apps/web",
        json!({ "source": { "kind": "git", "url": good.url, "branch": "main" } }),
    )
    .await
    .expect(200);
    let id = api.post("/apps/web/deployments", absent).await.expect(202).json()["id"]
        .as_i64()
        .unwrap();
    api.failed(id, "git_ref_not_found").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_cannot_be_built_or_run_is_told_by_its_kind() {
    let (dhow, api, _git, repository) = live().await;
    repository.git(&["rm", "--quiet", "--force", "Dockerfile"]);
    repository.commit("Build nothing");
    let message = fails(&dhow, &api, "dockerfile_missing").await;
    assert!(message.contains("Dockerfile"), "{message}");
    repository.write("Dockerfile", "FROM busybox:1\nCMD [\"/no/such/program\"]\n");
    repository.commit("Start nothing");
    let message = fails(&dhow, &api, "start_failed").await;
    assert!(message.contains("/no/such/program could not be run"), "{message}");
    api.patch("/apps/web", json!({ "build": { "release_command": "migrate" } }))
        .await
        .expect(200);
    repository.write("Dockerfile", "FROM scratch\nCOPY index.html /\nCMD [\"/serve\"]\n");
    repository.commit("Prepare without a shell");
    let message = fails(&dhow, &api, "release_command_failed").await;
    assert!(message.contains("this image has no shell"), "{message}");
    repository.write("Dockerfile", "FROM nowhere.invalid/none:1\n");
    repository.commit("From nowhere");
    let id = api.deploy("web").await;
    let ended = api.ended(id).await;
    assert!(
        matches!(
            ended["error"]["kind"].as_str(),
            Some("image_not_found" | "build_failed")
        ),
        "{ended:#}"
    );
}
