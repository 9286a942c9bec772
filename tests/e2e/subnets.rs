//! Projects' networks are cut from a pool of addresses: what is taken is skipped, and an empty pool is told in words.

use crate::harness::docker::{docker, inspect, labelled};
use crate::harness::git_server::GitServer;
use crate::harness::setup::Setup;

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_is_used_up_around_what_others_took_and_then_told_to_be_empty() {
    let mut setup = Setup::new();
    // Room for four networks, of which somebody has taken the third.
    setup.subnets = "10.251.96.0/22".to_owned();
    let label = format!("dhow.instance={}", setup.instance);
    let foreign = format!("foreign-{}", setup.instance);
    let dhow = setup.start().await;
    docker(&[
        "network",
        "create",
        "--label",
        &label,
        "--subnet",
        "10.251.98.0/24",
        &foreign,
    ]);
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("room");
    repository.commit_app("room");

    for name in ["second", "fourth"] {
        api.live_app(name, name, &repository).await;
        let host = format!("{name}.localhost");
        assert_eq!(dhow.visit(&host, "/").await.expect(200).text(), "room");
    }
    let networks = labelled("network", &[&label]).into_iter();
    let mut subnets: Vec<_> = networks
        .map(|id| inspect("network", &id)["IPAM"]["Config"][0]["Subnet"].to_string())
        .collect();
    subnets.sort();
    let expected = ["96", "97", "98", "99"].map(|part| format!("\"10.251.{part}.0/24\""));
    assert_eq!(subnets, expected, "each network has one of its own");

    let project = api.create_project("none").await;
    let app = api.create_app(&project, "none", &repository).await;
    let failed = api.failed(api.deploy(&app).await, "start_failed").await;
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("10.251.96.0/22") && message.contains("--subnet-pool"),
        "{message}"
    );
    assert_eq!(dhow.visit("second.localhost", "/").await.expect(200).text(), "room");

    // A start that finds no room at all says so in its one line.
    let mut setup = Setup::new();
    setup.subnets = "10.251.98.0/24".to_owned();
    let refusal = setup.refused().await;
    let line = refusal.one_line();
    assert!(
        line.contains("10.251.98.0/24") && line.contains("--subnet-pool"),
        "{line}"
    );
}
