//! Private repositories: by SSH with a key that Dhow makes, and by a token, with submodules. No secret is seen again.

use std::process::Command;

use serde_json::json;

use crate::harness::browser::{Browser, SHOWN_WITHIN};
use crate::harness::dhow::Dhow;
use crate::harness::docker::{docker, inspect, labelled};
use crate::harness::free_port::free_port;
use crate::harness::git_server::GitServer;
use crate::harness::repository::Repository;
use crate::harness::ssh_server::SshServer;
use crate::harness::wait::seconds;
use crate::harness::words;

const TOKEN: &str = "TEST@TOKEN/123";

/// A picture of the page as each kind of visitor sees it.
async fn look(browser: &Browser, name: &str) {
    for (width, theme) in [(1280, "light"), (360, "dark")] {
        browser.resize(width, 900).await;
        browser.prefer(theme).await;
        browser.look(&format!("{name}-{width}-{theme}")).await;
    }
    browser.resize(1280, 900).await;
    browser.prefer("light").await;
}

/// Case git-ssh-url-forms.
#[tokio::test(flavor = "multi_thread")]
async fn git_ssh_url_forms_an_app_is_deployed_by_ssh_with_a_key_that_dhow_made() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let (git, server) = (GitServer::start().await, SshServer::start(free_port()));
    let path = server.repository("shop");
    let repository = git.repository("shop");
    repository.commit_app("by ssh");
    let to = path.display().to_string();
    repository.git(&["push", "--quiet", &to, "main", "main:feature/a"]);
    let project = api.create_project("Ssh").await;
    let browser = Browser::open().await;
    browser.sign_in(&dhow).await;

    // A port in the form that has none is refused with the one that has.
    browser
        .goto(&format!("{}/projects/{project}/apps/new", dhow.url()))
        .await;
    browser.fill("name", "shop").await;
    browser.fill("url", "git@git.example.com:2222/acme/web.git").await;
    browser.click(words::CREATE_APP).await;
    browser
        .see("ssh://git@git.example.com:2222/acme/web.git", SHOWN_WITHIN)
        .await;
    let complaints = browser.console().await;
    assert!(complaints.iter().all(|line| line.contains("422")), "{complaints:?}");
    browser.fill("url", &server.address(&path)).await;
    browser.click(words::CREATE_APP).await;
    browser.see("There is no key yet", SHOWN_WITHIN).await;
    look(&browser, "source-without-key").await;
    browser.click("Make a key").await;
    browser.see("A key was made", SHOWN_WITHIN).await;
    browser.click("Check access").await;
    browser.see("Authentication failed", SHOWN_WITHIN).await;

    // Case git-bad-credentials-fail-fast: the deployment fails in words, too.
    let credential = api.read("/apps/shop/credential").await;
    let failed = api.deploy("shop").await;
    let failed = api.failed(failed, "git_auth").await;
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(
        message.contains(credential["fingerprint"].as_str().unwrap()),
        "{message}"
    );

    server.admit(credential["public_key"].as_str().unwrap());
    browser.click("Check access").await;
    browser.see("The repository can be reached", SHOWN_WITHIN).await;
    browser.see(&server.fingerprint(), SHOWN_WITHIN).await;
    look(&browser, "source-reached").await;
    browser.click("Use this branch").await;
    browser.see("main is deployed from now on", SHOWN_WITHIN).await;
    let branches = api.post("/apps/shop/access-check", json!({})).await.expect(200).json();
    assert_eq!(
        branches,
        json!({ "default_branch": "main", "branches": ["feature/a", "main"] })
    );

    let deployment = api.deploy("shop").await;
    api.succeeded(deployment).await;
    assert_eq!(dhow.visit("shop.localhost", "/").await.expect(200).text(), "by ssh");
    browser.finish().await;
}

/// Arguments and environment of every process that runs.
fn processes() -> String {
    let listed = Command::new("ps").args(["axewww", "-o", "args"]).output().unwrap();
    String::from_utf8_lossy(&listed.stdout).into_owned()
}

/// Everything that Dhow keeps and shows has none of these texts.
async fn assert_never_seen(dhow: &Dhow, app: &str, deployment: i64, texts: &[&str]) {
    let api = dhow.api("admin").await;
    let panel = dhow.panel().await;
    let mut seen = vec![
        ("the API's app", api.get(&format!("/apps/{app}")).await.text()),
        (
            "the API's credential",
            api.get(&format!("/apps/{app}/credential")).await.text(),
        ),
        (
            "the deployment",
            api.get(&format!("/deployments/{deployment}")).await.text(),
        ),
        ("the log", api.log(deployment).await),
        ("Dhow's own log", format!("{:?}", dhow.lines().all())),
    ];
    for page in ["", "/source", "/settings", "/deployments/1"] {
        seen.push((page, panel.page(&format!("/apps/{app}{page}")).await.html()));
    }
    seen.push(("the processes", processes()));
    for image in labelled("image", &[&format!("dhow.instance={}", dhow.instance)]) {
        let history = docker(&["history", "--no-trunc", &image]);
        seen.push(("an image", format!("{history}{}", inspect("image", &image))));
    }
    for file in dhow.files().into_iter().filter(|file| file.is_file()) {
        let bytes = std::fs::read(&file).unwrap_or_default();
        seen.push((
            "a file",
            format!("{}: {}", file.display(), String::from_utf8_lossy(&bytes)),
        ));
    }
    for (what, text) in &seen {
        for secret in texts {
            assert!(!text.contains(secret), "{secret} is in {what}: {text:.200}");
        }
    }
}

/// Cases git-token-never-shown and git-submodules.
#[tokio::test(flavor = "multi_thread")]
async fn git_token_never_shown_a_typed_token_fetches_app_and_submodules_and_is_seen_nowhere() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::with_password("oauth2", TOKEN).await;
    let library = git.repository("lib");
    library.write("README", "library");
    let recorded = library.commit("Library");
    let repository = git.repository("web");
    repository.write(".gitmodules", "[submodule \"lib\"]\n\tpath = lib\n\turl = ../lib.git\n");
    std::fs::create_dir_all(repository.directory().join("lib")).unwrap();
    repository.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("160000,{recorded},lib"),
    ]);
    repository.write_app(
        "by token",
        "COPY . /files\nRUN test \"$(cat /files/lib/README)\" = library && test ! -e /files/.git\n\
         RUN test \"$(cat /files/large.bin)\" = large",
    );
    repository.write("large.bin", &git.lfs.put(b"large"));
    repository.commit("Serve by token");
    let project = api.create_project("Token").await;

    let with_token =
        |repository: &Repository, pair: &str| repository.url.replace("http://", &format!("http://{pair}@"));
    let typed = Repository::at(
        repository.directory(),
        repository.directory(),
        "web",
        with_token(&repository, "oauth2:TEST%40TOKEN%2F123"),
    );
    let app = api.create_app(&project, "web", &typed).await;
    let shown = api.read("/apps/web").await;
    assert_eq!(
        shown["source"]["url"], repository.url,
        "the address is kept without the token"
    );
    assert_eq!(api.read("/apps/web/credential").await["kind"], "token");
    git.hold("web");
    let deployment = api.deploy(&app).await;
    git.waiting("web", 1, seconds(20)).await;
    let while_fetching = processes();
    git.open("web");
    api.succeeded(deployment).await;
    assert_eq!(dhow.visit("web.localhost", "/").await.expect(200).text(), "by token");
    let log = api.log(deployment).await;
    assert!(log.contains("Fetching http://***@127.0.0.1"), "{log}");
    assert!(log.contains("Fetching the submodule lib from"), "{log}");
    let secrets = [TOKEN, "TEST%40TOKEN", "b2F1dGgyOlRFU1RAVE9LRU4vMTIz"];
    assert_never_seen(&dhow, &app, deployment, &secrets).await;
    assert!(while_fetching.contains("serve"), "Dhow is among the processes");
    assert!(!secrets.iter().any(|secret| while_fetching.contains(secret)));

    let browser = Browser::open().await;
    browser.sign_in(&dhow).await;
    browser.goto(&format!("{}/apps/web/source", dhow.url())).await;
    look(&browser, "source-with-token").await;
    browser.finish().await;

    // A wrong one, as the user name alone, for a repository that is not there.
    let wrong = repository
        .url
        .replace("http://", "http://WRONGTOKEN123@")
        .replace("/web.git", "/missing.git");
    let source = json!({ "source": { "url": wrong } });
    api.patch("/apps/web", source).await.expect(200);
    let failed = api.deploy(&app).await;
    let failed_deployment = api.failed(failed, "git_auth").await;
    assert!(
        failed_deployment["error"]["message"]
            .as_str()
            .unwrap()
            .contains("Authentication failed")
    );
    assert_never_seen(&dhow, &app, failed, &["WRONGTOKEN123"]).await;

    // What is refused is shown again without it, and whoever changes the server takes the token away.
    let panel = dhow.panel().await;
    let settings = panel.page("/apps/web/settings").await.form(&["url", "port"]);
    let bad = settings.set("url", "https://oauth2:WRONGTOKEN123@h.example/a?b");
    let again = panel.submit("/apps/web/settings", &bad).await.expect(422).text();
    assert!(!again.contains("WRONGTOKEN123") && again.contains("https://***@h.example/a?b"));
    let elsewhere = json!({ "source": { "url": "https://elsewhere.example/web.git" } });
    api.patch("/apps/web", elsewhere).await.expect(200);
    assert_eq!(api.read("/apps/web/credential").await["kind"], json!(null));
}
