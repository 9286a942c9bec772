//! The strict content policy holds on every page, and no page asks for what it forbids.

use serde_json::json;

use crate::harness::browser::Browser;
use crate::harness::dhow::Dhow;

#[tokio::test(flavor = "multi_thread")]
async fn no_page_wants_what_the_policy_forbids() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let project = api.create_project("Shop").await;
    let app = json!({ "name": "Web", "source": { "kind": "push" } });
    api.post(&format!("/projects/{project}/apps"), app).await.expect(201);
    let browser = Browser::open().await;
    browser.sign_in(&dhow).await;
    for path in [
        "/",
        "/projects/new",
        "/projects/shop",
        "/projects/shop/members",
        "/apps/web",
        "/apps/web/deployments",
        "/apps/web/env",
        "/apps/web/domains",
        "/apps/web/settings",
        "/account",
        "/account/two-factor",
        "/admin/users",
        "/admin/audit",
    ] {
        browser.goto(&format!("{}{path}", dhow.url())).await;
        let complaints = browser.console().await;
        assert!(complaints.is_empty(), "{path}: {complaints:#?}");
    }
    // That the console would tell.
    for (attempt, directive) in [
        ("document.body.setAttribute('style', 'color: red')", "style-src"),
        (
            "document.body.append(Object.assign(document.createElement('script'), { textContent: 'go()' }))",
            "script-src",
        ),
        ("fetch('http://127.0.0.1:9/').catch(() => 0)", "connect-src"),
    ] {
        browser.script(attempt).await;
        let complaints = browser.console().await.concat();
        assert!(complaints.contains(directive), "{attempt}: {complaints}");
    }
    browser.finish().await;
}
