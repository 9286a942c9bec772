//! What an instance may use is in its container: memory, processor, processes, and the size of its log.

use serde_json::json;

use crate::harness::dhow::Dhow;
use crate::harness::docker::{docker, inspect};
use crate::harness::git_server::GitServer;
use crate::harness::wait::{eventually, seconds};

#[tokio::test(flavor = "multi_thread")]
async fn the_limits_of_an_instance_are_in_its_container_also_when_it_is_made_again() {
    let mut dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("small");
    repository.commit_app("small");
    let project = api.create_project("Small").await;
    let limits = json!({ "resources": { "memory_mb": 64, "cpus": 0.5 } });
    api.create_app_with(&project, "small", &repository, limits).await;
    api.succeeded(api.deploy("small").await).await;
    assert_limits(&dhow);

    dhow.terminate().await;
    docker(&["rm", "--force", &dhow.containers_of("small")[0]]);
    dhow.start_again().await;
    eventually("the instance is made again", seconds(30), || async {
        match dhow.containers_of("small").len() {
            1 => Ok(()),
            count => Err(format!("{count} containers")),
        }
    })
    .await;
    assert_limits(&dhow);
}

#[track_caller]
fn assert_limits(dhow: &Dhow) {
    let container = inspect("container", &dhow.containers_of("small")[0]);
    let host = &container["HostConfig"];
    assert_eq!(host["Memory"], 64 << 20);
    assert_eq!(host["NanoCpus"], 500_000_000);
    assert_eq!(host["PidsLimit"], 4_096);
    assert_eq!(
        host["LogConfig"],
        json!({ "Type": "json-file", "Config": { "max-size": "10m", "max-file": "3" } })
    );
}
