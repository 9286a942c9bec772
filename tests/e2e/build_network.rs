//! Builds in a company's network: an authority of its own, and a proxy without which nothing is reached.

use serde_json::json;

use crate::harness::company_network::{CompanyNetwork, PASSWORD, REGISTRY};
use crate::harness::dhow::Dhow;
use crate::harness::docker::{docker, inspect};
use crate::harness::git_server::GitServer;
use crate::harness::repository::Repository;
use crate::harness::setup::Setup;

fn greeter(git: &GitServer, network: &CompanyNetwork, registry: &str) -> Repository {
    let repository = git.repository("greeter");
    for (path, text) in network.app(registry) {
        repository.write(path, &text);
    }
    repository.commit("Greet");
    repository
}

async fn greets(dhow: &Dhow) {
    let page = dhow.visit("greeter.localhost", "/").await.expect(200);
    assert_eq!(page.text(), "the company greets");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_trusts_the_operators_authority_and_the_image_knows_nothing_of_it() {
    let (git, network) = (GitServer::start().await, CompanyNetwork::start().await);
    let repository = greeter(&git, &network, &network.registry);
    let auto = || json!({ "build": { "builder": "auto" } });

    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let project = api.create_project("Company").await;
    api.create_app_with(&project, "greeter", &repository, auto()).await;
    let id = api.deploy("greeter").await;
    api.failed(id, "build_failed").await;
    let log = api.log(id).await;
    assert!(
        log.to_lowercase().contains("certificate"),
        "npm says what it does not trust: {log}"
    );
    assert_eq!(
        network.asked(),
        [""; 0],
        "nothing was asked of a registry that nobody vouched for"
    );
    drop(dhow);

    let dhow = Setup::new().flag("--build-ca-file", network.authority()).start().await;
    let api = dhow.owner().await;
    let project = api.create_project("Company").await;
    api.create_app_with(&project, "greeter", &repository, auto()).await;
    let id = api.deploy("greeter").await;
    api.succeeded(id).await;
    greets(&dhow).await;
    let container = dhow.containers_of("greeter").remove(0);
    let told = told_by(&container);
    assert!(!told.contains("dhow_ca"), "the authority is the build's alone: {told}");
    let left = docker(&["exec", &container, "sh", "-c", "ls -A /run/secrets 2>/dev/null || true"]);
    assert_eq!(left, "", "nothing of it is left in the image");
}

/// What an instance's image tells of how it was made, and what the instance is told.
fn told_by(container: &str) -> String {
    let container = inspect("container", container);
    let image = container["Image"].as_str().unwrap();
    let history = docker(&["history", "--no-trunc", "--format", "{{.CreatedBy}}", image]);
    format!("{history}\n{:#}\n{:#}", inspect("image", image), container["Config"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_goes_through_the_operators_proxy_whose_password_is_seen_nowhere() {
    let (git, network) = (GitServer::start().await, CompanyNetwork::start().await);
    let repository = greeter(&git, &network, &format!("https://{REGISTRY}/"));
    let dhow = Setup::new()
        .flag("--build-ca-file", network.authority())
        .flag("--build-http-proxy", &network.proxy())
        .flag("--build-https-proxy", &network.proxy())
        .flag("--build-no-proxy", "localhost,127.0.0.1")
        .start()
        .await;
    let api = dhow.owner().await;
    let project = api.create_project("Company").await;
    let auto = json!({ "build": { "builder": "auto" } });
    api.create_app_with(&project, "greeter", &repository, auto).await;
    let id = api.deploy("greeter").await;
    api.succeeded(id).await;
    greets(&dhow).await;

    let connects = network.connects();
    println!("the proxy was asked: {connects:?}");
    let expected = format!("CONNECT {REGISTRY}:443 → 200");
    assert!(
        connects.contains(&expected),
        "the registry's name is known to the proxy alone: {connects:?}"
    );
    let told = told_by(&dhow.containers_of("greeter")[0]);
    let page = dhow.panel().await.page("/apps/greeter/deployments/1").await.html();
    let lines = dhow.lines().text();
    for (place, text) in [
        ("the log", api.log(id).await),
        ("the image and the instance", told),
        ("the page", page),
        ("Dhow's own lines", lines),
    ] {
        assert!(!text.contains(PASSWORD), "{place} shows the proxy's password: {text}");
    }
}
