//! The island over the variables' form: it takes the form over without a jump, edits as a table and as text, pastes,
//! undoes, and loses nobody's change; without scripts the form itself works.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::api::Api;
use crate::harness::browser::{Browser, SHOWN_WITHIN};
use crate::harness::dhow::Dhow;
use crate::harness::docker::inspect;
use crate::harness::git_server::GitServer;
use crate::harness::island::{paste, put, takes_the_forms_room};
use crate::harness::values::{OddValues, quoted};
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
    takes_the_forms_room(&browser, "env-island").await;
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

async fn stored(api: &Api) -> BTreeMap<String, Value> {
    let env = api.read("/apps/web/env").await;
    let vars = env["vars"].as_array().unwrap().iter();
    vars.map(|var| (var["key"].as_str().unwrap().to_owned(), var["value"].clone()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_island_edits_as_text_pastes_undoes_and_loses_nobodys_change() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    repository.commit_app("web");
    api.live_app("Island", "web", &repository).await;
    let hush = json!({ "key": "HUSH", "value": "hush-hush", "secret": true });
    api.put("/apps/web/env", json!({ "vars": [hush] })).await.expect(200);
    let browser = Browser::open().await;
    browser.sign_in(&dhow).await;
    browser.goto(&format!("{}/apps/web/env", dhow.url())).await;

    every_byte_of_a_text_reaches_the_container(&dhow, &api, &browser).await;
    browser.goto(&format!("{}/apps/web/env", dhow.url())).await;
    a_pasted_file_becomes_rows_and_is_undone(&browser).await;
    a_conflict_shows_both_sides_and_keeps_both(&api, &browser).await;
    browser.finish().await;
}

async fn every_byte_of_a_text_reaches_the_container(dhow: &Dhow, api: &Api, browser: &Browser) {
    let values = OddValues::new().take(500);
    browser.click("Text").await;
    browser.see("HUSH", SHOWN_WITHIN).await;
    put(browser, "Variables as text", "A=1\nno assignment\n").await;
    browser.see("Line 2", SHOWN_WITHIN).await;
    browser.look("env-island-text").await;
    put(browser, "Variables as text", &quoted(&values)).await;
    browser.see("Restarts the app", SHOWN_WITHIN).await;
    browser.click("Save and apply now").await;
    browser.at("the deployment", |url| url.contains("/deployments/")).await;
    let newest = api.read("/apps/web/deployments").await["items"][0]["id"]
        .as_i64()
        .unwrap();
    api.succeeded(newest).await;

    let mut told = stored(api).await;
    assert_eq!(told.remove("HUSH"), Some(Value::Null), "the secret stays");
    let wanted: BTreeMap<String, Value> = values.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    assert_eq!(told, wanted);
    let env = inspect("container", &dhow.containers_of("web")[0])["Config"]["Env"].take();
    let env: Vec<&str> = env
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| pair.as_str().unwrap())
        .collect();
    for (key, value) in &values {
        assert!(env.contains(&format!("{key}={value}").as_str()), "{key} is {value:?}");
    }
    assert!(env.contains(&"HUSH=hush-hush"));
    let kept = json!({ "vars": [{ "key": "HUSH", "value": null, "secret": true }, { "key": "A", "value": "1" }] });
    api.put("/apps/web/env", kept).await.expect(200);
}

async fn a_pasted_file_becomes_rows_and_is_undone(browser: &Browser) {
    browser.see("Add a row", SHOWN_WITHIN).await;
    paste(browser, "Key, row 3", "# production\nexport B=2\nA='one'\nHUSH=fresh\n").await;
    browser.see("3 variables pasted: 1 new, 2 replaced", SHOWN_WITHIN).await;
    browser.look("env-island-pasted").await;
    let undo = fantoccini::key::Key::Control + "z";
    let focused = browser.client.active_element().await.unwrap();
    focused.send_keys(&undo).await.unwrap();
    browser.see("Undone", SHOWN_WITHIN).await;
    assert!(!browser.sees("Not saved yet").await, "nothing is left to save");
}

async fn a_conflict_shows_both_sides_and_keeps_both(api: &Api, browser: &Browser) {
    put(browser, "Value, row 1", "mine").await;
    let theirs = json!({ "vars": [{ "key": "A", "value": "theirs" }, { "key": "NEW", "value": "new" }] });
    api.patch("/apps/web/env", theirs).await.expect(200);
    browser.click(words::SAVE).await;
    browser.see("Somebody else saved these variables", SHOWN_WITHIN).await;
    for words in ["Yours: mine", "Theirs: theirs", "NEW (new)"] {
        assert!(browser.sees(words).await, "{words}");
    }
    browser.look("env-island-conflict").await;
    let said = browser.console().await;
    assert!(said.iter().all(|line| line.contains("409")), "{said:?}");
    assert_eq!(stored(api).await["A"], "theirs", "nothing is overwritten unseen");
    browser.click("Go on with both").await;
    browser.see("nothing is saved yet", SHOWN_WITHIN).await;
    browser.click(words::SAVE).await;
    browser.see("Saved. Not live yet.", SHOWN_WITHIN).await;
    let all = stored(api).await;
    assert_eq!(all["A"], "mine");
    assert_eq!(all["NEW"], "new");
    assert_eq!(all["HUSH"], Value::Null);
}
