//! What is not Dhow's stays: another installation's objects and everybody else's survive all that Dhow does.

use crate::harness::dhow::Dhow;
use crate::harness::docker::{ForeignObjects, docker, inspect, labelled};
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

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dhows_own_and_no_deployment_knows_is_removed_at_the_next_start() {
    let mut dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("kept");
    repository.commit_app("kept");
    api.live_app("Kept", "kept", &repository).await;
    let kept = objects(&dhow.instance);
    dhow.terminate().await;

    let owner = inspect("container", &dhow.containers("app")[0])["Config"]["Labels"]["dhow.owner"].clone();
    let name = format!("{}-stray", dhow.instance);
    let labels = [
        format!("dhow.instance={}", dhow.instance),
        format!("dhow.owner={}", owner.as_str().unwrap()),
        "dhow.kind=app".to_owned(),
        "dhow.app=stray".to_owned(),
        "dhow.deployment=4711".to_owned(),
    ];
    let labels: Vec<&str> = labels.iter().flat_map(|label| ["--label", label.as_str()]).collect();
    docker(&[&["network", "create"], &labels[..], &[&name]].concat());
    let run: &[&str] = &["run", "--detach", "--init", "--name", &name];
    let stray = docker(&[run, &labels[..], &["busybox:1", "sleep", "900"]].concat());
    docker(&["commit", &stray, &format!("{}/stray:4711", dhow.instance)]);
    let repository = dhow.data_file("repos/4711/pushed.git");
    std::fs::create_dir_all(&repository).unwrap();
    assert_eq!(objects(&dhow.instance).len(), kept.len() + 3);

    dhow.start_again().await;

    eventually("only what is known is left", seconds(20), || async {
        let (left, has_files) = (objects(&dhow.instance), repository.exists());
        if left == kept && !has_files {
            Ok(())
        } else {
            Err(format!("{left:?}, files: {has_files}"))
        }
    })
    .await;
    assert_eq!(dhow.visit("kept.localhost", "/").await.expect(200).text(), "kept");
}
