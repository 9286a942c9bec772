//! An image is built again when something that its build can see has changed, and only then.

use serde_json::json;

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::docker::{docker, inspect};
use crate::harness::git_server::GitServer;
use crate::harness::registry::Registry;

async fn deployed(api: &Api) -> String {
    let id = api.deploy("web").await;
    api.succeeded(id).await;
    api.log(id).await
}

fn image_of(dhow: &Dhow) -> String {
    let image = &inspect("container", &dhow.containers_of("web")[0])["Image"];
    image.as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_build_can_see_makes_another_image() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    let base = format!("{}-base:1", dhow.instance);
    docker(&["tag", "busybox:1", &base]);
    let dockerfile = format!(
        "FROM {base}\nWORKDIR /www\nCOPY page index.html\nCMD [\"sh\", \"-c\", \"exec httpd -f -p $PORT -h /www\"]\n"
    );
    repository.write("app/Dockerfile", &dockerfile);
    repository.write("app/page", "first");
    repository.write("notes.txt", "one");
    repository.commit("First");
    let project = api.create_project("web").await;
    let within = json!({ "source": { "kind": "git", "url": repository.url, "root_dir": "app" } });
    api.create_app_with(&project, "web", &repository, within).await;
    assert!(deployed(&api).await.contains("==> build"));
    let first = image_of(&dhow);

    repository.write("notes.txt", "two");
    let second = repository.commit("Notes that the build cannot see");
    let log = deployed(&api).await;
    assert!(!log.contains("==> build"), "{log}");
    assert!(log.contains("v1 was made of the same files and settings"), "{log}");
    assert_eq!(image_of(&dhow), first);
    let env = inspect("container", &dhow.containers_of("web")[0])["Config"]["Env"].to_string();
    assert!(
        env.contains(&format!("DHOW_COMMIT={second}")),
        "the commit is the new one: {env}"
    );

    repository.write("app/page", "second");
    repository.commit("Another page");
    assert!(deployed(&api).await.contains("==> build"));
    assert_ne!(image_of(&dhow), first);
    assert!(!deployed(&api).await.contains("==> build"));

    // The base image has become another one under the same name.
    let made = docker(&["create", "busybox:1", "true"]);
    docker(&["commit", "--change", "LABEL newer=1", made.trim(), &base]);
    docker(&["rm", made.trim()]);
    let log = deployed(&api).await;
    assert!(log.contains("==> build"), "{log}");
    assert!(
        inspect("image", &image_of(&dhow))
            .to_string()
            .contains("\"newer\":\"1\"")
    );
    assert!(!deployed(&api).await.contains("==> build"));
    docker(&["rmi", &base]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_says_beforehand_whether_it_takes_a_restart_or_a_build_and_how_long() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    repository.commit_app("web");
    api.live_app("web", "web", &repository).await;
    let panel = dhow.panel().await;
    api.patch("/apps/web", json!({ "health": { "path": "/" } }))
        .await
        .expect(200);
    panel
        .page("/apps/web")
        .await
        .expect_words("Restarts the app without a gap, about");
    api.patch("/apps/web", json!({ "build": { "target": "0" } }))
        .await
        .expect(200);
    panel.page("/apps/web").await.expect_words("Needs a build, last time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_from_scratch_begins_with_the_newest_base_image() {
    let registry = Registry::start().await;
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    registry.push("team/base:1", "one");
    let base = registry.image("team/base:1");
    repository.write("Dockerfile", &format!("FROM {base}\nENV MADE=1\n"));
    repository.commit("First");
    api.live_app("web", "web", &repository).await;
    let page = || async { dhow.visit("web.localhost", "/").await.expect(200).text() };
    assert_eq!(page().await, "one");

    registry.push("team/base:1", "two");
    assert!(!deployed(&api).await.contains("==> build"));
    assert_eq!(page().await, "one", "nobody asks for a newer one unless told to");
    let panel = dhow.panel().await;
    let button = panel.page("/apps/web/plan").await.form_of_button("Build from scratch");
    panel.submit("/apps/web/deployments", &button).await.expect(303);
    let newest = api.read("/apps/web/deployments").await["items"][0]["id"]
        .as_i64()
        .unwrap();
    api.succeeded(newest).await;
    assert_eq!(page().await, "two");
    let both = json!({ "commit": "0123456789", "fresh": true });
    api.post("/apps/web/deployments", both).await.expect(422);
}
