//! What the API says of itself is true: a tool sends what its description allows and forbids, and every answer is one that
//! the description has, without a fault of Dhow's.

use std::path::Path;

use serde_json::json;

use crate::harness::dhow::Dhow;
use crate::harness::process::run;
use crate::harness::wait::seconds;

/// Made by `tests/testbed/e2e-tools`.
const SCHEMATHESIS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/target/testbed/schemathesis/bin/schemathesis"
);
/// What every answer must be; what is stricter than a schema can say is told by other stories.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,unsupported_method,ignored_auth";
/// Names that exist, so that calls come further than 404.
const NAMES: &str = "[parameters]\n\"path.project\" = \"shop\"\n\"path.app\" = \"web\"\n\"path.id\" = 1\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_api_answers_as_its_description_says() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let app = json!({ "name": "Web", "source": { "kind": "git", "url": "http://127.0.0.1:9/nothing.git" } });
    for project in ["shop", "empty"] {
        api.create_project(project).await;
    }
    api.post("/projects/shop/apps", app).await.expect(201);
    let deployment = api.deploy("web").await;
    api.ended(deployment).await;
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("schemathesis.toml");
    std::fs::write(&config, NAMES).unwrap();

    let url = format!("{}/api/v1/openapi.json", dhow.url());
    let authorization = format!("Authorization: Bearer {}", api.token);
    let common = [
        "run",
        &url,
        "--header",
        &authorization,
        "--checks",
        CHECKS,
        "--no-color",
        "--max-examples",
        "10",
    ];
    // First what exists, without what would take it away; then everything, by names that are made up.
    let config = config.to_str().unwrap();
    let kept = [
        "--exclude-operation-id",
        "apps_delete",
        "--exclude-operation-id",
        "projects_delete",
    ];
    schemathesis(
        directory.path(),
        &[&["--config-file", config], &common[..], &kept].concat(),
    )
    .await;
    schemathesis(directory.path(), &common).await;
    assert!(!dhow.lines().text().contains("panicked"), "{}", dhow.lines().text());
}

async fn schemathesis(directory: &Path, arguments: &[&str]) {
    let mut command = std::process::Command::new(SCHEMATHESIS);
    command.args(arguments).current_dir(directory);
    let outcome = tokio::time::timeout(seconds(240), run(command, "")).await;
    let outcome = outcome.expect("schemathesis ends in time");
    let summary = outcome.stdout.split("SUMMARY").last().unwrap_or_default();
    println!("{summary}");
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
}
