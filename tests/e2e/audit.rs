//! What somebody changes is told afterwards: who, what, when and from where, never a secret.

use serde_json::{Value, json};

use crate::harness::dhow::{Dhow, OWNER};

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_tells_who_did_what_from_where_and_can_be_filtered() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let panel = dhow.panel().await;
    let project = api.create_project("Shop").await;
    let app = json!({ "name": "Web", "source": { "kind": "push" } });
    api.post(&format!("/projects/{project}/apps"), app).await.expect(201);
    let secret = json!({ "vars": [{ "key": "KEY", "value": "tell-nobody", "secret": true }] });
    api.put("/apps/web/env", secret).await.expect(200);
    let new = panel.page("/projects/new").await.form(&["name"]).set("name", "By hand");
    panel.submit("/projects/new", &new).await.expect(303);

    let all = api.read("/audit").await;
    let items = all["items"].as_array().unwrap();
    let row = |action: &str, object: &str| {
        let fits = |row: &&Value| row["action"] == action && row["object"].as_str().unwrap().starts_with(object);
        items
            .iter()
            .find(fits)
            .unwrap_or_else(|| panic!("no {action} of {object} in {all:#}"))
    };
    let by_token = row("project.create", "shop");
    assert_eq!(
        (&by_token["user"], &by_token["address"]),
        (&json!(OWNER), &json!("127.0.0.1"))
    );
    assert!(by_token["actor"].as_str().unwrap().starts_with("token:"), "{by_token}");
    let by_hand = row("project.create", "by-hand");
    assert!(by_hand["actor"].as_str().unwrap().starts_with("user:"), "{by_hand}");
    assert_eq!(row("user.add", OWNER)["actor"], "dhow");
    assert_eq!(row("session.begin", OWNER)["address"], "127.0.0.1");
    row("env.change", "web: KEY");
    assert!(!all.to_string().contains("tell-nobody"));

    let count = async |query: &str| {
        api.read(&format!("/audit?{query}")).await["items"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(count("action=project.create").await, 2);
    assert_eq!(count("action=project").await, 2);
    assert_eq!(count("action=proj").await, 0);
    assert_eq!(count(&format!("user={OWNER}&action=app")).await, 1);
    assert_eq!(count("user=nobody@example.com").await, 0);
    assert_eq!(count("since=2999-01-01").await, 0);
    assert_eq!(count("until=2999-01-01").await, items.len());
    api.get("/audit?since=yesterday").await.refuses("since");
    let first = api.read("/audit?limit=2").await;
    let next = api
        .read(&format!("/audit?limit=2&cursor={}", first["next"].as_str().unwrap()))
        .await;
    assert_eq!(next["items"][0], items[2]);

    let page = panel.page("/admin/audit?action=project").await;
    let page = page
        .expect_words("by-hand")
        .expect_words("127.0.0.1")
        .expect_words("by token");
    assert!(!page.words().contains("env.change"), "{}", page.words());
    let refused = panel
        .get("/admin/audit?since=yesterday&user=ann")
        .await
        .expect(422)
        .text();
    assert!(refused.contains("value=\"yesterday\"") && refused.contains("value=\"ann\""));
}
