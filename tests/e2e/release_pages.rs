//! Releases, settings that are not live yet, stopping and starting, by the pages alone: what will happen is told before
//! it happens, and every button works without JavaScript.

use serde_json::{Value, json};

use crate::harness::api::Api;
use crate::harness::browser::{Browser, SHOWN_WITHIN};
use crate::harness::dhow::Dhow;
use crate::harness::docker::docker;
use crate::harness::gate::Gate;
use crate::harness::git_server::GitServer;
use crate::harness::panel::{Page, Panel};
use crate::harness::repository::Repository;
use crate::harness::visitor::Visitor;
use crate::harness::wait::{eventually, seconds};

/// A subject that a page must not take for markup.
const HOSTILE: &str = "<img src=x onerror=alert(1)>";

/// An instance with the app `web`, which is live as v1.
struct Web {
    dhow: Dhow,
    api: Api,
    panel: Panel,
    _git: GitServer,
    repository: Repository,
}

impl Web {
    async fn live() -> Self {
        let dhow = Dhow::start().await;
        let api = dhow.owner().await;
        let git = GitServer::start().await;
        let repository = git.repository("web");
        repository.write_app("one", "");
        repository.commit(HOSTILE);
        api.live_app("Shop", "web", &repository).await;
        let panel = dhow.panel().await;
        Self {
            dhow,
            api,
            panel,
            _git: git,
            repository,
        }
    }

    async fn second_release(&self) {
        self.repository.write_app("two", "");
        self.repository.commit("Second");
        self.api.succeeded(self.api.deploy("web").await).await;
    }

    async fn page(&self, path: &str) -> Page {
        self.panel.page(&format!("/apps/web{path}")).await
    }

    /// Presses the button with these words on a page; answers the page that it leads to.
    async fn press(&self, path: &str, button: &str) -> Page {
        let form = self.page(path).await.form_of_button(button);
        self.panel.submit_and_follow(&format!("/apps/web{path}"), &form).await
    }

    /// Waits for the good end of the deployment whose page this is.
    async fn ended_well(&self, page: &Page) -> Value {
        let number: i64 = page.path.rsplit('/').next().unwrap().parse().unwrap();
        let listed = self.api.read("/apps/web/deployments").await;
        let mut items = listed["items"].as_array().unwrap().iter();
        let id = items.find(|item| item["number"] == number).unwrap()["id"].as_i64();
        self.api.succeeded(id.unwrap()).await
    }

    async fn served(&self) -> String {
        self.dhow.visit("web.localhost", "/").await.expect(200).text()
    }

    async fn set(&self, vars: Value) {
        let body = json!({ "vars": vars });
        self.api.patch("/apps/web/env", body).await.expect(200);
    }

    /// A page costs ten kilobytes at most on the wire.
    async fn within_budget(&self, path: &str) {
        let headers = [("accept", "text/html"), ("accept-encoding", "br, gzip")];
        let answer = self.panel.send("GET", &format!("/apps/web{path}"), &headers, "").await;
        let size = answer.expect(200).body.len();
        println!("/apps/web{path}: {size} bytes");
        assert!((500..10 * 1024).contains(&size), "/apps/web{path}: {size} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_shows_its_difference_first_and_then_goes_back() {
    let web = Web::live().await;
    web.set(json!([
        { "key": "ADDED", "value": "visible-value" },
        { "key": "HUSH", "value": "secret-value", "secret": true },
    ]))
    .await;
    let start_command = "exec httpd -f -p $PORT -h /www # <script>alert(1)</script>";
    let settings = json!({ "build": { "start_command": start_command }, "stop_timeout_s": 3 });
    web.api.patch("/apps/web", settings).await.expect(200);
    web.second_release().await;
    let domain = json!({ "host": "shop.example.com", "tls": "off" });
    web.api.post("/apps/web/domains", domain).await.expect(201);

    let overview = web.page("").await;
    let list = web.panel.page(&overview.link("Releases")).await;
    assert!(!list.html().contains("<img"), "a subject is text");
    let list = list.expect_words("live").expect_words(HOSTILE);
    let links = crate::harness::form::links(&list.html());
    let ways_back = links.iter().filter(|(href, _)| href.contains("/rollback?"));
    assert_eq!(ways_back.count(), 1, "the live one has none: {links:?}");

    let page = web.panel.page(&list.link("Roll back to v1…")).await;
    let html = page.html();
    for unseen in ["visible-value", "secret-value", "<img", "<script>alert"] {
        assert!(!html.contains(unseen), "'{unseen}' is on the page");
    }
    let page = page
        .expect_words(&format!("Second {}", &sha(&web, 1).await[..7]))
        .expect_words(HOSTILE)
        .expect_words("Variable ADDED set not set")
        .expect_words("Variable HUSH set not set")
        .expect_words("Time to stop 3 s 10 s")
        .expect_words(start_command)
        .expect_words("shop.example.com stays")
        .expect_words("stay as typed")
        .expect_words("No build");
    let form = page.form(&["release"]);
    assert_eq!(form.buttons, ["Roll back to v1"]);

    let page = web.panel.submit_and_follow(&page.path, &form).await;
    web.ended_well(&page).await;
    let answer = web.dhow.visit("shop.example.com", "/").await.expect(200);
    assert_eq!(answer.text(), "one");
    let page = web.panel.page(&page.path).await.expect_words("rollback");
    assert_eq!(
        page.html().matches("not needed").count(),
        2,
        "neither fetched nor built"
    );
    assert!(
        page.words().contains("requests failed, switched in") || page.words().contains("Switched in"),
        "{}",
        page.words()
    );
    // What was typed stays, and is said to be not live.
    web.page("")
        .await
        .expect_words("Not live yet")
        .expect_words("Time to stop 10 s → 3 s");
    for path in [
        "",
        "/releases",
        "/rollback?release=2",
        "/env",
        "/settings",
        "/deployments/3",
    ] {
        web.within_budget(path).await;
    }
}

async fn sha(web: &Web, release: i64) -> String {
    let releases = web.api.read("/apps/web/releases").await;
    let mut items = releases["items"].as_array().unwrap().iter();
    let release = items.find(|item| item["number"] == release).unwrap();
    release["commit"]["sha"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_cannot_come_back_is_told_in_plain_words() {
    let web = Web::live().await;
    web.second_release().await;
    for (wanted, words) in [
        ("99", "There is no release v99"),
        ("x", "There is no release x"),
        ("", "No release was chosen"),
    ] {
        let path = format!("/apps/web/rollback?release={wanted}");
        let answer = web.panel.get(&path).await.expect(404);
        assert!(crate::harness::form::words(&answer.text()).contains(words), "{answer}");
    }
    web.page("/rollback?release=2").await.expect_words("v2 is live already");
    let form = web.page("/rollback?release=1").await.form(&["release"]);
    let live = form.clone().set("release", "2");
    let page = web.panel.submit_and_follow("/apps/web/rollback", &live).await;
    assert_eq!(page.path, "/apps/web");
    page.expect_words("v2 is live already");
    for unknown in ["99", "x", ""] {
        let form = form.clone().set("release", unknown);
        web.panel.submit("/apps/web/rollback", &form).await.expect(422);
    }

    let first = sha(&web, 1).await;
    let image = web.api.read("/apps/web/releases").await["items"][1]["image"].clone();
    docker(&["rmi", "--force", image.as_str().unwrap()]);
    // Pressed on a page that was opened before.
    let page = web.panel.submit_and_follow("/apps/web/rollback", &form).await;
    let failed = eventually("the rollback has failed", seconds(30), || async {
        let page = web.panel.page(&page.path).await;
        if page.words().contains("image_not_found") {
            Ok(page)
        } else {
            Err(page.words())
        }
    });
    let failed = failed.await.expect_words("v2 keeps serving");
    let button = format!("Deploy commit {}", &first[..7]);
    assert_eq!(failed.form_of_button(&button).value("commit"), Some(first.as_str()));
    assert!(!failed.words().contains("again…"), "{}", failed.words());

    let page = web.page("/rollback?release=1").await;
    let page = page.expect_words("The image of v1 is not on this server any more");
    let page = web
        .panel
        .submit_and_follow(&page.path, &page.form_of_button(&button))
        .await;
    web.ended_well(&page).await;
    assert_eq!(web.served().await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_live_yet_is_named_and_applied_by_a_button() {
    let web = Web::live().await;
    for path in ["", "/env", "/settings"] {
        assert!(!web.page(path).await.words().contains("Not live yet"), "{path}");
    }
    let form = web.page("/settings").await.form(&["port", "stop_timeout_s"]);
    assert_eq!(form.value("stop_timeout_s"), Some("10"));
    let form = form.set("stop_timeout_s", "4");
    web.panel
        .submit_and_follow("/apps/web/settings", &form)
        .await
        .expect_words("Saved.");
    web.set(json!([{ "key": "A", "value": "1" }])).await;
    for path in ["", "/env", "/settings"] {
        web.page(path)
            .await
            .expect_words("Not live yet Time to stop 10 s → 4 s , variable A (new)")
            .expect_words("Restarts the app without a gap, about");
    }
    let page = web.press("", "Apply now").await;
    let applied = web.ended_well(&page).await;
    assert_eq!(
        (&applied["trigger"], &applied["steps"][0]["step"]),
        (&json!("config"), &json!("start"))
    );
    web.panel.page(&page.path).await.expect_words("settings applied");
    assert!(!web.page("").await.words().contains("Not live yet"));

    // A variable of the build takes one, and is applied with the button beside Save.
    let form = web.page("/env").await.form(&["key", "value"]);
    let mut form = form
        .set_last("key", "STAGE")
        .set_last("value", "x")
        .set_last("scope", "build");
    form.fields.push(("apply".to_owned(), "now".to_owned()));
    let page = web.panel.submit_and_follow("/apps/web/env", &form).await;
    let built = web.ended_well(&page).await;
    assert!(built["steps"].to_string().contains("build"), "{built:#}");
    // Nothing is left to apply.
    let mut form = web.page("/settings").await.form(&["port"]);
    form.fields.push(("apply".to_owned(), "now".to_owned()));
    let page = web.panel.submit_and_follow("/apps/web/settings", &form).await;
    assert_eq!(page.path, "/apps/web/settings");
    page.expect_words("What is live has it already");
    web.set(json!([{ "key": "STAGE", "value": "y", "scope": "build" }]))
        .await;
    web.page("").await.expect_words("Needs a build");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_restarted_stopped_and_started_by_its_buttons() {
    let web = Web::live().await;
    let page = web.press("", "Restart").await.expect_words("restart");
    web.ended_well(&page).await;
    web.page("")
        .await
        .expect_words("Visitors get 404 until it is started; nothing is deleted");
    let stop = web.page("").await.form_of_button("Stop web");
    let page = web.panel.submit_and_follow("/apps/web", &stop).await;
    assert_eq!(page.path, "/apps/web");
    let page = page.expect_words("Stopped. Visitors get 404").expect_words("stopped");
    assert!(
        !page.html().contains("href=\"http://web.localhost"),
        "an address that answers 404 is no link"
    );
    let start = page.form_of_button("Start");
    assert!(page.html().contains(r#"<button class="button button-primary">Start"#));
    assert_eq!(page.html().matches("button-primary").count(), 1, "Deploy steps back");
    web.page("/rollback?release=1")
        .await
        .expect_words("v1 is what was stopped");
    web.page("/releases").await.expect_words("stopped");
    eventually("visitors get 404", seconds(20), || async {
        match web.dhow.visit("web.localhost", "/").await.status {
            404 => Ok(()),
            status => Err(status.to_string()),
        }
    })
    .await;
    web.within_budget("").await;
    let page = web.panel.submit_and_follow("/apps/web", &start).await;
    web.ended_well(&page).await;
    assert_eq!(web.served().await, "one");
    // Pressed once more on a page that is still open.
    let page = web.panel.submit_and_follow("/apps/web", &start).await;
    page.expect_words("The app is not stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn before_its_first_deployment_an_app_has_nothing_to_restart_or_to_roll_back_to() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("new");
    let project = api.create_project("Shop").await;
    api.create_app(&project, "web", &repository).await;
    let panel = dhow.panel().await;
    panel.page("/apps/web/releases").await.expect_words("No release yet");
    let form = panel.page("/apps/web/env").await.form(&["key", "value"]);
    let mut form = form.set_last("key", "A").set_last("value", "1");
    form.fields.push(("apply".to_owned(), "now".to_owned()));
    let page = panel.submit_and_follow("/apps/web/env", &form).await;
    let page = page.expect_words("Takes effect with the first deployment");
    assert!(!page.words().contains("Not live yet") && !page.words().contains("apply now"));
    let mut restart = form.clone();
    for call in ["apply", "restart", "start", "stop"] {
        restart.action = format!("/apps/web/{call}");
        let page = panel.submit_and_follow("/apps/web", &restart).await;
        page.expect_words("Nothing is live yet");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_deployment_says_what_stands_before_it() {
    let web = Web::live().await;
    let gate = Gate::start().await;
    web.repository.write_app("two", &gate.step("two"));
    web.repository.commit("Wait");
    web.api.deploy("web").await;
    gate.arrival("two", seconds(60)).await;
    web.press("", "Restart")
        .await
        .expect_words("Waits until deployment 2 of this app has ended");
    let other = web.api.create_app("shop", "other", &web.repository).await;
    web.api.deploy(&other).await;
    let page = web.panel.page("/apps/other/deployments/1").await;
    page.expect_words("Waits for its turn: one deployment of another app is before it");
    // An open page follows the queue, and tells how long the step that runs has taken.
    let browser = Browser::open().await;
    browser.sign_in(&web.dhow).await;
    let url = web.dhow.url();
    browser.goto(&format!("{url}/apps/web/deployments/2")).await;
    let time = "return document.querySelector('.step[data-state=current] .step-time')?.textContent ?? ''";
    let first = browser.script(time).await;
    eventually("the step's time grows", SHOWN_WITHIN, || async {
        let now = browser.script(time).await;
        if now == first || now == "" {
            Err(now.to_string())
        } else {
            Ok(())
        }
    })
    .await;
    browser.goto(&format!("{url}/apps/other/deployments/1")).await;
    browser.see("one deployment of another app", SHOWN_WITHIN).await;
    gate.open("two");
    browser.see("succeeded", seconds(90)).await;
    browser.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_saves_and_applies_with_and_without_javascript() {
    let web = Web::live().await;
    let url = web.dhow.url();
    for (javascript, number, key) in [(false, 2, "PLAIN"), (true, 3, "ISLAND")] {
        let browser = Browser::open_as(Visitor {
            javascript,
            width: 400,
            ..Visitor::default()
        })
        .await;
        browser.sign_in(&web.dhow).await;
        browser.goto(&format!("{url}/apps/web/env")).await;
        browser.fill_labelled(&format!("Key, row {}", number - 1), key).await;
        browser.fill_labelled(&format!("Value, row {}", number - 1), "1").await;
        browser.click("Save and apply now").await;
        let end = format!("/apps/web/deployments/{number}");
        browser.at("the deployment's page", |url| url.ends_with(&end)).await;
        browser.look(&format!("apply-{key}")).await;
        web.ended_well(&web.panel.page(&end).await).await;
        browser.goto(&format!("{url}/apps/web")).await;
        browser.click("Releases").await;
        browser.look(&format!("releases-{key}")).await;
        browser.click("Roll back to v1…").await;
        browser.see(key, SHOWN_WITHIN).await;
        browser.look(&format!("rollback-{key}")).await;
        browser.goto(&format!("{url}/apps/web")).await;
        browser.click("Stop…").await;
        browser.see("Visitors get 404 until it is started", SHOWN_WITHIN).await;
        browser.look(&format!("overview-{key}")).await;
        browser.finish().await;
    }
}
