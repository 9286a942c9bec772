//! The same way with JavaScript switched off, on a phone's width: every page is a plain GET, every button a plain POST.

use serde_json::json;

use crate::harness::browser::{Browser, SHOWN_WITHIN};
use crate::harness::dhow::Dhow;
use crate::harness::gate::Gate;
use crate::harness::git_server::GitServer;
use crate::harness::visitor::Visitor;
use crate::harness::wait::seconds;
use crate::harness::words;
use crate::journey::{self, EARLY, LATE};

/// A phone's browser without scripts.
async fn phone() -> Browser {
    Browser::open_as(Visitor {
        javascript: false,
        width: 400,
        ..Visitor::default()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_deployed_with_javascript_switched_off() {
    let dhow = Dhow::start().await;
    dhow.add_owner().await;
    let (git, gate) = (GitServer::start().await, Gate::start().await);
    let repository = git.repository("plain");
    journey::write_talking_app(&repository, &gate, "no script needed");
    repository.commit("First version");

    let browser = phone().await;
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

#[tokio::test(flavor = "multi_thread")]
async fn variables_and_domains_are_edited_with_javascript_switched_off() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("plain");
    repository.commit_app("plain");
    api.live_app("Plain", "plain", &repository).await;
    let browser = phone().await;
    browser.sign_in(&dhow).await;

    browser.goto(&format!("{}/apps/plain/env", dhow.url())).await;
    browser.fill_labelled("Key, row 1", "GREETING").await;
    browser.fill_labelled("Value, row 1", "pa$$ # word").await;
    browser.click(words::SAVE).await;
    browser.see("Saved", SHOWN_WITHIN).await;
    browser.click("Edit as text").await;
    browser.fill("text", "GREETING='pa$$ # word'\nMORE=1\nMORE=2").await;
    browser.look("env-text-without-javascript").await;
    browser.click(words::SAVE).await;
    browser.see("Line 3: MORE is set again here", SHOWN_WITHIN).await;
    let env = api.read("/apps/plain/env").await;
    let var = |key: &str, value: &str| json!({ "key": key, "value": value, "secret": false, "scope": "run" });
    assert_eq!(env["vars"], json!([var("GREETING", "pa$$ # word"), var("MORE", "2")]));

    browser.goto(&format!("{}/apps/plain/domains", dhow.url())).await;
    browser.fill("host", "https://Shop.Example.com/old").await;
    browser.click(words::ADD_DOMAIN).await;
    browser.see("shop.example.com", SHOWN_WITHIN).await;
    assert_eq!(
        dhow.visit("shop.example.com", "/old").await.status,
        404,
        "httpd has no such file"
    );
    browser.click("Edit shop.example.com/old").await;
    browser.fill("path_prefix", "/").await;
    browser.click(words::SAVE).await;
    browser.click("Edit shop.example.com").await;
    browser.look("domain-edit-without-javascript").await;
    assert_eq!(dhow.visit("shop.example.com", "/").await.expect(200).text(), "plain");
    browser.click("Back").await;
    browser.click("Remove shop.example.com").await;
    browser.see("until it has a domain of its own", SHOWN_WITHIN).await;
    assert_eq!(api.read("/apps/plain/domains").await["items"], json!([]));
    browser.finish().await;
}
