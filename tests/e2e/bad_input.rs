//! Every field refuses what it cannot hold with a 422 that names it; nothing is stored, nothing panics, no bare string.

use serde_json::{Value, json};

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::git_server::GitServer;
use crate::harness::http::Answer;

/// An instance with the project `shop` and the app `web`, which was never deployed.
pub async fn shop() -> (Dhow, Api, GitServer) {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    repository.commit_app("web");
    let project = api.create_project("Shop").await;
    api.create_app(&project, "web", &repository).await;
    (dhow, api, git)
}

/// Everything that the table of bad values could have changed.
async fn stored(api: &Api) -> Vec<Value> {
    let mut all = Vec::new();
    for path in [
        "/projects",
        "/projects/shop/apps",
        "/apps/web",
        "/apps/web/env",
        "/apps/web/domains",
    ] {
        all.push(api.read(path).await);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_of_a_project_and_an_app_refuses_bad_values_and_nothing_is_stored() {
    let (_dhow, api, _git) = shop().await;
    let before = stored(&api).await;

    let long = "x".repeat(300);
    for name in [
        json!(""),
        json!("   "),
        json!(long),
        json!("a\u{0}b"),
        json!("a\nb"),
        json!(7),
        json!(null),
        json!(["a"]),
    ] {
        api.post("/projects", json!({ "name": name })).await.refuses("name");
        api.patch("/projects/shop", json!({ "name": name }))
            .await
            .refuses("name");
    }
    api.post("/projects", json!({})).await.refuses("name");

    let good = json!({ "name": "new", "source": { "kind": "push" }, "port": 3000 });
    for (pointer, field, value) in app_table() {
        let mut create = good.clone();
        plant(&mut create, pointer, value.clone());
        let answer = api.post("/projects/shop/apps", create).await;
        refused(answer, field, pointer, &value);
        // A slug is given once: it is part of the app's address.
        if field != "slug" && !pointer.starts_with("/source") {
            let mut change = json!({});
            plant(&mut change, pointer, value.clone());
            refused(api.patch("/apps/web", change).await, field, pointer, &value);
        }
    }
    assert_eq!(stored(&api).await, before);
}

/// Where in an app, the name of the field, and what it must refuse.
fn app_table() -> Vec<(&'static str, &'static str, Value)> {
    let mut table = Vec::new();
    let mut row =
        |pointer, field, values: &[Value]| table.extend(values.iter().map(|value| (pointer, field, value.clone())));
    row(
        "/name",
        "name",
        &[json!(""), json!("x".repeat(300)), json!("a\u{7}b"), json!(1)],
    );
    let slugs = [
        "Web",
        "-web",
        "web-",
        "we_b",
        "1web",
        "new",
        "a".repeat(41).leak(),
        "wéb",
        "we b",
        "../web",
        "web",
    ];
    row("/slug", "slug", &slugs.map(|slug| json!(slug)));
    row("/source/kind", "kind", &[json!("svn"), json!(""), json!(3)]);
    row("/build/builder", "builder", &[json!("magic"), json!(""), json!(true)]);
    row(
        "/build/context",
        "context",
        &["..", "../x", "/etc", "a/../../b", "a\u{0}"].map(|path| json!(path)),
    );
    row(
        "/build/dockerfile",
        "dockerfile",
        &["../Dockerfile", "/etc/passwd", "a/../../b", ""].map(|path| json!(path)),
    );
    row(
        "/port",
        "port",
        &[json!(0), json!(65536), json!(-1), json!("http"), json!(3.5)],
    );
    row(
        "/health/path",
        "path",
        &[json!("health"), json!("/a b"), json!("/\u{0}"), json!(8)],
    );
    row(
        "/health/timeout_s",
        "timeout_s",
        &[json!(0), json!(-5), json!(100_000), json!("soon")],
    );
    row(
        "/resources/memory_mb",
        "memory_mb",
        &[json!(0), json!(-1), json!("lots")],
    );
    row("/resources/cpus", "cpus", &[json!(0), json!(-1), json!("all")]);
    row("/auto_deploy", "auto_deploy", &[json!("yes"), json!(1)]);
    row("/colour", "colour", &[json!("red")]);
    row("/build/colour", "colour", &[json!("red")]);
    table
}

/// Puts a value deep into a JSON object, making the way there.
fn plant(body: &mut Value, pointer: &str, value: Value) {
    let mut at = body;
    for step in pointer.split('/').skip(1) {
        at = &mut at[step];
    }
    *at = value;
}

#[track_caller]
fn refused(answer: Answer, field: &str, pointer: &str, value: &Value) {
    assert_eq!(answer.status, 422, "{pointer} = {value}: {answer}");
    answer.refuses(field);
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_and_domains_refuse_bad_values_and_nothing_is_stored() {
    let (_dhow, api, _git) = shop().await;
    let before = stored(&api).await;
    let put = |var: Value| {
        api.put(
            "/apps/web/env",
            json!({ "vars": [{ "key": "GOOD", "value": "1" }, var] }),
        )
    };
    for key in ["", "1A", "A-B", "A B", "A=B", "É", "PORT", "A\u{0}", "$(id)"] {
        put(json!({ "key": key, "value": "x" })).await.refuses("key");
    }
    put(json!({ "key": "A", "value": "a\u{0}b" })).await.refuses("value");
    put(json!({ "key": "A", "value": 5 })).await.refuses("value");
    put(json!({ "key": "A", "value": null })).await.refuses("value");
    put(json!({ "key": "A", "value": "x".repeat(200_000) }))
        .await
        .refuses("value");
    put(json!({ "key": "A", "value": "x", "scope": "never" }))
        .await
        .refuses("scope");
    put(json!({ "key": "A", "value": "x", "secret": "yes" }))
        .await
        .refuses("secret");
    put(json!({ "key": "A", "value": "x", "colour": "red" }))
        .await
        .refuses("colour");
    put(json!({ "key": "GOOD", "value": "twice" })).await.refuses("key");

    let post = |domain: Value| api.post("/apps/web/domains", domain);
    let labels = ["a".repeat(64) + ".example.com", "a.".repeat(130) + "com"];
    let hosts = [
        "",
        "exa mple.com",
        "http://u:p@example.com",
        "example.com/x?y",
        "a.example.com,b.example.com",
        "x`) || Host(`evil.example.com",
        "-a.com",
        "a-.com",
        "a..com",
        "example.com:80",
        "a`b.com",
    ];
    for host in hosts.into_iter().chain(labels.iter().map(String::as_str)) {
        post(json!({ "host": host })).await.refuses("host");
    }
    post(json!({})).await.refuses("host");
    for prefix in ["shop", "/a b", "/a`b", "/../x", "/a?b"] {
        post(json!({ "host": "shop.example.com", "path_prefix": prefix }))
            .await
            .refuses("path_prefix");
    }
    post(json!({ "host": "shop.example.com", "tls": "maybe" }))
        .await
        .refuses("tls");
    for target in ["", "exa mple", "javascript:alert(1)"] {
        post(json!({ "host": "shop.example.com", "redirect_to": target }))
            .await
            .refuses("redirect_to");
    }
    post(json!({ "host": "shop.example.com", "colour": "red" }))
        .await
        .refuses("colour");
    assert_eq!(stored(&api).await, before);
}
