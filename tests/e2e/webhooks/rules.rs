//! What deploys and what does not: pings, tags, other branches, deleted ones, marked commits, what comes twice.

use serde_json::json;

use super::forge::{NONE, Push, SOME, Webhook, count, delivery_id, deployment, digits, idle_app, ignored};
use crate::harness::dhow::Dhow;
use crate::harness::git_server::GitServer;

#[tokio::test(flavor = "multi_thread")]
async fn wh_github_ping_a_ping_and_unknown_events_are_answered_and_deploy_nothing() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    api.create_project("shop").await;
    let hook = idle_app(&api, "shop", "web").await;
    let body = r#"{"zen":"ok","hook_id":1,"repository":{"full_name":"acme/web"}}"#;
    assert!(ignored(hook.github("ping", "p1", body).await).contains("connected"));
    ignored(hook.github("star", "s1", r#"{"action":"created"}"#).await);
    let mut signature = digits(hook.secret.as_bytes(), body);
    let last = signature.pop().unwrap();
    signature.push(if last == '0' { '1' } else { '0' });
    let signature = format!("sha256={signature}");
    let headers = [("x-github-event", "ping"), ("x-hub-signature-256", signature.as_str())];
    hook.send(&headers, body).await.expect(401);
    assert_eq!(count(&api, "web").await, 0);
    let listed = api.read("/apps/web/deliveries").await;
    let decisions: Vec<&str> = (0..3)
        .map(|at| listed["items"][at]["decision"].as_str().unwrap())
        .collect();
    assert_eq!(decisions, ["refused", "other_event", "ping"], "{listed:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wh_branch_deleted_and_wh_tag_push_neither_tags_nor_other_or_deleted_branches_deploy() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    api.create_project("shop").await;
    let hook = idle_app(&api, "shop", "web").await;
    let push = |git_ref, after| Push {
        git_ref,
        after,
        messages: if after == NONE { &[] } else { &["A"] },
        ..Push::default()
    };
    let deleted = ignored(hook.push(&push("refs/heads/main", NONE)).await);
    assert!(deleted.to_lowercase().contains("branch deleted"), "{deleted}");
    let gitlab = json!({ "object_kind": "push", "ref": "refs/heads/main", "before": SOME, "after": NONE,
        "checkout_sha": null, "project": { "default_branch": "main" } });
    let token = [
        ("x-gitlab-event", "Push Hook"),
        ("x-gitlab-token", hook.secret.as_str()),
    ];
    assert_eq!(ignored(hook.send(&token, &gitlab.to_string()).await), deleted);

    assert!(ignored(hook.push(&push("refs/tags/main", SOME)).await).contains("Tag"));
    let tag = json!({ "object_kind": "tag_push", "ref": "refs/tags/main", "before": NONE, "after": SOME });
    let token = [
        ("x-gitlab-event", "Tag Push Hook"),
        ("x-gitlab-token", hook.secret.as_str()),
    ];
    assert!(ignored(hook.send(&token, &tag.to_string()).await).contains("Tag"));
    assert!(ignored(hook.push(&push("refs/heads/feature/main", SOME)).await).contains("feature/main"));
    api.patch("/apps/web", json!({ "auto_deploy": false }))
        .await
        .expect(200);
    assert!(ignored(hook.push(&push("refs/heads/main", SOME)).await).contains("off"));
    assert_eq!(count(&api, "web").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn wh_redelivery_is_idempotent_and_wh_two_apps_one_repository_each_app_deploys_once_by_its_own_secret() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    api.create_project("shop").await;
    let (web, backend) = (
        idle_app(&api, "shop", "web").await,
        idle_app(&api, "shop", "backend").await,
    );
    let (id, body) = (delivery_id(), Push::default().payload());
    let stranger = Webhook {
        secret: backend.secret.clone(),
        ..web.clone()
    };
    stranger.github("push", &id, &body).await.expect(401);
    let send = || backend.github("push", &id, &body);
    let (a, b, c, d, e) = tokio::join!(send(), send(), send(), send(), send());
    let first = deployment(a);
    for answer in [b, c, d, e] {
        assert_eq!(deployment(answer), first, "answered as the first time");
    }
    // Only while it is not done would any second request for the commit be part of it.
    api.ended(first).await;
    assert_eq!(deployment(send().await), first, "answered as the first time");
    assert_eq!((count(&api, "backend").await, count(&api, "web").await), (1, 0));
    let deliveries = api.read("/apps/backend/deliveries").await;
    assert_eq!(deliveries["items"].as_array().unwrap().len(), 1, "{deliveries:#}");
    // The same id to another app's webhook is another delivery.
    deployment(web.github("push", &id, &body).await);
    assert_eq!((count(&api, "backend").await, count(&api, "web").await), (1, 1));

    let database = rusqlite::Connection::open(dhow.data_file("dhow.db")).unwrap();
    database.execute_batch("ALTER TABLE deliveries RENAME TO away").unwrap();
    let (id, body) = (
        delivery_id(),
        Push {
            after: &"2".repeat(40),
            ..Push::default()
        }
        .payload(),
    );
    let failed = backend.github("push", &id, &body).await;
    database.execute_batch("ALTER TABLE away RENAME TO deliveries").unwrap();
    assert_eq!(failed.status, 500, "{failed}");
    let second = deployment(backend.github("push", &id, &body).await);
    assert!(second > first);
    assert_eq!(count(&api, "backend").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn wh_skip_ci_only_a_push_of_marked_commits_is_skipped_and_a_click_never_is() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let works = GitServer::start().await;
    let repository = works.repository("web");
    let first = repository.commit_app("one");
    let project = api.create_project("shop").await;
    api.create_app(&project, "web", &repository).await;
    let hook = Webhook::of(&api, "web").await;
    let push = |after, messages| Push {
        after,
        messages,
        ..Push::default()
    };
    let mixed = deployment(hook.push(&push(&first, &["fix: real change", "docs [skip ci]"])).await);
    api.succeeded(mixed).await;
    let second = repository.commit_app("two");
    let skipped = ignored(hook.push(&push(&second, &["docs [ci skip]"])).await);
    assert!(skipped.contains("[ci skip]"), "{skipped}");
    let listed = api.read("/apps/web/deliveries?limit=1").await;
    assert_eq!(listed["items"][0]["decision"], "skip_marker", "{listed:#}");
    let reset = Push {
        forced: true,
        ..push(&first, &[])
    };
    let reset = deployment(hook.push(&reset).await);
    api.succeeded(reset).await;
    let asked = api
        .post("/apps/web/deployments", json!({ "commit": second }))
        .await
        .expect(202);
    let clicked = api.succeeded(asked.json()["id"].as_i64().unwrap()).await;
    assert_eq!(clicked["commit"]["sha"], second);
    assert_eq!(dhow.visit("web.localhost", "/").await.expect(200).text(), "two");
}
