//! An app of more than three hundred npm packages: what has not changed is not built, and what is installed is not
//! installed again for a change of the source alone.

use std::time::Duration;

use serde_json::json;

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::docker::docker;
use crate::harness::git_server::GitServer;
use crate::harness::process::run_id;
use crate::harness::setup::Setup;
use crate::harness::small_image::is_small_and_safe;

/// Deploys; answers the log and the time of the build alone.
async fn deployed(api: &Api) -> (String, Duration) {
    let id = api.deploy("many").await;
    let deployment = api.succeeded(id).await;
    let steps = deployment["steps"].as_array().unwrap();
    // There is none where nothing is built.
    let build = steps.iter().find(|step| step["step"] == "build");
    let millis = build.map_or(0, |step| step["ms"].as_u64().unwrap());
    (api.log(id).await, Duration::from_millis(millis))
}

async fn serves(dhow: &Dhow, version: &str) {
    let page = dhow.visit("many.localhost", "/").await.expect(200);
    assert_eq!(page.text(), format!("express serves {version} on Node.js 24"));
}

/// The line of the log that shows a step of the build, with what became of it.
#[track_caller]
fn step<'a>(log: &'a str, command: &str) -> &'a str {
    // The Dockerfile itself stands in the log too; steps are numbered.
    log.lines()
        .rfind(|line| line.contains(command) && line.contains("RUN"))
        .unwrap_or_else(|| panic!("no step {command} in {log}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_app_of_300_packages_is_not_built_and_a_change_of_its_source_installs_nothing() {
    let dhow = Setup::new().with_machines_authorities().start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("many");
    repository.write_sample("many-packages");
    // Not the layer that another run has left in the engine.
    let package = include_str!("../fixtures/apps/many-packages/package.json");
    let own = format!("\"many\",\n  \"description\": \"{}\",", run_id());
    repository.write("package.json", &package.replacen("\"many\",", &own, 1));
    repository.commit("Begin");
    let project = api.create_project("Many").await;
    let auto = json!({ "build": { "builder": "auto" } });
    api.create_app_with(&project, "many", &repository, auto).await;

    let (log, first) = deployed(&api).await;
    for part in ["package-lock.json", "FROM node:24", "npm ci"] {
        assert!(log.contains(part), "{part} is told: {log}");
    }
    let install = step(&log, "npm ci");
    assert!(!install.ends_with("(cached)"), "really installed: {install}");
    serves(&dhow, "version one").await;
    let bytes = is_small_and_safe(&dhow, "many", &["gcc", "git"]);
    let container = dhow.containers_of("many").remove(0);
    let installed = "find / -xdev -name package.json -path '*/node_modules/*' -not -path '/usr/*' 2>/dev/null | wc -l";
    let packages: usize = docker(&["exec", &container, "sh", "-c", installed]).parse().unwrap();
    assert!(packages >= 300, "{packages} packages are in the image");

    let (log, unchanged) = deployed(&api).await;
    assert!(log.contains("Nothing to build"), "{log}");
    serves(&dhow, "version one").await;

    let server = include_str!("../fixtures/apps/many-packages/server.js");
    repository.write("server.js", &server.replace("version one", "version two"));
    repository.commit("Say something else");
    let (log, changed) = deployed(&api).await;
    let install = step(&log, "npm ci");
    assert!(install.ends_with("(cached)"), "{install} in {log}");
    serves(&dhow, "version two").await;
    println!(
        "{packages} packages, {bytes} bytes: build {first:.1?}, unchanged {unchanged:.1?}, another source {changed:.1?}"
    );
    assert!(
        unchanged < changed && changed < first,
        "nothing ({unchanged:?}) is less than the source ({changed:?}), and that is less than all ({first:?})"
    );
}
