//! What the repository decides: which files a push changes, and whether it is older than one already asked for.

use serde_json::{Value, json};

use super::forge::{Push, Webhook, count, deployment};
use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::git_server::GitServer;
use crate::harness::wait::{eventually, seconds};

/// The id of the delivery that an answer names.
async fn deferred(hook: &Webhook, after: &str) -> i64 {
    let push = Push {
        after,
        ..Push::default()
    };
    let answer = hook.push(&push).await.expect(202);
    answer.json()["delivery"]
        .as_i64()
        .unwrap_or_else(|| panic!("no delivery in {answer}"))
}

async fn decided(api: &Api, id: i64) -> Value {
    eventually("the delivery is decided", seconds(60), || async {
        let delivery = api.read(&format!("/apps/web/deliveries/{id}")).await;
        if delivery["decision"].is_null() {
            Err(delivery.to_string())
        } else {
            Ok(delivery)
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn watched_paths_are_compared_with_what_is_live_and_an_older_push_does_not_go_back() {
    let mut dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let works = GitServer::start().await;
    let repository = works.repository("web");
    repository.write("docs/a.md", "a");
    let first = repository.commit_app("one");
    let project = api.create_project("shop").await;
    let source = json!({ "source": { "kind": "git", "url": repository.url, "branch": "main",
        "watch_paths": ["*.html", "lib/**"] } });
    api.create_app_with(&project, "web", &repository, source).await;
    let hook = Webhook::of(&api, "web").await;

    let none_live = decided(&api, deferred(&hook, &first).await).await;
    assert_eq!(none_live["decision"], "deploy", "{none_live:#}");
    api.succeeded(none_live["deployment"].as_i64().unwrap()).await;

    repository.write("docs/a.md", "b");
    let docs = repository.commit("Only words");
    let skipped = decided(&api, deferred(&hook, &docs).await).await;
    assert_eq!(skipped["decision"], "nothing_watched", "{skipped:#}");
    assert_eq!((skipped["deployment"].is_null(), count(&api, "web").await), (true, 1));

    // A kill while the repository is asked loses nothing.
    let second = repository.commit_app("two");
    works.hold("web");
    let asked = deferred(&hook, &second).await;
    works.waiting("web", 1, seconds(20)).await;
    dhow.kill().await;
    works.open("web");
    dhow.start_again().await;
    let watched = decided(&api, asked).await;
    assert_eq!(
        (watched["decision"].as_str(), watched["rule"].as_str()),
        (Some("deploy"), Some("watch path *.html"))
    );
    api.succeeded(watched["deployment"].as_i64().unwrap()).await;
    assert_eq!(dhow.visit("web.localhost", "/").await.expect(200).text(), "two");

    api.patch("/apps/web", json!({ "source": { "watch_paths": [] } }))
        .await
        .expect(200);
    an_older_push_is_superseded_and_a_forced_one_is_not(&dhow, &api, &hook, [&first, &second]).await;
    let third = repository.commit_app("three");
    let fourth = repository.commit_app("four");
    works.hold("web");
    let running = deployment(
        hook.push(&Push {
            after: &third,
            ..Push::default()
        })
        .await,
    );
    api.at_step(running, "fetch").await;
    let back = set_back_to_what_is_being_deployed(&api, &hook, [&third, &fourth]).await;
    works.open("web");
    // Whether it still went live depends on whether it had looked for newer ones before there were any.
    api.ended(running).await;
    api.succeeded(back).await;
    assert_eq!(dhow.visit("web.localhost", "/").await.expect(200).text(), "three");
}

/// The last word counts, not the deployment of the same commit that runs; answers the new one.
async fn set_back_to_what_is_being_deployed(api: &Api, hook: &Webhook, [third, fourth]: [&str; 2]) -> i64 {
    let onward = Push {
        before: third,
        after: fourth,
        ..Push::default()
    };
    let onward = deployment(hook.push(&onward).await);
    let back = Push {
        before: fourth,
        after: third,
        forced: true,
        ..Push::default()
    };
    let back = deployment(hook.push(&back).await);
    assert_eq!(api.deployment(onward).await["status"], "superseded");
    assert!(back > onward);
    back
}

async fn an_older_push_is_superseded_and_a_forced_one_is_not(
    dhow: &Dhow,
    api: &Api,
    hook: &Webhook,
    [first, second]: [&str; 2],
) {
    let older = Push {
        after: first,
        ..Push::default()
    };
    let late = deployment(hook.push(&older).await);
    let late = api.ended(late).await;
    assert_eq!(
        (late["status"].as_str(), late["error"].is_null()),
        (Some("superseded"), true),
        "{late:#}"
    );
    assert_eq!(dhow.visit("web.localhost", "/").await.expect(200).text(), "two");
    let log = api.log(late["id"].as_i64().unwrap()).await;
    assert!(log.contains(&second[..7]), "{log}");

    let forced = Push {
        forced: true,
        ..older.clone()
    };
    api.succeeded(deployment(hook.push(&forced).await)).await;
    assert_eq!(dhow.visit("web.localhost", "/").await.expect(200).text(), "one");
    let forward = Push {
        before: first,
        after: second,
        ..Push::default()
    };
    api.succeeded(deployment(hook.push(&forward).await)).await;
    assert_eq!(dhow.visit("web.localhost", "/").await.expect(200).text(), "two");
    // A forge that does not tell of forced pushes tells where the branch was before.
    let reset = Push {
        before: second,
        ..older
    };
    api.succeeded(deployment(hook.push(&reset).await)).await;
    assert_eq!(dhow.visit("web.localhost", "/").await.expect(200).text(), "one");
}
