//! Redeploys under load lose no request, whoever counts; what visitors lose by other hands is counted by Dhow as well.

use futures_util::future::join_all;

use crate::harness::dhow::Dhow;
use crate::harness::docker::docker;
use crate::harness::git_server::GitServer;
use crate::harness::load::{Load, RATE};
use crate::harness::redeploys::BusyApp;
use crate::harness::repository::SLOW;
use crate::harness::setup::Setup;
use crate::harness::wait::seconds;

#[tokio::test(flavor = "multi_thread")]
async fn ten_redeploys_under_load_fail_no_request_and_dhow_counts_the_same() {
    // Five apps share the load, since an app's next deployment waits for the drain of its last.
    let dhow = Setup::new().flag("--max-deployments", "2").start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let apps = ["one", "two", "three", "four", "five"].map(|name| BusyApp {
        dhow: &dhow,
        api: &api,
        git: &git,
        name,
        rate: RATE / 5,
    });
    join_all(apps.iter().map(|app| app.redeploy(2, seconds(200)))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_lost_after_a_switch_are_counted_as_often_as_visitors_lost_them() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("lossy");
    repository.write_slow_site("old");
    repository.commit("Old");
    let app = api.live_app("Lossy", "lossy", &repository).await;
    let old = dhow.containers_of(&app).remove(0);
    let load = Load::on_paths(&dhow, "lossy.localhost", &[SLOW], 50, seconds(60));

    repository.write_slow_site("new");
    repository.commit("New");
    let id = api.deploy(&app).await;
    api.at_step(id, "retire").await;
    docker(&["kill", &old]);

    let deployment = api.succeeded(id).await;
    let count = load.stop("the death of the old version in its drain").await;
    assert!(count.by_proxy > 0, "the old version had requests to answer");
    assert_eq!(deployment["switch"]["failed"], count.by_proxy, "{deployment:#}");
    assert_eq!(count.failed, count.by_proxy);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_tells_no_counts_is_not_said_to_have_counted_nothing() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("untold");
    repository.write_slow_site("old");
    repository.commit("Old");
    let app = api.live_app("Untold", "untold", &repository).await;

    let id = api.deploy(&app).await;
    api.at_step(id, "retire").await;
    let proxy = dhow.containers("proxy").remove(0);
    docker(&["pause", &proxy]);
    let deployment = api.succeeded(id).await;
    docker(&["unpause", &proxy]);

    assert!(deployment["switch"].is_null(), "{deployment:#}");
    let log = api.log(id).await;
    assert!(log.contains("did not tell how many requests"), "{log}");
}
