//! The island over the forms of domains: it takes them over without a jump, tells what is wrong while it is typed, adds,
//! orders, changes and removes, and overwrites nobody's change.

use serde_json::{Value, json};

use crate::harness::api::Api;
use crate::harness::browser::{Browser, SHOWN_WITHIN};
use crate::harness::dhow::Dhow;
use crate::harness::git_server::GitServer;
use crate::harness::island::takes_the_forms_room;
use crate::harness::words;

/// The domains in the app's order, each as host, path and target of its redirect.
async fn stored(api: &Api) -> Vec<(String, String, Value)> {
    let mut items = api.read("/apps/web/domains").await["items"].as_array().unwrap().clone();
    items.sort_by_key(|item| item["position"].as_i64());
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    let items = items.iter();
    items
        .map(|item| {
            (
                text(item, "host"),
                text(item, "path_prefix"),
                item["redirect_to"].clone(),
            )
        })
        .collect()
}

fn hosts(domains: &[(String, String, Value)]) -> Vec<&str> {
    domains.iter().map(|(host, ..)| host.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_island_adds_orders_changes_and_removes_domains_and_overwrites_nobodys_change() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    repository.commit_app("web");
    let project = api.create_project("Island").await;
    api.create_app(&project, "web", &repository).await;
    for host in ["a.example.test", "b.example.test"] {
        api.post("/apps/web/domains", json!({ "host": host })).await.expect(201);
    }
    let browser = Browser::open().await;
    browser.sign_in(&dhow).await;
    browser.goto(&format!("{}/apps/web/domains", dhow.url())).await;
    browser.see("Remove", SHOWN_WITHIN).await;
    takes_the_forms_room(&browser, "domains-island").await;

    what_is_wrong_is_told_and_a_pasted_address_is_taken_apart(&api, &browser).await;
    a_domain_moves_up_and_one_is_removed(&api, &browser).await;
    a_conflict_shows_both_sides(&api, &browser).await;
    browser.finish().await;
}

async fn what_is_wrong_is_told_and_a_pasted_address_is_taken_apart(api: &Api, browser: &Browser) {
    browser.fill_labelled("Host", "shop.example.test:80").await;
    browser.click("Add domain").await;
    browser.see("The port is not part of the host", SHOWN_WITHIN).await;
    assert_eq!(stored(api).await.len(), 2, "it is not even sent");
    // Over what is there, as a person types: a driver's own way of emptying a field is not seen by the page's script.
    browser.script("document.getElementById('add-host').select()").await;
    let host = browser.client.active_element().await.unwrap();
    host.send_keys("https://Shop.example.test/x/").await.unwrap();
    browser.click("Add domain").await;
    browser.see("shop.example.test/x was added.", SHOWN_WITHIN).await;
    let added = stored(api).await.remove(2);
    assert_eq!(added, ("shop.example.test".to_owned(), "/x".to_owned(), Value::Null));
}

async fn a_domain_moves_up_and_one_is_removed(api: &Api, browser: &Browser) {
    browser.click("Move shop.example.test/x up").await;
    browser.see("shop.example.test/x is number 2 now.", SHOWN_WITHIN).await;
    assert_eq!(
        hosts(&stored(api).await),
        ["a.example.test", "shop.example.test", "b.example.test"]
    );
    browser.click("Remove a.example.test").await;
    browser.click("Remove it").await;
    browser.see("a.example.test was removed.", SHOWN_WITHIN).await;
    assert_eq!(hosts(&stored(api).await), ["shop.example.test", "b.example.test"]);
}

async fn a_conflict_shows_both_sides(api: &Api, browser: &Browser) {
    browser.click("Edit b.example.test").await;
    browser.click("Redirect, path, gRPC").await;
    browser.fill_labelled("Redirect to", "mine.example.test").await;
    let theirs = json!({ "redirect_to": "theirs.example.test", "path_prefix": "/" , "allow_ips": ["10.0.0.0/8"] });
    api.patch("/apps/web/domains/b.example.test", theirs).await.expect(200);
    browser.click(words::SAVE).await;
    browser
        .see("Somebody else changed these domains meanwhile", SHOWN_WITHIN)
        .await;
    browser.see("meanwhile: theirs.example.test", SHOWN_WITHIN).await;
    browser.look("domains-island-conflict").await;
    let said = browser.console().await;
    assert!(said.iter().all(|line| line.contains("409")), "{said:?}");
    assert_eq!(
        stored(api).await[1].2,
        "theirs.example.test",
        "nothing is overwritten unseen"
    );
    browser.click(words::SAVE).await;
    browser.see("b.example.test is saved.", SHOWN_WITHIN).await;
    let items = api.read("/apps/web/domains").await["items"].clone();
    let b = items
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["host"] == "b.example.test")
        .unwrap();
    assert_eq!(b["redirect_to"], "mine.example.test");
    assert_eq!(b["allow_ips"], json!(["10.0.0.0/8"]), "what only they changed stays");
}
