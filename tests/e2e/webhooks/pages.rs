//! The pages that say how to set a webhook up, and why nothing was deployed.

use super::forge::{Push, Webhook, count, deployment, idle_app, ignored};
use crate::harness::browser::{Browser, SHOWN_WITHIN};
use crate::harness::dhow::Dhow;
use crate::harness::visitor::Visitor;

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_say_what_to_enter_what_arrived_and_why_and_handle_it_once_more() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    api.create_project("shop").await;
    let hook = idle_app(&api, "shop", "web").await;
    let browser = Browser::open().await;
    browser.sign_in(&dhow).await;
    browser.goto(&format!("{}/apps/web/webhook", dhow.url())).await;
    browser.see("Nothing has arrived yet", SHOWN_WITHIN).await;
    browser.click("GitHub").await;
    browser.see(&hook.secret, SHOWN_WITHIN).await;
    assert!(browser.sees(&hook.url).await);
    browser.look("webhook-empty").await;
    let old = hook.secret.clone();
    browser.click("Rotate the secret").await;
    browser.see("Enter the new one", SHOWN_WITHIN).await;
    let hook = Webhook::of(&api, "web").await;
    assert_ne!(hook.secret, old);

    ignored(
        hook.github(
            "ping",
            "p",
            r#"{"zen":"<b>ok</b>","hook":{"config":{"secret":"s3cr3t"}}}"#,
        )
        .await,
    );
    hook.send(&[("x-github-event", "push")], "{}").await.expect(401);
    let first = deployment(hook.push(&Push::default()).await);
    let tag = Push {
        git_ref: "refs/tags/v1",
        ..Push::default()
    };
    ignored(hook.push(&tag).await);
    api.ended(first).await;
    browser.click("Webhook").await;
    browser.see("Tag pushed", SHOWN_WITHIN).await;
    for (name, width) in [("360", 360), ("1280", 1280)] {
        browser.resize(width, 900).await;
        browser.goto(&format!("{}/apps/web/webhook", dhow.url())).await;
        browser.look(&format!("webhook-{name}")).await;
        browser.goto(&format!("{}/apps/web/deliveries", dhow.url())).await;
        browser.see("Refused", SHOWN_WITHIN).await;
        browser.look(&format!("deliveries-{name}")).await;
        browser.goto(&format!("{}/apps/web/deliveries/1", dhow.url())).await;
        browser.look(&format!("delivery-{name}")).await;
    }
    let page = browser.words().await;
    assert!(
        page.contains("<b>ok</b>") && page.contains("\"***\"") && !page.contains("s3cr3t"),
        "{page}"
    );

    browser.goto(&format!("{}/apps/web/deliveries/3", dhow.url())).await;
    browser.click("Replay").await;
    browser.see("Replay of", SHOWN_WITHIN).await;
    browser.look("delivery-replayed").await;
    assert_eq!(count(&api, "web").await, 2);
    browser.goto(&format!("{}/admin/deliveries", dhow.url())).await;
    browser.see("Tag pushed", SHOWN_WITHIN).await;
    browser.look("deliveries-all").await;
    browser.finish().await;
    in_the_dark(&dhow).await;
}

async fn in_the_dark(dhow: &Dhow) {
    let browser = Browser::open_as(Visitor {
        dark: true,
        ..Visitor::default()
    })
    .await;
    browser.sign_in(dhow).await;
    browser.resize(1280, 900).await;
    for (name, path) in [
        ("webhook", "webhook"),
        ("deliveries", "deliveries"),
        ("delivery", "deliveries/1"),
    ] {
        browser.goto(&format!("{}/apps/web/{path}", dhow.url())).await;
        browser.look(&format!("{name}-dark")).await;
    }
    browser.finish().await;
}
