//! What builds see of an app's variables, and what instances are told: cases build-secrets-not-in-history and
//! build-runtime-env-not-at-build.

use serde_json::{Value, json};

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::docker::{docker, inspect};
use crate::harness::engine_proxy::EngineProxy;
use crate::harness::git_server::GitServer;
use crate::harness::setup::Setup;

const SERVE: &str = "WORKDIR /www\nCMD [\"sh\", \"-c\", \"exec httpd -f -p $PORT -h /www\"]\n";

async fn set(api: &Api, vars: Value) {
    api.put("/apps/web/env", json!({ "vars": vars })).await.expect(200);
}

/// Deploys and answers the log.
async fn deployed(api: &Api) -> String {
    let id = api.deploy("web").await;
    api.succeeded(id).await;
    api.log(id).await
}

fn image_of(dhow: &Dhow) -> String {
    let containers = dhow.containers_of("web");
    assert_eq!(containers.len(), 1, "{containers:?}");
    let image = &inspect("container", &containers[0])["Image"];
    image.as_str().unwrap().to_owned()
}

fn env_of(dhow: &Dhow) -> Vec<String> {
    let env = inspect("container", &dhow.containers_of("web")[0])["Config"]["Env"].take();
    serde_json::from_value(env).unwrap()
}

/// What an image tells to whoever has it.
fn told_by(image: &str) -> String {
    let history = docker(&["history", "--no-trunc", "--format", "{{.CreatedBy}}", image]);
    format!("{history}\n{:#}", inspect("image", image))
}

#[tokio::test(flavor = "multi_thread")]
async fn build_secrets_not_in_history_secrets_are_mounted_and_found_in_no_image_and_no_log() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    let dockerfile = format!(
        "FROM busybox:1\nRUN --mount=type=secret,id=npm-token test ! -e /run/secrets/npm-token\nARG API_KEY\nARG GREETING\n\
         ENV SEEN=$API_KEY\nRUN mkdir /www; echo \"[$API_KEY]\" > /www/arg\n\
         RUN --mount=type=secret,id=API_KEY sha256sum /run/secrets/API_KEY && cat /run/secrets/API_KEY\n\
         RUN --mount=type=secret,id=API_KEY wc -c < /run/secrets/API_KEY > /www/index.html; echo $GREETING\n{SERVE}"
    );
    repository.write("Dockerfile", &dockerfile);
    repository.commit("Read a secret");
    let secret = "sk-test-123 \"é\"";
    let project = api.create_project("web").await;
    api.create_app(&project, "web", &repository).await;
    set(
        &api,
        json!([
            { "key": "API_KEY", "value": secret, "secret": true, "scope": "both" },
            { "key": "RUNTIME", "value": "run-only-456", "secret": true },
            { "key": "GREETING", "value": "hello", "scope": "build" },
        ]),
    )
    .await;
    let log = deployed(&api).await;

    let env = env_of(&dhow);
    assert!(env.contains(&format!("API_KEY={secret}")), "{env:?}");
    assert!(env.contains(&"SEEN=".to_owned()), "{env:?}");
    let page = dhow.visit("web.localhost", "/").await.expect(200);
    assert_eq!(
        page.text().trim(),
        secret.len().to_string(),
        "the step that mounts it has it"
    );
    assert_eq!(
        dhow.visit("web.localhost", "/arg").await.expect(200).text().trim(),
        "[]"
    );
    let image = image_of(&dhow);
    let told = told_by(&image);
    assert!(
        told.contains("GREETING=hello"),
        "a plain one is a build argument: {told}"
    );
    for value in ["sk-test", "run-only"] {
        assert!(
            !told.contains(value) && !log.contains(value),
            "{value} in\n{told}\n{log}"
        );
        assert!(!dhow.lines().text().contains(value));
    }
    let warnings: Vec<&str> = log.lines().filter(|line| line.contains("Warning: ")).collect();
    assert!(
        warnings.len() == 1 && warnings[0].contains("ARG API_KEY") && warnings[0].contains("type=secret,id=API_KEY"),
        "{warnings:?}"
    );

    // The same again is not built; another value of the secret is something else to build from.
    assert!(deployed(&api).await.contains("Nothing to build"));
    set(
        &api,
        json!([{ "key": "API_KEY", "value": "sk-test-789", "secret": true, "scope": "build" }]),
    )
    .await;
    let log = deployed(&api).await;
    assert!(!log.contains("Nothing to build") && log.contains("(cached)"), "{log}");
    assert!(
        !env_of(&dhow).iter().any(|pair| pair.starts_with("API_KEY=")),
        "for builds alone"
    );

    // Without it the step fails, and says which one is missing.
    set(&api, json!([])).await;
    repository.write("Dockerfile", &dockerfile.replace("wc -c", "wc  -c"));
    repository.commit("Build anew");
    let failed = api.failed(api.deploy("web").await, "build_failed").await;
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("`API_KEY`") && message.contains("secret variable"),
        "{message}"
    );
    // What no variable can be is left out where it is optional, as above, and told where it is required.
    repository.write(
        "Dockerfile",
        &dockerfile.replace("id=npm-token", "id=npm-token,required"),
    );
    repository.commit("Require what cannot be");
    let failed = api.failed(api.deploy("web").await, "build_failed").await;
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(message.contains("requires the secret `npm-token`"), "{message}");

    // Plain variables of a build travel in an address.
    set(
        &api,
        json!([{ "key": "LONG", "value": "x".repeat(60_001), "scope": "build" }]),
    )
    .await;
    let failed = api.failed(api.deploy("web").await, "build_failed").await;
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(message.contains("make the longest a secret"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn build_runtime_env_not_at_build_builds_see_only_their_scope_and_instances_are_told_where_they_are() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    repository.write(
        "Dockerfile",
        &format!(
            "FROM busybox:1\nARG NODE_ENV\nARG DHOW_COMMIT\nRUN mkdir /www; echo \"[$NODE_ENV$DHOW_COMMIT]\" > /www/index.html\n{SERVE}"
        ),
    );
    let commit = repository.commit("Look at the variables");
    let project = api.create_project("Shop").await;
    api.create_app(&project, "web", &repository).await;
    set(&api, json!([{ "key": "NODE_ENV", "value": "production" }])).await;
    deployed(&api).await;
    assert_eq!(dhow.visit("web.localhost", "/").await.expect(200).text().trim(), "[]");
    let url = format!("DHOW_URL=http://web.localhost:{}", dhow.http_port);
    let env = env_of(&dhow);
    for pair in [
        "NODE_ENV=production",
        "PORT=3000",
        "DHOW_APP=web",
        &format!("DHOW_PROJECT={project}"),
        &format!("DHOW_COMMIT={commit}"),
        url.trim_end_matches('/'),
    ] {
        let is_there = env.iter().any(|found| found.trim_end_matches('/') == pair);
        assert!(is_there, "{pair} in {env:?}");
    }

    set(
        &api,
        json!([{ "key": "NODE_ENV", "value": "production", "scope": "both" }]),
    )
    .await;
    let log = deployed(&api).await;
    assert!(!log.contains("Nothing to build"), "{log}");
    assert_eq!(
        dhow.visit("web.localhost", "/").await.expect(200).text().trim(),
        "[production]"
    );

    // Another commit and number: nothing that Dhow says of them spoils the cache.
    repository.write("notes.txt", "no step looks at it");
    repository.commit("Change what no step looks at");
    let log = deployed(&api).await;
    let step = log.lines().find(|line| line.contains("RUN mkdir")).unwrap_or_default();
    assert!(step.ends_with("(cached)"), "{log}");
    assert_eq!(
        env_of(&dhow)
            .iter()
            .filter(|pair| pair.starts_with("DHOW_COMMIT="))
            .count(),
        1
    );

    // A restart tells an instance of the domains that it has now.
    let domain = json!({ "host": "shop.example.com", "tls": "off" });
    api.post("/apps/web/domains", domain).await.expect(201);
    let restarted = api.post("/apps/web/restart", json!({})).await.expect(202).json();
    api.succeeded(restarted["id"].as_i64().unwrap()).await;
    let url = format!("DHOW_URL=http://shop.example.com:{}", dhow.http_port);
    assert!(
        env_of(&dhow).iter().any(|pair| pair.starts_with(&url)),
        "{:?}",
        env_of(&dhow)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_does_not_arrive_as_it_is_set_fails_the_deployment_by_its_name() {
    let engine = EngineProxy::altering("value-right", "value-wrong");
    let dhow = Setup::new().flag("--docker-host", &engine.host()).start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    repository.commit_app("web");
    api.live_app("web", "web", &repository).await;
    let serving = dhow.containers_of("web");
    set(
        &api,
        json!([{ "key": "GOOD", "value": "g" }, { "key": "GARBLED", "value": "value-right" }]),
    )
    .await;

    let id = api.deploy("web").await;
    let failed = api.failed(id, "start_failed").await;

    let message = failed["error"]["message"].as_str().unwrap();
    assert!(message.contains("GARBLED"), "{message}");
    let log = api.log(id).await;
    assert!(!message.contains("value-") && !log.contains("value-"), "{log}");
    assert_eq!(
        dhow.containers_of("web"),
        serving,
        "the one before serves, no other is left"
    );
    assert_eq!(dhow.visit("web.localhost", "/").await.expect(200).text(), "web");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_asks_for_it_runs_again_when_a_secret_has_changed() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    let dockerfile = format!(
        "FROM busybox:1\nARG DHOW_SECRETS\nRUN --mount=type=secret,id=API_KEY mkdir /www && \
         wc -c < /run/secrets/API_KEY > /www/index.html\n{SERVE}"
    );
    repository.write("Dockerfile", &dockerfile);
    repository.commit("Read a secret");
    let project = api.create_project("web").await;
    api.create_app(&project, "web", &repository).await;
    let secret = |value: &str| json!([{ "key": "API_KEY", "value": value, "secret": true, "scope": "build" }]);
    for value in ["four", "seven77", "eight888"] {
        set(&api, secret(value)).await;
        let log = deployed(&api).await;
        let page = dhow.visit("web.localhost", "/").await.expect(200);
        assert_eq!(page.text().trim(), value.len().to_string(), "{log}");
        let told = told_by(&image_of(&dhow));
        assert!(!told.contains(value), "{told}");
    }
}
