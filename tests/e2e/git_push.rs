//! A developer deploys with `git push` to Dhow itself, the token as password.

use serde_json::json;

use crate::harness::dhow::Dhow;
use crate::harness::git_server::GitServer;
use crate::harness::leftovers::assert_nothing_left_over;
use crate::harness::pushing::{create_push_app, delete_branch, push};
use crate::harness::wait::{eventually, seconds};

#[tokio::test(flavor = "multi_thread")]
async fn a_push_deploys_the_pushed_commit_and_says_where_to_watch() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    create_push_app(&api, "pushed").await;
    let token = dhow.token("deploy").await;
    let works = GitServer::start().await;
    let repository = works.repository("work");

    for (number, page) in [(1, "pushed once"), (2, "pushed twice")] {
        let commit = repository.commit_app(page);
        let outcome = push(&dhow.url(), &repository, "pushed", &token, "main").await;
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let watch = format!("{}/apps/pushed/deployments/{number}", dhow.url());
        assert!(
            outcome.stderr.contains("remote:") && outcome.stderr.contains(&watch),
            "it says {watch}: {}",
            outcome.stderr
        );
        for line in ["remote: Commit ", "remote: Done."] {
            assert!(outcome.stderr.contains(line), "the log is streamed: {}", outcome.stderr);
        }
        let deployment = api.read("/apps/pushed/deployments").await["items"][0].clone();
        assert_eq!(
            (&deployment["trigger"], &deployment["status"]),
            (&json!("push"), &json!("succeeded"))
        );
        assert_eq!(deployment["commit"]["sha"], commit);
        assert_eq!(dhow.visit("pushed.localhost", "/").await.expect(200).text(), page);
    }

    repository.write("Dockerfile", "FROM busybox:1\nRUN echo it is broken && exit 3\n");
    let commit = repository.commit("Broken");
    for number in [3, 4] {
        let outcome = push(&dhow.url(), &repository, "pushed", &token, "main").await;
        assert_eq!(outcome.code, 1, "{}", outcome.stderr);
        let reason = format!("[remote rejected] HEAD -> main (deployment {number} failed: ");
        assert!(
            outcome.stderr.contains(&reason),
            "the same push is tried again: {}",
            outcome.stderr
        );
        assert!(outcome.stderr.contains("it is broken"), "{}", outcome.stderr);
        let deployment = api.read("/apps/pushed/deployments").await["items"][0].clone();
        assert_eq!(
            (&deployment["status"], &deployment["commit"]["sha"]),
            (&json!("failed"), &json!(commit))
        );
    }
    assert_eq!(
        dhow.visit("pushed.localhost", "/").await.expect(200).text(),
        "pushed twice"
    );
    let secrets = dhow.lines().text();
    assert!(!secrets.contains(&token), "the token is in Dhow's own log");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_push_names_the_deployed_branch_and_the_settings_change_it() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    create_push_app(&api, "pushed").await;
    let token = dhow.token("deploy").await;
    let panel = dhow.panel().await;
    let works = GitServer::start().await;
    let repository = works.repository("work");
    let push_to = async |branch: &str| push(&dhow.url(), &repository, "pushed", &token, branch).await;
    let shown = async || panel.page("/apps/pushed").await.html();
    assert!(
        shown().await.contains("HEAD:main"),
        "a proposal until something was pushed"
    );

    repository.commit_app("by trunk");
    assert_eq!(push_to("trunk/one").await.code, 0);
    assert_eq!(api.read("/apps/pushed").await["source"]["branch"], "trunk/one");
    assert!(shown().await.contains("HEAD:trunk/one"));

    let settings = panel.page("/apps/pushed/settings").await.form(&["branch"]);
    panel
        .submit_and_follow("/apps/pushed/settings", &settings.set("branch", "release"))
        .await
        .expect_words("Saved");
    repository.commit_app("by release");
    let stored = push_to("trunk/one").await;
    assert!(
        stored.code == 0 && stored.stderr.contains("Only pushes to release are deployed"),
        "it was never pushed, but it is the chosen one: {}",
        stored.stderr
    );
    assert_eq!(push_to("release").await.code, 0);
    assert_eq!(
        dhow.visit("pushed.localhost", "/").await.expect(200).text(),
        "by release"
    );

    let deleted = delete_branch(&dhow.url(), &repository, "pushed", &token, "release").await;
    assert!(
        deleted.code == 0 && deleted.stderr.contains("What runs stays as it is"),
        "{}",
        deleted.stderr
    );
    assert_eq!(
        dhow.visit("pushed.localhost", "/").await.expect(200).text(),
        "by release"
    );
    repository.commit_app("again");
    let again = push_to("release").await;
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(dhow.visit("pushed.localhost", "/").await.expect(200).text(), "again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_without_the_right_to_deploy_changes_nothing() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    create_push_app(&api, "pushed").await;
    let git_server = GitServer::start().await;
    let pulled = git_server.repository("pulled");
    pulled.commit_app("pulled");
    api.create_app("pushed", "pulled", &pulled).await;
    let (deploy, read) = (dhow.token("deploy").await, dhow.token("read").await);

    for (app, token) in [
        ("pushed", "dhow_wrong"),
        ("pushed", read.as_str()),
        ("nowhere", deploy.as_str()),
        ("pulled", deploy.as_str()),
        ("..%2f..%2fpushed", deploy.as_str()),
    ] {
        let outcome = push(&dhow.url(), &pulled, app, token, "main").await;
        assert_ne!(outcome.code, 0, "a push to {app}: {}", outcome.stderr);
    }
    let bare = dhow
        .http
        .send(
            "GET",
            &format!("{}/git/pushed.git/info/refs?service=git-receive-pack", dhow.url()),
            &[],
            "",
        )
        .await;
    assert!(
        bare.expect(401).header("www-authenticate").starts_with("Basic"),
        "git asks for the password then"
    );
    for app in ["pushed", "pulled"] {
        let deployments = api.read(&format!("/apps/{app}/deployments")).await;
        assert_eq!(deployments["items"], json!([]), "{app}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_was_stored_before_a_kill_is_deployed_at_the_next_start() {
    let mut dhow = Dhow::start().await;
    let api = dhow.owner().await;
    create_push_app(&api, "pushed").await;
    let token = dhow.token("deploy").await;
    let works = GitServer::start().await;
    let repository = works.repository("work");
    repository.commit_app("before");
    assert_eq!(push(&dhow.url(), &repository, "pushed", &token, "main").await.code, 0);
    let first = api.read("/apps/pushed/deployments").await["items"][0]["id"].as_i64();
    api.succeeded(first.unwrap()).await;

    // Killed when git had stored the branch and nobody had asked for its deployment. git will not send it again.
    dhow.kill().await;
    let commit = repository.commit_app("stored");
    let hosted = dhow.data_file("repos/1/pushed.git");
    repository.git(&["push", "--quiet", hosted.to_str().unwrap(), "HEAD:main"]);
    dhow.start_again().await;

    let deployments = eventually("a deployment is asked for", seconds(10), || async {
        let listed = api.read("/apps/pushed/deployments").await;
        let is_there = listed["items"].as_array().unwrap().len() == 2;
        if is_there {
            Ok(listed)
        } else {
            Err(format!("{listed:#}"))
        }
    })
    .await;
    let deployment = api.succeeded(deployments["items"][0]["id"].as_i64().unwrap()).await;
    assert_eq!(
        (&deployment["trigger"], &deployment["commit"]["sha"]),
        (&json!("push"), &json!(commit))
    );
    assert_eq!(dhow.visit("pushed.localhost", "/").await.expect(200).text(), "stored");

    dhow.kill().await;
    dhow.start_again().await;
    assert_nothing_left_over(&dhow, &api).await;
    let listed = api.read("/apps/pushed/deployments").await;
    assert_eq!(
        listed["items"].as_array().unwrap().len(),
        2,
        "it is asked for once: {listed:#}"
    );
}
