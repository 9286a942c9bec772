//! Making, changing and deleting an app by plain forms: what is refused is told and kept, what is accepted is stored.

use serde_json::json;

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::git_server::GitServer;
use crate::harness::panel::{Page, Panel};
use crate::harness::repository::Repository;
use crate::harness::words;

/// An instance with the project `shop` and the app `web`, which was never deployed.
async fn shop() -> (Dhow, Api, Panel, GitServer, Repository) {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    repository.commit_app("web");
    let project = api.create_project("Shop").await;
    api.create_app(&project, "web", &repository).await;
    let panel = dhow.panel().await;
    (dhow, api, panel, git, repository)
}

async fn refused(panel: &Panel, path: &str, form: &crate::harness::form::Form, status: u16) -> Page {
    let answer = panel.submit(path, form).await.expect(status);
    Page {
        path: path.to_owned(),
        answer,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn name_address_and_port_make_an_app_and_all_that_is_wrong_is_told_at_once() {
    let (_dhow, api, panel, _git, repository) = shop().await;
    let new = panel.page("/projects/shop").await.link(words::NEW_APP);
    let form = panel.page(&new).await.form(&["name", "url", "port"]);
    let wrong = form
        .clone()
        .set("url", "git@git.example.org:2222/acme/web.git")
        .set("port", "http")
        .set("memory_mb", "lots")
        .set("path", "up");
    let page = refused(&panel, &new, &wrong, 422).await;
    assert_eq!(page.html().matches("aria-invalid").count(), 5, "{}", page.html());
    assert!(page.html().contains("<title>Error: New app"));
    let page = page.expect_words("Five things to put right");
    let again = page.form(&["name", "url", "port"]);
    for field in ["url", "port", "memory_mb", "path"] {
        assert_eq!(again.value(field), wrong.value(field), "{field} is as it was typed");
    }
    let right = form.set("name", "My Shop").set("url", &repository.url);
    let page = panel.submit_and_follow(&new, &right).await;
    assert_eq!(page.path, "/apps/my-shop");
    page.expect_words("Ready for its first deployment");
    let app = api.read("/apps/my-shop").await;
    assert_eq!(
        (&app["auto_deploy"], &app["source"]["submodules"]),
        (&json!(true), &json!(true))
    );

    let pushed = panel
        .page(&new)
        .await
        .form(&["name"])
        .set("name", "Pushed")
        .set("kind", "push");
    panel
        .submit_and_follow(&new, &pushed)
        .await
        .expect_words("git push http");
    assert_eq!(api.read("/apps/pushed").await["source"]["kind"], "push");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_changed_as_a_whole_or_not_at_all() {
    let (_dhow, api, panel, _git, _repository) = shop().await;
    let before = api.read("/apps/web").await;
    let path = "/apps/web/settings";
    let form = panel.page(path).await.form(&["name", "port"]);
    panel.submit_and_follow(path, &form).await.expect_words("Saved");
    assert_eq!(
        api.read("/apps/web").await,
        before,
        "saving without an edit changes nothing"
    );

    let page = refused(&panel, path, &form.clone().set("name", "Other").set("port", "0"), 422).await;
    assert_eq!(page.form(&["name"]).value("name"), Some("Other"));
    assert_eq!(api.read("/apps/web").await, before);

    let changed = form
        .set("name", "Other")
        .set("port", "8080")
        .set("path", "/up")
        .set("cpus", "0.5");
    let page = panel.submit_and_follow(path, &changed).await;
    let app = api.read("/apps/web").await;
    assert_eq!((&app["name"], &app["port"]), (&json!("Other"), &json!(8080)));
    assert_eq!(
        (&app["health"]["path"], &app["resources"]["cpus"]),
        (&json!("/up"), &json!(0.5))
    );
    panel
        .submit_and_follow(path, &page.form(&["name", "path"]).set("path", ""))
        .await;
    assert_eq!(
        api.read("/apps/web").await["health"]["path"],
        json!(null),
        "an empty field is its default"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_deleted_only_by_its_typed_name() {
    let (_dhow, api, panel, _git, _repository) = shop().await;
    let path = "/apps/web/settings";
    let form = panel.page(path).await.form(&["confirm"]);
    for wrong in ["", "Web", "web2"] {
        let page = refused(&panel, path, &form.clone().set("confirm", wrong), 422).await;
        page.expect_words("nothing was saved");
    }
    assert_eq!(api.read("/apps/web").await["slug"], "web");
    let page = panel.submit_and_follow(path, &form.set("confirm", "web")).await;
    assert_eq!(page.path, "/projects/shop");
    page.expect_words("web was deleted");
    panel.get("/apps/web").await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_that_somebody_else_saved_are_not_overwritten_unseen() {
    let (_dhow, api, panel, _git, _repository) = shop().await;
    let path = "/apps/web/env";
    let set =
        json!({ "vars": [{ "key": "A", "value": "1\r\n2" }, { "key": "HUSH", "value": "hush", "secret": true }] });
    let before = api.put("/apps/web/env", set).await.expect(200).json();
    let form = panel.page(path).await.form(&["key", "value"]);
    panel.submit_and_follow(path, &form).await;
    let mut unchanged = api.read("/apps/web/env").await;
    unchanged["version"] = before["version"].clone();
    assert_eq!(
        unchanged, before,
        "saving without an edit changes no value, not even its line ends"
    );

    let mine = panel
        .page(path)
        .await
        .form(&["key", "value"])
        .set_last("key", "MINE")
        .set_last("value", "typed");
    let theirs = json!({ "vars": [{ "key": "THEIRS", "value": "3" }] });
    api.patch("/apps/web/env", theirs).await.expect(200);
    let page = refused(&panel, path, &mine, 409).await;
    assert!(
        page.html().contains("MINE") && page.html().contains("typed"),
        "what was typed is kept"
    );
    assert!(api.read("/apps/web/env").await.to_string().contains("THEIRS"));
    // Seen and meant: saved the second time.
    panel.submit_and_follow(path, &page.form(&["key", "value"])).await;
    let env = api.read("/apps/web/env").await.to_string();
    assert!(
        env.contains("MINE") && env.contains("HUSH") && !env.contains("THEIRS"),
        "{env}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_leads_back_to_the_first_deployment() {
    let (_dhow, api, panel, _git, _repository) = shop().await;
    // Each one takes the place of the one that waits, so this is quick.
    for _ in 0..60 {
        api.deploy("web").await;
    }
    let page = panel.page("/apps/web/deployments").await.expect_words("#60");
    assert_eq!(page.html().matches("class=\"row-link\"").count(), 50);
    let older = panel
        .page(&page.link("Older"))
        .await
        .expect_words("#10")
        .expect_words("#1");
    assert!(!older.words().contains("Older"), "there is nothing before the first");
    panel.page(&older.link("Newest")).await.expect_words("#60");
}
