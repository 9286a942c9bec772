//! The island over the variables' form: it takes the form over, edits and saves; without scripts the form itself works.

use serde_json::json;

use crate::harness::browser::{Browser, SHOWN_WITHIN};
use crate::harness::dhow::Dhow;
use crate::harness::git_server::GitServer;
use crate::harness::wait::eventually;
use crate::harness::words;

#[tokio::test(flavor = "multi_thread")]
async fn the_island_takes_over_the_form_edits_a_value_and_saves_it() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    repository.commit_app("web");
    let project = api.create_project("Island").await;
    api.create_app(&project, "web", &repository).await;
    let vars =
        json!([{ "key": "GREETING", "value": "hello" }, { "key": "HUSH", "value": "hush-hush", "secret": true }]);
    api.put("/apps/web/env", json!({ "vars": vars })).await.expect(200);

    let browser = Browser::open().await;
    browser.sign_in(&dhow).await;
    browser.goto(&format!("{}/apps/web/env", dhow.url())).await;
    // Only the island can add rows; the plain form has one blank row.
    browser.see("Add a row", SHOWN_WITHIN).await;
    browser.look("env-island").await;
    let page = browser.script("return document.documentElement.outerHTML").await;
    assert!(
        !page.as_str().unwrap().contains("hush-hush"),
        "a secret's value is in the page"
    );

    browser.fill_labelled("Value, row 1", "hello again").await;
    browser.click(words::SAVE).await;
    eventually("the value is stored", SHOWN_WITHIN, || async {
        let env = api.read("/apps/web/env").await;
        let greeting = env["vars"]
            .as_array()
            .unwrap()
            .iter()
            .find(|var| var["key"] == "GREETING")
            .cloned();
        if greeting.as_ref().is_some_and(|var| var["value"] == "hello again") {
            Ok(())
        } else {
            Err(format!("{env:#}"))
        }
    })
    .await;
    browser.see("Saved", SHOWN_WITHIN).await;
    let env = api.read("/apps/web/env").await;
    let hush = json!({ "key": "HUSH", "value": null, "secret": true, "scope": "run" });
    assert!(
        env["vars"].as_array().unwrap().contains(&hush),
        "the secret is still there: {env:#}"
    );
    // A second save starts from the first one's version.
    browser.fill_labelled("Value, row 1", "and again").await;
    browser.click(words::SAVE).await;
    eventually("the second value is stored", SHOWN_WITHIN, || async {
        let env = api.read("/apps/web/env").await;
        if env["vars"][0]["value"] == "and again" {
            Ok(())
        } else {
            Err(format!("{env:#}"))
        }
    })
    .await;
    browser.finish().await;
}
