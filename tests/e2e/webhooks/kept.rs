//! What is kept of deliveries, and for how long; what an app has that was made before there were webhooks.

use rusqlite::Connection;
use serde_json::json;

use super::forge::{NONE, Push, Webhook, count, delivery_id, deployment, digits, idle_app, ignored};
use crate::harness::api::Api;
use crate::harness::dhow::Dhow;

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_kept_for_thirty_days_and_a_thousand_an_app_with_a_masked_payload() {
    let mut dhow = Dhow::start().await;
    let api = dhow.owner().await;
    api.create_project("shop").await;
    let hook = idle_app(&api, "shop", "web").await;
    a_start_makes_missing_webhooks_and_deletes_what_is_too_old(&mut dhow, &api, &hook).await;
    let hook = Webhook::of(&api, "web").await;
    a_large_payload_is_kept_in_part_and_without_secrets(&api, &hook).await;
    old_ones_and_too_many_go(&dhow, &hook).await;
    a_replay_follows_the_settings_of_now(&api, &hook).await;
}

async fn a_start_makes_missing_webhooks_and_deletes_what_is_too_old(dhow: &mut Dhow, api: &Api, old: &Webhook) {
    dhow.terminate().await;
    database(dhow).execute("DELETE FROM webhooks", []).unwrap();
    store_old(&database(dhow), 3, "valid", 31);
    dhow.start_again().await;
    assert_eq!(api.read("/apps/web/deliveries").await["items"], json!([]));
    let hook = Webhook::of(api, "web").await;
    assert!(hook.secret.starts_with("whsec_"), "{}", hook.secret);
    assert!(hook.secret != old.secret && hook.url != old.url, "another one");
    old.github("ping", "p", "{}").await.expect(401);
    ignored(hook.github("ping", "p", "{}").await);
}

/// Twice the limit of every other body, by a name that the panel does not answer to.
async fn a_large_payload_is_kept_in_part_and_without_secrets(api: &Api, hook: &Webhook) {
    let body = json!({ "hook": { "config": { "secret": "s3cr3t" } }, "note": hook.secret,
        "clone_url": "https://ada:pass@git.example.com/a.git", "zen": "z".repeat(2 << 20) });
    let body = body.to_string();
    let signature = format!("sha256={}", digits(hook.secret.as_bytes(), &body));
    let headers = [
        ("host", "hooks.example.com"),
        ("origin", "https://elsewhere.example.com"),
        ("x-github-event", "ping"),
        ("x-hub-signature-256", &signature),
    ];
    ignored(hook.send(&headers, &body).await);
    let newest = newest(api).await;
    let shown = api.read(&format!("/apps/web/deliveries/{newest}")).await;
    let payload = shown["payload"].as_str().unwrap();
    assert_eq!(payload.len(), 64 << 10);
    assert!(
        payload.contains(r#""secret":"***""#) && payload.contains("://***@git"),
        "masked"
    );
    for secret in ["s3cr3t", "ada:pass", hook.secret.as_str()] {
        assert!(!payload.contains(secret), "{secret} is shown");
    }
}

async fn old_ones_and_too_many_go(dhow: &Dhow, hook: &Webhook) {
    let database = database(dhow);
    let stored = |condition: &str| {
        let sql = format!("SELECT count(*) FROM deliveries WHERE {condition}");
        database.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    store_old(&database, 3, "valid", 31);
    store_old(&database, 2, "valid", 29);
    ignored(hook.github("ping", &delivery_id(), "{}").await);
    assert_eq!(stored("event = 'old'"), 2, "those of 31 days are gone");
    store_old(&database, 1100, "valid", 1);
    store_old(&database, 150, "wrong", 1);
    ignored(hook.github("ping", &delivery_id(), "{}").await);
    assert_eq!(stored("signature = 'wrong'"), 100, "strangers push nothing else out");
    assert!((900..=1000).contains(&stored("1")), "{} are kept", stored("1"));
    hook.send(&[], "{}").await.expect(401);
    assert_eq!((stored("signature <> 'valid'"), stored("event = 'ping'")), (100, 1));
}

async fn a_replay_follows_the_settings_of_now(api: &Api, hook: &Webhook) {
    let refused = newest(api).await;
    let replay = async |id: i64| {
        let path = format!("/apps/web/deliveries/{id}/replay");
        api.post(&path, json!({})).await
    };
    replay(refused).await.problem(409);
    let pushed = Push {
        git_ref: "refs/heads/next",
        ..Push::default()
    };
    ignored(hook.push(&pushed).await);
    let skipped = newest(api).await;
    let again = replay(skipped).await.expect(202).json();
    assert_eq!(
        (again["decision"].as_str(), again["replay_of"].as_i64()),
        (Some("other_branch"), Some(skipped))
    );
    api.patch("/apps/web", json!({ "source": { "branch": "next" } }))
        .await
        .expect(200);
    let again = replay(skipped).await.expect(202).json();
    assert_eq!(again["decision"], "deploy", "{again:#}");
    assert_eq!(count(api, "web").await, 1);
    let deleted = Push {
        git_ref: "refs/heads/next",
        after: NONE,
        messages: &[],
        ..Push::default()
    };
    ignored(hook.push(&deleted).await);
    let again = replay(newest(api).await).await.expect(202).json();
    assert_eq!(again["decision"], "branch_deleted", "{again:#}");
    // What was replayed does not make the forge's own second try another one.
    let (id, body) = (delivery_id(), pushed.payload());
    let first = deployment(hook.github("push", &id, &body).await);
    assert_eq!(deployment(hook.github("push", &id, &body).await), first);
}

async fn newest(api: &Api) -> i64 {
    let listed = api.read("/apps/web/deliveries?limit=1").await;
    listed["items"][0]["id"].as_i64().unwrap()
}

/// Stores deliveries of some days ago.
fn store_old(database: &Connection, how_many: i64, signature: &str, days: i64) {
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
         INSERT INTO deliveries (app_id, received_at, event, signature, is_forced, is_deferred, decision, payload) \
         SELECT (SELECT id FROM apps), (unixepoch() - ?3 * 86400) * 1000, 'old', ?2, 0, 0, 'ping', '' FROM n";
    database.execute(sql, (how_many, signature, days)).unwrap();
}

fn database(dhow: &Dhow) -> Connection {
    let database = Connection::open(dhow.data_file("dhow.db")).unwrap();
    database.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    database
}
