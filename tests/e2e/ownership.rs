//! What is not Dhow's stays: another installation's objects and everybody else's survive all that Dhow does.

use crate::harness::dhow::Dhow;
use crate::harness::docker::{ForeignObjects, labelled};
use crate::harness::git_server::GitServer;
use crate::harness::setup::Setup;
use crate::harness::wait::{eventually, seconds};

/// Ids of everything that carries the instance's name as label.
fn objects(instance: &str) -> Vec<String> {
    let label = format!("dhow.instance={instance}");
    ["container", "network", "volume", "image"]
        .into_iter()
        .flat_map(|kind| labelled(kind, &[&label]))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_data_directory_cannot_take_over_an_instance_name() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("mine");
    repository.commit_app("mine");
    api.live_app("Mine", "mine", &repository).await;
    let before = objects(&dhow.instance);

    let refusal = Setup::named(&dhow.instance).refused().await;

    let line = refusal.one_line();
    assert!(
        line.contains("--instance") && line.contains(&dhow.instance),
        "it says what to change: {line}"
    );
    assert_eq!(objects(&dhow.instance), before, "nothing was made or removed");
    assert_eq!(dhow.visit("mine.localhost", "/").await.expect(200).text(), "mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_objects_survive_deploying_deleting_and_restarting() {
    let setup = Setup::new();
    let foreign = ForeignObjects::beside(&setup.instance);
    let mut dhow = setup.start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("mine");
    repository.commit_app("one");
    let app = api.live_app("Mine", "mine", &repository).await;
    repository.commit_app("two");
    api.succeeded(api.deploy(&app).await).await;
    repository.write_app("three", "RUN exit 1");
    repository.commit("Break it");
    api.failed(api.deploy(&app).await, "build_failed").await;
    dhow.kill().await;
    dhow.start_again().await;
    foreign.assert_survived();

    api.delete("/apps/mine").await.expect(202);
    eventually("the app's containers are removed", seconds(30), || async {
        let left = dhow.containers_of("mine");
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("{left:?}"))
        }
    })
    .await;
    let deleted = api.delete("/projects/mine").await;
    assert!(matches!(deleted.status, 202 | 204), "{deleted}");
    dhow.terminate().await;
    foreign.assert_survived();
}
