//! The key is changed by `dhow secrets rotate`: while Dhow serves, broken off anywhere, and nothing looks changed by it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::docker::inspect;
use crate::harness::git_server::GitServer;

const DOCKERFILE: &str = "FROM busybox:1\nARG SHOWN\nWORKDIR /www\n\
     RUN --mount=type=secret,id=TOKEN wc -c < /run/secrets/TOKEN > index.html\n\
     CMD [\"sh\", \"-c\", \"exec httpd -f -p $PORT -h /www\"]\n";

fn env_of(dhow: &Dhow) -> Vec<String> {
    let containers = dhow.containers_of("web");
    assert_eq!(containers.len(), 1, "{containers:?}");
    let env = inspect("container", &containers[0])["Config"]["Env"].take();
    let mut env: Vec<String> = serde_json::from_value(env).unwrap();
    env.sort();
    env
}

fn key(dhow: &Dhow) -> Vec<u8> {
    fs::read(dhow.data_file("secret.key")).unwrap()
}

async fn rotate(dhow: &Dhow) {
    let outcome = dhow.verb(&["secrets", "rotate"], "").await;
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.starts_with("The key was changed"), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("could not be opened"), "{}", outcome.stdout);
}

/// Everything that is stored sealed, as it is known from outside.
async fn told(api: &Api) -> (Value, Value) {
    let webhook = api.read("/apps/web/webhook").await;
    assert!(webhook["secret"].is_string(), "{webhook:#}");
    (
        api.read("/apps/web/env").await["vars"].clone(),
        webhook["secret"].clone(),
    )
}

/// Deploys, which changes nothing: no build, the same variables.
async fn deploys_the_same(dhow: &Dhow, api: &Api, env: &[String]) {
    let id = api.deploy("web").await;
    api.succeeded(id).await;
    let log = api.log(id).await;
    assert!(log.contains("Nothing to build"), "{log}");
    assert_eq!(env_of(dhow), env);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_changed_while_dhow_serves_and_after_kills_and_all_stays_as_it_was() {
    let mut dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    repository.write("Dockerfile", DOCKERFILE);
    repository.commit("Serve");
    let project = api.create_project("web").await;
    api.create_app(&project, "web", &repository).await;
    let vars = json!([
        { "key": "PASSWORD", "value": "pa$$ \"word\"\n", "secret": true },
        { "key": "SHOWN", "value": "as it is", "scope": "both" },
        { "key": "TOKEN", "value": "sk-test-123", "secret": true, "scope": "build" },
    ]);
    api.put("/apps/web/env", json!({ "vars": vars })).await.expect(200);
    api.succeeded(api.deploy("web").await).await;
    let (env, known, containers, first) = (env_of(&dhow), told(&api).await, dhow.containers_of("web"), key(&dhow));

    rotate(&dhow).await;

    let second = key(&dhow);
    assert_ne!(second, first);
    let mode = fs::metadata(dhow.data_file("secret.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!dhow.data_file("secret.key.new").exists());
    let page = dhow.panel().await.page("/apps/web").await;
    assert!(!page.html().contains("id=\"pending\""), "nothing waits to be applied");
    assert_eq!(told(&api).await, known);
    assert_eq!(dhow.containers_of("web"), containers, "nothing was started anew");
    deploys_the_same(&dhow, &api, &env).await;
    // What is set now is sealed with the key of now, also right after another change.
    rotate(&dhow).await;
    let merge = json!({ "vars": [{ "key": "LATER", "value": "x y", "secret": true }] });
    api.patch("/apps/web/env", merge).await.expect(200);
    let known = told(&api).await;
    let third = key(&dhow);

    // Killed before the database knew of the new key: it counts for nothing.
    dhow.kill().await;
    fs::write(dhow.data_file("secret.key.new"), [9; 32]).unwrap();
    dhow.start_again().await;
    assert_eq!(key(&dhow), third);
    assert!(!dhow.data_file("secret.key.new").exists());
    assert_eq!(told(&api).await, known);

    // Killed after that: the new one is put in its place. Here the change is made while nothing serves.
    dhow.terminate().await;
    rotate(&dhow).await;
    let fourth = key(&dhow);
    fs::rename(dhow.data_file("secret.key"), dhow.data_file("secret.key.new")).unwrap();
    fs::write(dhow.data_file("secret.key"), &third).unwrap();
    dhow.start_again().await;
    assert_eq!(key(&dhow), fourth);
    assert!(!dhow.data_file("secret.key.new").exists());
    assert_eq!(told(&api).await, known);
    let mut env = env;
    env.push("LATER=x y".to_owned());
    env.sort();
    deploys_the_same(&dhow, &api, &env).await;

    // Not while a deployment works with what it has read.
    repository.write("Dockerfile", &format!("{DOCKERFILE}RUN sleep 300\n"));
    repository.commit("Take long");
    let id = api.deploy("web").await;
    api.at_step(id, "build").await;
    let refused = dhow.verb(&["secrets", "rotate"], "").await;
    assert_eq!(refused.code, 1, "{}", refused.stdout);
    assert!(refused.stderr.contains("a deployment is running"), "{}", refused.stderr);
    assert_eq!(key(&dhow), fourth);
    assert!(!dhow.data_file("secret.key.new").exists());
    api.post(&format!("/deployments/{id}/cancel"), json!({}))
        .await
        .expect(202);
}
