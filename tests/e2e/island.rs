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
    let vars = json!([{ "key": "GREETING", "value": "hello" }, { "key": "HUSH", "value": "secret", "secret": true }]);
    api.put("/apps/web/env", json!({ "vars": vars })).await.expect(200);

    let browser = Browser::open().await;
    browser.sign_in(&dhow).await;
    browser.goto(&format!("{}/apps/web/env", dhow.url())).await;
    eventually("the island is mounted", SHOWN_WITHIN, || async {
        let mounted = browser.script("return document.querySelector('[data-island]')?.dataset.mounted ?? null").await;
        if mounted == "true" { Ok(()) } else { Err(format!("{mounted}")) }
    })
    .await;
    browser.look("env-island").await;
    let shown = browser.script("return document.documentElement.outerHTML.includes('secret\"')").await;
    assert_eq!(shown, false, "a secret's value is in the page");

    browser.fill_labelled("Value of GREETING", "hello again").await;
    browser.click(words::SAVE).await;
    eventually("the value is stored", SHOWN_WITHIN, || async {
        let env = api.read("/apps/web/env").await;
        let greeting = env["vars"].as_array().unwrap().iter().find(|var| var["key"] == "GREETING").cloned();
        if greeting.as_ref().is_some_and(|var| var["value"] == "hello again") { Ok(()) } else { Err(format!("{env:#}")) }
    })
    .await;
    let env = api.read("/apps/web/env").await;
    assert_eq!(env["vars"].as_array().unwrap().len(), 2, "the secret is still there: {env:#}");
    assert!(browser.url().await.ends_with("/apps/web/env"));
    browser.finish().await;
}
