//! What somebody changes is told afterwards: who, what, when and from where, never a secret.

use serde_json::{Value, json};

use crate::harness::dhow::{Dhow, OWNER, PASSWORD};
use crate::harness::panel::Panel;
use crate::two_factor::turn_on;

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
    row("env.change", "web: added KEY");
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

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_an_account_tells_who_and_from_where() {
    let mut dhow = Dhow::start().await;
    let link = dhow.claim_link().await;
    let path = link.strip_prefix(&dhow.url()).unwrap();
    let panel = Panel::stranger(&dhow.url());
    let form = panel.page(path).await.form(&["email", "password"]);
    let form = form.set("email", OWNER).set("password", PASSWORD);
    panel.submit(path, &form).await.expect(303);
    let api = dhow.api("admin").await;

    let form = panel.page("/account").await.form(&["name", "scope", "expires"]);
    panel.submit("/account", &form.set("name", "ci")).await.expect(200);
    let form = panel.page("/account").await.form_of_button("Revoke");
    panel.submit("/account", &form).await.expect(303);
    let _others = (dhow.panel().await, dhow.panel().await);
    let form = panel.page("/account").await.form_of_button("End");
    panel.submit("/account", &form).await.expect(303);
    let form = panel.page("/account").await.form_of_button("End all others");
    panel.submit("/account", &form).await.expect(303);
    let (_app, _step, codes) = turn_on(&panel).await;
    let new = "another long password";
    let form = panel.page("/account").await.form(&["password", "new_password"]);
    let form = form.set("password", PASSWORD).set("new_password", new);
    panel.submit("/account", &form).await.expect(303);
    let visitor = Panel::stranger(&dhow.url());
    let form = visitor.page("/login").await.form(&["email", "password"]);
    visitor
        .submit("/login", &form.set("email", OWNER).set("password", new))
        .await
        .expect(303);
    let form = visitor.page("/login/code").await.form(&["code"]);
    visitor
        .submit("/login/code", &form.set("code", &codes[0]))
        .await
        .expect(303);
    let form = panel.page("/account/two-factor").await.form(&["password", "code"]);
    let form = form.set("password", new).set("code", &codes[1]);
    panel.submit("/account/two-factor", &form).await.expect(303);
    let made = api
        .post("/invitations", json!({ "email": "ann@example.com" }))
        .await
        .expect(201)
        .json();
    let accepted = made["link"]
        .as_str()
        .unwrap()
        .strip_prefix(&dhow.url())
        .unwrap()
        .to_owned();
    let ann = Panel::stranger(&dhow.url());
    let form = ann.page(&accepted).await.form(&["password"]).set("password", PASSWORD);
    ann.submit(&accepted, &form).await.expect(303);
    let form = panel.page("/admin/users").await.form_of_button("Reset password");
    let page = panel.submit_and_follow("/admin/users", &form).await.html();
    let start = format!("{}/invitations/", dhow.url());
    let token: String = page
        .split(&start)
        .nth(1)
        .unwrap()
        .chars()
        .take_while(char::is_ascii_graphic)
        .collect();
    let reset = format!("/invitations/{}", token.split(['<', '"']).next().unwrap());
    let form = ann.page(&reset).await.form(&["password"]).set("password", new);
    ann.submit(&reset, &form).await.expect(303);
    let out = panel.page("/account").await.form_of_button("Sign out");
    panel.submit("/account", &out).await.expect(303);

    let all = api.read("/audit?limit=200").await;
    let items = all["items"].as_array().unwrap();
    for (action, user) in [
        ("user.claim", OWNER),
        ("token.create", OWNER),
        ("token.revoke", OWNER),
        ("session.begin", OWNER),
        ("session.end", OWNER),
        ("session.end_others", OWNER),
        ("user.change_password", OWNER),
        ("two_factor.begin", OWNER),
        ("two_factor.turn_on", OWNER),
        ("two_factor.use_recovery_code", OWNER),
        ("two_factor.turn_off", OWNER),
        ("invitation.make", OWNER),
        ("invitation.accept", "ann@example.com"),
        ("user.reset", OWNER),
        ("user.set_password", "ann@example.com"),
    ] {
        let rows: Vec<&Value> = items
            .iter()
            .filter(|row| row["action"] == action && row["actor"] != "dhow")
            .collect();
        assert!(!rows.is_empty(), "no {action} in {all:#}");
        for row in rows {
            assert_eq!(
                (&row["user"], &row["address"]),
                (&json!(user), &json!("127.0.0.1")),
                "{row}"
            );
        }
    }
    assert_eq!(
        items.iter().filter(|row| row["action"] == "session.end").count(),
        2,
        "{all:#}"
    );
    for secret in [PASSWORD, new, codes[0].as_str(), codes[1].as_str(), token.as_str()] {
        assert!(!all.to_string().contains(secret), "{secret}");
    }
}
