//! An open dashboard follows what happens elsewhere, without a reload, and says when the engine is gone.

use crate::harness::browser::{Browser, SHOWN_WITHIN};
use crate::harness::dhow::Dhow;
use crate::harness::gate::Gate;
use crate::harness::git_server::GitServer;
use crate::harness::wait::seconds;
use crate::journey;

#[tokio::test(flavor = "multi_thread")]
async fn an_open_dashboard_shows_what_others_do() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let (repository, gate) = (git.repository("web"), Gate::start().await);
    journey::write_talking_app(&repository, &gate, "web");
    repository.commit("First version");

    let browser = Browser::open().await;
    browser.sign_in(&dhow).await;
    browser.see("Start with a project", SHOWN_WITHIN).await;
    browser.script("window.neverLoadedAgain = true").await;

    let project = api.create_project("Shop").await;
    browser.see("Shop", SHOWN_WITHIN).await;
    api.create_app(&project, "web", &repository).await;
    browser.see("nothing yet", SHOWN_WITHIN).await;
    // Whoever is about to press something keeps it under the finger.
    browser
        .script("document.querySelector('#project-shop .row-link').focus()")
        .await;
    let id = api.deploy("web").await;
    gate.arrival("build", seconds(60)).await;
    browser.see("deploying", SHOWN_WITHIN).await;
    gate.open("build");
    api.succeeded(id).await;
    browser.see("running", SHOWN_WITHIN).await;
    browser.see("succeeded", SHOWN_WITHIN).await;
    browser.look("dashboard-live").await;

    repository.write_app("broken", "RUN exit 3");
    repository.commit("Break the build");
    let id = api.deploy("web").await;
    api.failed(id, "build_failed").await;
    browser.see("One app needs a hand", SHOWN_WITHIN).await;
    browser.see("The release before it goes on serving", SHOWN_WITHIN).await;

    let kept = "return [window.neverLoadedAgain, document.activeElement.className].join()";
    assert_eq!(browser.script(kept).await, "true,row-link");
    browser.finish().await;
}
