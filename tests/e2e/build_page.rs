//! How an app will be built is seen before its first deployment, with the files that led to it.

use serde_json::json;

use crate::harness::browser::{Browser, SHOWN_WITHIN};
use crate::harness::dhow::Dhow;
use crate::harness::git_server::GitServer;
use crate::harness::wait::{eventually, seconds};
use crate::journey;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_source_is_shows_on_the_apps_page_by_itself_before_anything_is_deployed() {
    let mut dhow = Dhow::start().await;
    let git = GitServer::start().await;
    let repository = git.repository("hello");
    repository.write("requirements.txt", "flask==3.0.0\ngunicorn==23.0.0\n");
    repository.write("app.py", "from flask import Flask\napp = Flask(__name__)\n");
    repository.write(".python-version", "3.11\n");
    repository.commit("A page");

    let browser = Browser::open().await;
    let link = dhow.claim_link().await;
    journey::claim(&browser, &dhow, &link).await;
    journey::create_project(&browser, "Shop").await;
    git.hold("hello");
    journey::create_app(&browser, "hello", &repository).await;
    browser.see("Looking at the repository", SHOWN_WITHIN).await;
    git.open("hello");
    browser.see("Recognised as", seconds(20)).await;
    browser.look("app-recognised").await;
    browser.goto(&format!("{}/apps/hello/plan", dhow.url())).await;
    browser.see("asks for Python 3.11", SHOWN_WITHIN).await;
    browser.see("FROM python:3.11-slim", SHOWN_WITHIN).await;
    browser.look("app-build").await;

    let api = dhow.api("admin").await;
    let plan = api.read("/apps/hello/plan").await;
    assert_eq!((&plan["kind"], &plan["is_looking"]), (&json!("written"), &json!(false)));
    assert_eq!(api.read("/apps/hello/deployments").await["items"], json!([]));
    browser.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_tells_of_own_dockerfiles_and_of_sources_that_nobody_knows() {
    let mut dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    repository.write("notes.txt", "nothing to build");
    repository.commit("Notes");
    let project = api.create_project("web").await;
    let auto = json!({ "build": {} });
    api.create_app_with(&project, "web", &repository, auto).await;
    let panel = dhow.panel().await;
    panel.page("/apps/web/plan").await.expect_words("Nobody has looked yet");

    // Asked for, and Dhow is killed before it is answered: the next start looks.
    git.hold("web");
    api.post("/apps/web/plan", json!({})).await.expect(202);
    git.waiting("web", 1, seconds(10)).await;
    panel.page("/apps/web/plan").await.expect_words("Looking at the source");
    dhow.kill().await;
    git.open("web");
    dhow.start_process().await;
    let told = eventually("the source was looked at", seconds(20), || async {
        let plan = api.read("/apps/web/plan").await;
        plan["message"].as_str().map(str::to_owned).ok_or(plan.to_string())
    })
    .await;
    assert!(
        told.contains("package.json") && told.contains("Add a Dockerfile"),
        "{told}"
    );

    repository.commit_app("web");
    let button = panel
        .page("/apps/web/plan")
        .await
        .form_of_button("Look at the newest commit");
    panel.submit("/apps/web/plan", &button).await.expect(303);
    eventually("the Dockerfile was found", seconds(20), || async {
        let plan = api.read("/apps/web/plan").await;
        if plan["path"] == "Dockerfile" {
            Ok(())
        } else {
            Err(plan.to_string())
        }
    })
    .await;
    panel
        .page("/apps/web")
        .await
        .expect_words("It brings its own Dockerfile");
}
