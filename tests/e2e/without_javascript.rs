//! The same way with JavaScript switched off, on a phone's width: every page is a plain GET, every button a plain POST.

use crate::harness::browser::Browser;
use crate::harness::dhow::Dhow;
use crate::harness::gate::Gate;
use crate::harness::git_server::GitServer;
use crate::harness::visitor::Visitor;
use crate::harness::wait::seconds;
use crate::journey::{self, EARLY, LATE};

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_deployed_with_javascript_switched_off() {
    let dhow = Dhow::start().await;
    dhow.add_owner().await;
    let (git, gate) = (GitServer::start().await, Gate::start().await);
    let repository = git.repository("plain");
    journey::write_talking_app(&repository, &gate, "no script needed");
    repository.commit("First version");

    let browser = Browser::open_as(Visitor {
        javascript: false,
        width: 400,
        ..Visitor::default()
    })
    .await;
    browser.sign_in(&dhow).await;
    journey::create_project(&browser, "Plain").await;
    journey::create_app(&browser, "plain", &repository).await;
    journey::deploy(&browser, "plain").await;

    gate.arrival("build", seconds(60)).await;
    browser.reload_until(EARLY, seconds(15)).await;
    assert!(!browser.sees(LATE).await, "the log runs ahead of the build");
    gate.open("build");
    browser.reload_until(LATE, seconds(15)).await;
    browser.reload_until("succeeded", seconds(60)).await;
    browser.look("deployment-without-javascript").await;
    assert_eq!(
        dhow.visit("plain.localhost", "/").await.expect(200).text(),
        "no script needed"
    );
    browser.finish().await;
}
