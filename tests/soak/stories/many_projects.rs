//! More projects than the engine's own address pools have networks for.

use std::time::Instant;

use crate::harness::docker::{inspect, labelled};
use crate::harness::git_server::GitServer;
use crate::harness::leftovers::assert_nothing_left_over;
use crate::harness::setup::Setup;

const PROJECTS: usize = 60;

#[tokio::test(flavor = "multi_thread")]
async fn sixty_projects_with_an_app_each_all_serve_from_networks_of_their_own() {
    let mut setup = Setup::new();
    setup.subnets = "10.252.0.0/18".to_owned();
    let dhow = setup.start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("one");
    repository.commit_app("one of many");

    let began = Instant::now();
    let apps: Vec<String> = (1..=PROJECTS).map(|number| format!("app{number}")).collect();
    for app in &apps {
        api.live_app(app, app, &repository).await;
    }
    println!("{PROJECTS} projects were made and deployed in {:.0?}", began.elapsed());

    let networks = labelled("network", &[&format!("dhow.instance={}", dhow.instance)]);
    let mut subnets: Vec<String> = networks
        .iter()
        .map(|network| inspect("network", network)["IPAM"]["Config"][0]["Subnet"].to_string())
        .collect();
    subnets.sort();
    subnets.dedup();
    assert_eq!(subnets.len(), PROJECTS + 1, "{subnets:?}");
    assert!(subnets.iter().all(|subnet| subnet.ends_with(".0/24\"")), "{subnets:?}");

    repository.commit_app("changed");
    api.succeeded(api.deploy("app60").await).await;
    for app in &apps {
        let page = dhow.visit(&format!("{app}.localhost"), "/").await.expect(200).text();
        assert_eq!(page, if app == "app60" { "changed" } else { "one of many" }, "{app}");
    }
    assert_nothing_left_over(&dhow, &api).await;
}
