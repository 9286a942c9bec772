//! Who is believed: only what was signed with the app's own secret, in each forge's way.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::forge::{Push, SOME, Webhook, count, delivery_id, deployment, digits, fixture, idle_app, ignored, tag};
use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::wait::seconds;

#[tokio::test(flavor = "multi_thread")]
async fn wh_no_secret_no_deploy_only_the_apps_own_signature_deploys_and_an_unknown_address_answers_the_same() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    api.create_project("shop").await;
    let hook = idle_app(&api, "shop", "web").await;
    let database = rusqlite::Connection::open(dhow.data_file("dhow.db")).unwrap();
    let sealed: i64 = database
        .query_row("SELECT length(sealed_secret) FROM webhooks", [], |row| row.get(0))
        .unwrap();
    assert!(
        sealed > 40 && hook.secret.starts_with("whsec_"),
        "{sealed} {}",
        hook.secret
    );

    let body = Push::default().payload();
    let right = digits(hook.secret.as_bytes(), &body);
    let other_digit = if right.starts_with('0') { "1" } else { "0" };
    let wrong = format!("sha256={other_digit}{}", &right[1..]);
    let unknown = Webhook {
        url: format!("{}/webhooks/{}", dhow.url(), "A".repeat(43)),
        ..hook.clone()
    };
    let refused = hook.send(&[("x-github-event", "push")], &body).await.expect(401).text();
    for headers in [
        &[("x-github-event", "push")][..],
        &[("x-gitlab-event", "Push Hook"), ("x-gitlab-token", "")],
        &[("x-github-event", "push"), ("x-hub-signature-256", "sha256=")],
        &[
            ("x-github-event", "push"),
            ("x-hub-signature", "sha1=0123456789012345678901234567890123456789"),
        ],
        &[("x-github-event", "push"), ("x-hub-signature-256", &wrong)],
        &[],
    ] {
        for hook in [&hook, &unknown] {
            assert_eq!(
                hook.send(headers, &body).await.expect(401).text(),
                refused,
                "{headers:?}"
            );
        }
    }
    let large = "x".repeat((5 << 20) + 1);
    hook.send(&[("x-github-event", "push")], &large).await.expect(413);
    unknown.github("push", "a", &body).await.expect(401);
    assert_eq!(dhow.http.send("GET", &hook.url, &[], "").await.status, 405);
    assert_eq!(count(&api, "web").await, 0);

    let upper = format!("sha256={}", right.to_uppercase());
    deployment(
        hook.send(&[("x-github-event", "push"), ("x-hub-signature-256", &upper)], &body)
            .await,
    );
    assert_eq!(count(&api, "web").await, 1);
    every_forge_is_understood(&api, &hook).await;
    a_rotated_secret_is_another_one(&dhow, &api, &hook).await;
}

async fn every_forge_is_understood(api: &Api, hook: &Webhook) {
    let secret = hook.secret.as_bytes();
    let read = |name: &str, digit: &str| fixture(name, SOME, &digit.repeat(40));
    let body = read("gitlab-push.json", "2");
    let gitlab = [
        ("x-gitlab-event", "Push Hook"),
        ("x-gitlab-token", hook.secret.as_str()),
    ];
    deployment(hook.send(&gitlab, &body).await);
    let body = read("gitlab-push.json", "3");
    let key = STANDARD.decode(&hook.secret["whsec_".len()..]).unwrap();
    let signature = format!("v1,{}", STANDARD.encode(tag(&key, &format!("msg_1.1767225600.{body}"))));
    let standard = |id| {
        [
            ("x-gitlab-event", "Push Hook"),
            ("webhook-id", id),
            ("webhook-timestamp", "1767225600"),
            ("webhook-signature", &signature),
        ]
    };
    hook.send(&standard("msg_2"), &body).await.expect(401);
    deployment(hook.send(&standard("msg_1"), &body).await);
    let body = read("gitea-push.json", "4");
    let gitea = [("x-gitea-event", "push"), ("x-gitea-signature", &digits(secret, &body))];
    deployment(hook.send(&gitea, &body).await);
    let body = read("bitbucket-push.json", "5");
    let signature = format!("sha256={}", digits(secret, &body));
    deployment(
        hook.send(&[("x-event-key", "repo:push"), ("x-hub-signature", &signature)], &body)
            .await,
    );
    let payload = read("github-push.json", "6");
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("payload", &payload)
        .finish();
    let signature = format!("sha256={}", digits(secret, &body));
    let form = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-github-event", "push"),
        ("x-hub-signature-256", &signature),
    ];
    let last = deployment(hook.send(&form, &body).await);
    let shown = api.deployment(last).await;
    assert_eq!(shown["trigger"], "webhook", "{shown:#}");
    assert_eq!(shown["commit"]["message"], "Serve a new page", "{shown:#}");
    assert_eq!(shown["commit"]["author"], "Ada", "{shown:#}");
    assert_eq!(shown["commit"]["sha"], "6".repeat(40), "{shown:#}");
    hook.github("push", &delivery_id(), "{").await.expect(400);
    let deliveries = api.read("/apps/web/deliveries?limit=200").await;
    let forges: Vec<&str> = deliveries["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["forge"].as_str())
        .collect();
    for forge in ["github", "gitlab", "gitea", "bitbucket"] {
        assert!(forges.contains(&forge), "{forges:?}");
    }
    let audit = api.read("/audit?action=deployment.request").await;
    assert!(
        audit["items"][0]["actor"].as_str().unwrap().starts_with("webhook:"),
        "{audit:#}"
    );
}

async fn a_rotated_secret_is_another_one(dhow: &Dhow, api: &Api, hook: &Webhook) {
    let reader = dhow.api("deploy").await;
    assert!(reader.read("/apps/web/webhook").await["secret"].is_null());
    reader.post("/apps/web/webhook/rotate", json!({})).await.problem(403);
    let rotated = api.post("/apps/web/webhook/rotate", json!({})).await.expect(200).json();
    assert_ne!(rotated["secret"], hook.secret, "{rotated:#}");
    assert_eq!(rotated["url"], hook.url);
    hook.github("ping", "p", "{}").await.expect(401);
    ignored(Webhook::of(api, "web").await.github("ping", "p", "{}").await);
    let stored = std::fs::read(dhow.data_file("dhow.db")).unwrap();
    let secret = hook.secret.as_bytes();
    assert!(
        !stored.windows(secret.len()).any(|part| part == secret),
        "the secret is sealed"
    );
}

/// Who knows the address need not know the secret to keep a connection busy.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    api.create_project("shop").await;
    let hook = idle_app(&api, "shop", "web").await;
    let panel = dhow.url();
    let (host, path) = (panel.trim_start_matches("http://"), hook.url.trim_start_matches(&panel));
    let mut connections = Vec::new();
    for _ in 0..40 {
        let mut connection = TcpStream::connect(host).await.unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\n{{");
        connection.write_all(head.as_bytes()).await.unwrap();
        connections.push(connection);
    }
    for mut connection in connections {
        let mut answer = [0; 12];
        tokio::time::timeout(seconds(30), connection.read_exact(&mut answer))
            .await
            .expect("an answer in time")
            .unwrap();
        assert_eq!(&answer, b"HTTP/1.1 408");
    }
    ignored(hook.github("ping", &delivery_id(), "{}").await);
}
