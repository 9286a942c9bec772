//! From bare source to a small image: what is in a repository without a Dockerfile is recognised, built with what it
//! needs really installed, and served as somebody would have it who wrote the Dockerfile by hand.

use serde_json::{Value, json};

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::git_server::GitServer;
use crate::harness::http::Answer;
use crate::harness::repository::Repository;
use crate::harness::setup::Setup;
use crate::harness::small_image::is_small_and_safe;

async fn with_owner() -> (Dhow, Api, GitServer) {
    let dhow = Setup::new().with_machines_authorities().start().await;
    let api = dhow.owner().await;
    (dhow, api, GitServer::start().await)
}

/// Commits the repository, beside it what belongs in no image, and deploys it; answers the log.
async fn deployed(api: &Api, name: &str, repository: &Repository, build: Value) -> String {
    repository.write(".env.local", "TOKEN=never-in-an-image\n");
    repository.commit("Begin");
    let project = api.create_project(name).await;
    api.create_app_with(&project, name, repository, json!({ "build": build }))
        .await;
    let id = api.deploy(name).await;
    api.succeeded(id).await;
    api.log(id).await
}

fn auto() -> Value {
    json!({ "builder": "auto" })
}

/// What the log tells before the build: the files that led to the plan, and the Dockerfile that came of it.
#[track_caller]
fn is_told(log: &str, parts: &[&str]) {
    let missing: Vec<&&str> = parts.iter().filter(|part| !log.contains(**part)).collect();
    assert!(missing.is_empty(), "{missing:?} not in the log:\n{log}");
}

async fn ask(dhow: &Dhow, app: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let host = format!("{app}.localhost");
    let headers = [&[("host", host.as_str())], headers].concat();
    dhow.http.send("GET", &dhow.app_url(path), &headers, "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_app_is_served_by_a_real_server_with_what_it_requires() {
    let (dhow, api, git) = with_owner().await;
    let repository = git.repository("flask");
    repository.write_sample("flask");
    let log = deployed(&api, "flask", &repository, auto()).await;

    is_told(
        &log,
        &["requirements.txt", ".python-version", "FROM python:3.11", "gunicorn"],
    );
    let page = ask(&dhow, "flask", "/", &[]).await.expect(200);
    assert!(page.text().starts_with("Flask serves, as user "), "{page}");
    assert!(!page.text().ends_with("user 0"), "{page}");
    assert!(
        page.header("server").contains("gunicorn"),
        "not Flask's own for development: {page}"
    );
    is_small_and_safe(&dhow, "flask", &["gcc", "git"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_go_program_is_an_image_of_little_more_than_the_program() {
    let (dhow, api, git) = with_owner().await;
    let repository = git.repository("pages");
    repository.write_sample("go");
    let log = deployed(&api, "pages", &repository, auto()).await;

    is_told(&log, &["go.mod", "FROM golang:1.25", "go build"]);
    let page = ask(&dhow, "pages", "/some/page", &[]).await.expect(200);
    assert_eq!(page.text(), "Go serves /some/page");
    let bytes = is_small_and_safe(&dhow, "pages", &["go", "gcc", "git"]);
    println!("the Go program's image: {bytes} bytes");
    assert!(bytes < 40_000_000, "{bytes} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vite_site_is_built_and_served_with_its_hashed_files_kept_for_ever() {
    let (dhow, api, git) = with_owner().await;
    let repository = git.repository("vite");
    repository.write_sample("vite");
    let log = deployed(&api, "vite", &repository, auto()).await;

    is_told(
        &log,
        &["package-lock.json", "vite", "npm ci", "npm run build", "FROM nginx:"],
    );
    let index = ask(&dhow, "vite", "/", &[]).await.expect(200);
    let script = index
        .text()
        .split('"')
        .find(|part| part.ends_with(".js"))
        .unwrap_or_default()
        .to_owned();
    assert!(script.starts_with("/assets/index-"), "{index}");
    let file = ask(&dhow, "vite", &script, &[]).await.expect(200);
    assert!(file.text().contains("Place "), "{file}");
    let kept = file.header("cache-control");
    assert!(
        kept.contains("immutable") && kept.contains("max-age=31536000"),
        "{file}"
    );
    let asked_again = index.header("cache-control");
    assert!(
        asked_again.contains("no-cache") || asked_again.contains("max-age=0"),
        "{index}"
    );
    // The pages of a program in the browser are all its first one; a file that is missing is missing.
    let deep = ask(&dhow, "vite", "/somewhere/deep", &[("accept", "text/html")])
        .await
        .expect(200);
    assert_eq!(deep.text(), index.text());
    ask(&dhow, "vite", "/assets/index-gone.js", &[]).await.expect(404);
    is_small_and_safe(&dhow, "vite", &["node", "npm", "git"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_site_is_served_as_its_files_say() {
    let (dhow, api, git) = with_owner().await;
    let repository = git.repository("site");
    let long = "A sentence that is said more than once. ".repeat(200);
    repository.write(
        "public/index.html",
        &format!("<!doctype html><title>Home</title>{long}"),
    );
    repository.write("public/404.html", "<!doctype html><title>Nothing here</title>");
    repository.write("public/about.html", "<!doctype html><title>About</title>");
    repository.write("public/app.0a1b2c3d.css", "body { color: black }");
    repository.write("public/_redirects", "/old /about.html 301\n/blog/* /news/:splat 302\n");
    let build = json!({ "builder": "static", "publish_dir": "public" });
    let log = deployed(&api, "site", &repository, build).await;

    is_told(&log, &["_redirects", "404.html", "FROM nginx:"]);
    let index = ask(&dhow, "site", "/", &[("accept-encoding", "gzip")])
        .await
        .expect(200);
    assert_eq!(index.header("content-encoding"), "gzip", "{index}");
    assert!(index.body.len() < long.len() / 4, "{} bytes", index.body.len());
    assert_eq!(index.header("content-type"), "text/html; charset=utf-8", "{index}");
    let plain = ask(&dhow, "site", "/", &[]).await.expect(200);
    assert!(
        plain.text().contains(&long) && plain.header("content-encoding").is_empty(),
        "{plain}"
    );
    let nothing = ask(&dhow, "site", "/nowhere", &[]).await.expect(404);
    assert!(nothing.text().contains("Nothing here"), "{nothing}");
    for (path, status, location) in [("/old", 301, "/about.html"), ("/blog/a/b", 302, "/news/a/b")] {
        let moved = ask(&dhow, "site", path, &[]).await.expect(status);
        assert_eq!(moved.header("location"), location, "no port of the inside: {moved}");
    }
    let about = ask(&dhow, "site", "/about", &[]).await.expect(200);
    assert!(about.text().contains("About"), "{about}");
    let style = ask(&dhow, "site", "/app.0a1b2c3d.css", &[]).await.expect(200);
    assert!(style.header("cache-control").contains("immutable"), "{style}");
    for hidden in ["/_redirects", "/.env.local", "/../.env.local"] {
        ask(&dhow, "site", hidden, &[]).await.expect(404);
    }
    is_small_and_safe(&dhow, "site", &["git"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_nothing_is_known_of_fails_and_says_what_was_looked_for() {
    let (_dhow, api, git) = with_owner().await;
    let repository = git.repository("notes");
    repository.write("notes.txt", "Only notes.\n");
    repository.commit("Begin");
    let project = api.create_project("Notes").await;
    api.create_app_with(&project, "notes", &repository, json!({ "build": auto() }))
        .await;
    let id = api.deploy("notes").await;
    let failed = api.failed(id, "dockerfile_missing").await;
    let message = failed["error"]["message"].as_str().unwrap();
    for file in ["Dockerfile", "package.json", "requirements.txt", "go.mod", "index.html"] {
        assert!(message.contains(file), "{file} was looked for: {message}");
    }
    assert!(!message.contains('\n'), "one sentence: {message}");
}
