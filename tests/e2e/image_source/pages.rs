//! The pages of an app that runs a ready image, with JavaScript and without.

use serde_json::json;

use super::{create, deploy, page};
use crate::harness::browser::{Browser, SHOWN_WITHIN};
use crate::harness::dhow::Dhow;
use crate::harness::registry::{PASSWORD, Registry, USER};
use crate::harness::visitor::Visitor;
use crate::harness::wait::seconds;
use crate::harness::words;
use crate::journey;

/// A picture of the page as each kind of visitor sees it.
async fn look(browser: &Browser, name: &str) {
    for (width, theme) in [(1280, "light"), (360, "dark"), (360, "light"), (1280, "dark")] {
        browser.resize(width, 900).await;
        browser.prefer(theme).await;
        browser.look(&format!("{name}-{width}-{theme}")).await;
    }
    browser.resize(1280, 900).await;
    browser.prefer("light").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_image_is_deployed_by_clicking() {
    let open = Registry::start().await;
    let locked = open.with_password().await;
    let dhow = Dhow::start().await;
    dhow.add_owner().await;
    open.push("team/web:1", "by clicking");
    let browser = Browser::open().await;
    browser.sign_in(&dhow).await;
    journey::create_project(&browser, "Images").await;
    browser.click(words::NEW_APP).await;
    browser.fill("name", "web").await;
    browser.choose("kind", "image").await;
    browser.fill("image", &locked.image("team/web:1")).await;
    look(&browser, "image-new").await;
    browser.click(words::CREATE_APP).await;
    browser.see("Dhow pulls", SHOWN_WITHIN).await;
    assert!(!browser.sees("Webhook").await, "no forge tells of it");
    look(&browser, "image-overview-new").await;

    browser.goto(&format!("{}/apps/web/source", dhow.url())).await;
    browser.click("Check access").await;
    browser.see("to nobody without a password", SHOWN_WITHIN).await;
    look(&browser, "image-source-refused").await;
    browser.fill("username", USER).await;
    browser.fill("token", PASSWORD).await;
    browser.click("Store password").await;
    browser.see("The password is stored", SHOWN_WITHIN).await;
    browser.click("Check access").await;
    browser.see("The image can be pulled", SHOWN_WITHIN).await;
    look(&browser, "image-source").await;
    browser.click(words::DEPLOY).await;
    browser.see("succeeded", seconds(60)).await;
    browser.see("team/web:1", SHOWN_WITHIN).await;
    look(&browser, "image-deployment").await;
    assert_eq!(page(&dhow, "web").await, "by clicking");
    browser.goto(&format!("{}/apps/web", dhow.url())).await;
    look(&browser, "image-overview").await;
    browser.goto(&format!("{}/apps/web/settings", dhow.url())).await;
    look(&browser, "image-settings").await;
    browser.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_deployed_and_rolled_back_with_javascript_switched_off() {
    let registry = Registry::start().await;
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let first = registry.push("web:1", "one");
    registry.push("web:2", "two");
    let browser = Browser::open_as(Visitor {
        javascript: false,
        width: 400,
        ..Visitor::default()
    })
    .await;
    browser.sign_in(&dhow).await;
    journey::create_project(&browser, "Plain").await;
    browser.click(words::NEW_APP).await;
    browser.fill("name", "web").await;
    browser.choose("kind", "image").await;
    browser.fill("image", "UPPER").await;
    browser.click(words::CREATE_APP).await;
    browser.see("has no capital letters", SHOWN_WITHIN).await;
    let complaints = browser.console().await;
    assert!(complaints.iter().all(|line| line.contains("422")), "{complaints:?}");
    browser.fill("image", &registry.image("web:1")).await;
    browser.click(words::CREATE_APP).await;
    browser.see("Dhow pulls", SHOWN_WITHIN).await;
    journey::deploy(&browser, "web").await;
    browser.reload_until("succeeded", seconds(60)).await;
    assert_eq!(page(&dhow, "web").await, "one");

    browser.goto(&format!("{}/apps/web/settings", dhow.url())).await;
    browser.fill("image", &registry.image("web:2")).await;
    browser.click("Save settings").await;
    browser
        .see("Pulls the image, then takes over without a gap", SHOWN_WITHIN)
        .await;
    browser.look("image-pending").await;
    browser.click("Apply now").await;
    browser.reload_until("succeeded", seconds(60)).await;
    assert_eq!(page(&dhow, "web").await, "two");
    browser
        .goto(&format!("{}/apps/web/rollback?release=1", dhow.url()))
        .await;
    browser.see(&first["sha256:".len()..][..12], SHOWN_WITHIN).await;
    browser.see("Nothing is pulled", SHOWN_WITHIN).await;
    look(&browser, "image-rollback").await;
    browser.click("Roll back to v1").await;
    browser.reload_until("succeeded", seconds(60)).await;
    assert_eq!(page(&dhow, "web").await, "one");
    browser.goto(&format!("{}/apps/web/releases", dhow.url())).await;
    look(&browser, "image-releases").await;
    assert_eq!(
        api.read("/apps/web").await["source"]["image"],
        registry.image("web:2"),
        "settings stay as typed"
    );
    browser.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_repositories_have_is_told_of_an_image_in_a_sentence() {
    let registry = Registry::start().await;
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let panel = dhow.panel().await;
    let project = api.create_project("Images").await;
    registry.push("web:1", "one");
    let app = create(&api, &project, "web", &registry.image("web:1")).await;
    deploy(&api, &app).await;
    panel
        .page("/apps/web/webhook")
        .await
        .expect_words("No webhook for a ready image");
    let remote = dhow.url().replacen("://", &format!("://any:{}@", api.token), 1) + "/git/web.git";
    let pushed = std::process::Command::new("git")
        .args(["ls-remote", &remote])
        .output()
        .unwrap();
    assert!(!pushed.status.success(), "{pushed:?}");

    // It becomes an app of a repository by the form, and an image again.
    let form = panel.page("/apps/web/settings").await.form(&["image", "url"]);
    let as_git = form
        .clone()
        .set("kind", "git")
        .set("url", "https://git.example.com/web.git");
    panel
        .submit_and_follow("/apps/web/settings", &as_git)
        .await
        .expect_words("Saved");
    assert_eq!(api.read("/apps/web").await["source"]["kind"], "git");
    let form = panel.page("/apps/web/settings").await.form(&["image", "url"]);
    let as_image = form.set("kind", "image").set("image", &registry.image("web:1"));
    panel
        .submit_and_follow("/apps/web/settings", &as_image)
        .await
        .expect_words("Saved");
    assert_eq!(
        api.read("/apps/web").await["source"]["image"],
        json!(registry.image("web:1"))
    );
    deploy(&api, &app).await;
    assert_eq!(page(&dhow, "web").await, "one");
}
