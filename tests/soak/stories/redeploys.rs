//! A hundred redeploys under two hundred requests a second.

use futures_util::future::join_all;

use crate::harness::git_server::GitServer;
use crate::harness::load::RATE;
use crate::harness::redeploys::BusyApp;
use crate::harness::setup::Setup;
use crate::harness::wait::seconds;

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_redeploys_under_load_fail_no_request_and_dhow_counts_the_same() {
    // Two apps, so that one is switched while the other one drains.
    let dhow = Setup::new().flag("--max-deployments", "2").start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let apps = ["left", "right"].map(|name| BusyApp {
        dhow: &dhow,
        api: &api,
        git: &git,
        name,
        rate: RATE / 2,
    });
    join_all(apps.iter().map(|app| app.redeploy(50, seconds(1500)))).await;
}
