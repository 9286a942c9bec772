//! A newcomer claims the panel, deploys by clicking and sees the log grow; a broken version later changes nothing.

use crate::harness::browser::{Browser, SHOWN_WITHIN};
use crate::harness::dhow::Dhow;
use crate::harness::gate::Gate;
use crate::harness::git_server::GitServer;
use crate::harness::load::Load;
use crate::harness::wait::seconds;
use crate::journey::{self, EARLY, LATE};

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_deploys_by_clicking_and_keeps_what_works() {
    let mut dhow = Dhow::start().await;
    let (git, gate) = (GitServer::start().await, Gate::start().await);
    let repository = git.repository("hello");
    journey::write_talking_app(&repository, &gate, "first version");
    let first = repository.commit("First version");

    let browser = Browser::open().await;
    let link = dhow.claim_link().await;
    journey::claim(&browser, &dhow, &link).await;
    journey::create_project(&browser, "Shop").await;
    journey::create_app(&browser, "hello", &repository).await;
    journey::deploy(&browser, "hello").await;

    // The build stands at the gate: what it said before is here, what it will say cannot be.
    gate.arrival("build", seconds(60)).await;
    browser.see(EARLY, SHOWN_WITHIN).await;
    assert!(!browser.sees(LATE).await, "the log runs ahead of the build");
    browser.look("deployment-building").await;
    gate.open("build");
    browser.see(LATE, SHOWN_WITHIN).await;
    browser.see("succeeded", seconds(60)).await;
    browser.look("deployment-succeeded").await;

    let api = dhow.api("admin").await;
    let deployments = api.read("/apps/hello/deployments").await;
    let deployment = &deployments["items"][0];
    assert_eq!(deployment["status"], "succeeded");
    assert_eq!(
        deployment["commit"]["sha"], first,
        "exactly the commit that was the branch's head"
    );
    assert_eq!(deployment["trigger"], "manual");
    let steps: Vec<_> = deployment["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(steps, ["fetch", "build", "start", "check", "switch", "retire"]);
    let page = dhow.visit("hello.localhost", "/").await.expect(200);
    assert_eq!(page.text(), "first version");

    // The app's page says so, and leads there.
    browser.goto(&format!("{}/apps/hello", dhow.url())).await;
    browser.see("running", SHOWN_WITHIN).await;
    let address = format!("http://hello.localhost:{}", dhow.http_port);
    let leads = browser
        .script(&format!("return !!document.querySelector('a[href^=\"{address}\"]')"))
        .await;
    assert_eq!(leads, true, "a link to {address}");
    browser.look("app-running").await;
    browser.goto(&dhow.url()).await;
    browser.look("dashboard").await;

    // The second version, by the API, while visitors come and go.
    let visitors = Load::on(&dhow, "hello.localhost");
    let second = repository.commit_app("second version");
    let id = api.deploy("hello").await;
    let deployment = api.succeeded(id).await;
    assert_eq!(
        (&deployment["commit"]["sha"], &deployment["trigger"]),
        (&second.into(), &"api".into())
    );
    assert_eq!(deployment["switch"]["failed"], 0, "{deployment:#}");
    visitors.assert_nothing_failed("the switch to the second version").await;
    assert_eq!(
        dhow.visit("hello.localhost", "/").await.expect(200).text(),
        "second version"
    );
    assert_eq!(
        dhow.containers_of("hello").len(),
        1,
        "the first version's container is gone"
    );

    // The third cannot be built.
    repository.write_app("third version", "RUN exit 3");
    repository.commit("Break the build");
    let id = api.deploy("hello").await;
    let deployment = api.failed(id, "build_failed").await;
    assert_eq!(deployment["release"], serde_json::Value::Null);
    assert!(
        api.log(id).await.contains("exit code: 3"),
        "the log tells the exit code: {}",
        api.log(id).await
    );
    assert_eq!(
        dhow.visit("hello.localhost", "/").await.expect(200).text(),
        "second version"
    );
    assert_eq!(api.read("/apps/hello").await["status"], "running");
    browser.goto(&format!("{}/apps/hello/deployments/3", dhow.url())).await;
    browser.see("failed", SHOWN_WITHIN).await;
    browser.see("exit code: 3", SHOWN_WITHIN).await;
    browser.look("deployment-failed").await;
    browser.finish().await;
}
