//! Whatever is asked: the API answers with a problem and the panel with a page, never a bare string, never a crash.

use serde_json::json;

use crate::bad_input::shop;
use crate::harness::api::Api;
use crate::harness::dhow::{Dhow, OWNER, PASSWORD};
use crate::harness::form::words;
use crate::harness::http::Answer;
use crate::harness::panel::Panel;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_the_api_answers_with_a_problem() {
    let (dhow, api, _git) = shop().await;
    let unknown = [
        "/nowhere",
        "/apps/none",
        "/apps/none/env",
        "/projects/none",
        "/projects/none/apps",
        "/deployments/999999",
    ];
    let malformed = [
        "/deployments/abc",
        "/deployments/-1",
        "/deployments/99999999999999999999",
        "/apps/%00",
        "/apps/..%2Fweb",
    ];
    for path in unknown.into_iter().chain(malformed) {
        api.get(path).await.problem(404);
    }
    api.post("/apps/none/deployments", json!({})).await.problem(404);
    api.delete("/apps/none").await.problem(404);
    api.delete("/projects").await.problem(405);
    api.put("/apps/web", json!({})).await.problem(405);
    for query in ["limit=0", "limit=201", "limit=x", "cursor=%00", "cursor=nonsense"] {
        api.get(&format!("/apps/web/deployments?{query}")).await.problem(422);
    }

    api.get("/audit?user=a&user=b").await.problem(422);
    api.post("/apps/web/deployments", json!({})).await.expect(202);
    let id = api.read("/apps/web/deployments").await["items"][0]["id"].clone();
    let log = format!("/deployments/{id}/log");
    api.get(&format!("{log}?follow=x")).await.refuses("follow");
    api.ended(id.as_i64().unwrap()).await;
    let whole = api.log(id.as_i64().unwrap()).await;
    for (range, status) in [
        ("bytes=0-3", 206),
        ("bytes=-3", 206),
        ("bytes=9-3", 200),
        ("bytes=x", 200),
        ("bytes=0-1,3-4", 200),
        ("lines=0-3", 200),
        ("bytes=99999999-", 416),
    ] {
        let answer = api.send("GET", &log, &[("range", range)], "").await.expect(status);
        assert!(status != 200 || answer.text() == whole, "{range}: {answer}");
    }
    for (method, path) in [
        ("POST", "/healthz"),
        ("DELETE", "/readyz"),
        ("POST", "/favicon.ico"),
        ("PUT", "/static/x"),
    ] {
        let url = format!("{}{path}", dhow.url());
        let answer = dhow.http.send(method, &url, &[], "").await.expect(405);
        assert_eq!(answer.header("allow"), "GET,HEAD", "{answer}");
    }
    let twice = r#"{"name":"one","name":"two"}"#;
    let json = [("content-type", "application/json")];
    api.send("POST", "/projects", &json, twice).await.refuses("body");

    for body in ["{\"name\":", "", "[]", "\"x\"", "{\"name\":\"a\"} tail", "\u{0}"] {
        let answer = api
            .send("POST", "/projects", &[("content-type", "application/json")], body)
            .await;
        let status = answer.status;
        assert!(matches!(status, 400 | 422), "{body}: {answer}");
        answer.problem(status);
    }
    api.send(
        "POST",
        "/projects",
        &[("content-type", "text/plain")],
        "{\"name\":\"a\"}",
    )
    .await
    .problem(415);
    let deep = format!("{{\"name\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
    let answer = api
        .send("POST", "/projects", &[("content-type", "application/json")], &deep)
        .await;
    assert!(matches!(answer.status, 400 | 422), "{answer}");
    let large = json!({ "name": "x".repeat(2 * 1024 * 1024) }).to_string();
    api.send("POST", "/projects", &[("content-type", "application/json")], &large)
        .await
        .problem(413);
    for commit in [json!("main"), json!("--upload-pack=x"), json!("zz"), json!(5)] {
        api.post("/apps/web/deployments", json!({ "commit": commit }))
            .await
            .refuses("commit");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_a_good_token_is_told_so_before_anything_else_is_looked_at() {
    let (dhow, api, _git) = shop().await;
    for token in [
        "",
        "dhow_",
        "dhow_0000000000000000000000000000000000000000000",
        &api.token[..api.token.len() - 1],
    ] {
        let stranger = Api::new(&dhow.url(), token);
        stranger.get("/projects").await.problem(401);
        stranger.get("/deployments/abc").await.problem(401);
        stranger
            .send("POST", "/projects", &[("content-type", "application/json")], "{")
            .await
            .problem(401);
    }
    let bare = dhow
        .http
        .send("GET", &format!("{}/api/v1/projects", dhow.url()), &[], "")
        .await;
    bare.problem(401);
    let reader = dhow.api("read").await;
    reader.get("/projects").await.expect(200);
    reader.post("/projects", json!({ "name": "x" })).await.problem(403);
    reader.post("/apps/web/deployments", json!({})).await.problem(403);
    let deployer = dhow.api("deploy").await;
    deployer.post("/projects", json!({ "name": "x" })).await.problem(403);
    deployer.delete("/apps/web").await.problem(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_a_visitor_gets_a_page() {
    let (dhow, _api, _git) = shop().await;
    let panel = dhow.panel().await;
    let unknown = [
        "/nowhere",
        "/apps/none",
        "/projects/none",
        "/apps/web/deployments/99",
        "/apps/web/deployments/x",
        "/apps/%00",
    ];
    for path in unknown {
        assert_is_page(panel.get(path).await, 404);
    }
    assert_is_page(
        panel.send("DELETE", "/login", &[("accept", "text/html")], "").await,
        405,
    );
    let form = [
        ("accept", "text/html"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let large = format!("name={}", "x".repeat(2 * 1024 * 1024));
    let new = panel.page("/").await.link(crate::harness::words::NEW_PROJECT);
    let create = panel.page(&new).await.form(&["name"]);
    assert_is_page(panel.send("POST", &create.action, &form, &large).await, 413);
    let refused = panel.submit(&new, &create.clone().set("name", "")).await;
    assert!(refused.text().contains("aria-invalid=\"true\""), "{refused}");
    assert_is_page(refused, 422);

    // Nobody who is not signed in learns what there is.
    let stranger = Panel::stranger(&dhow.url());
    for path in ["/", "/apps/web", "/apps/none", "/projects/shop", "/account"] {
        let answer = stranger.get(path).await.expect(303);
        assert!(answer.header("location").starts_with("/login"), "{answer}");
    }
    let login = stranger.page("/login").await.form(&["email", "password"]);
    for (email, password) in [
        (OWNER, "wrong password"),
        ("nobody@example.com", PASSWORD),
        ("", ""),
        ("\u{0}", "x"),
    ] {
        let answer = stranger
            .submit("/login", &login.clone().set("email", email).set("password", password))
            .await;
        assert!(matches!(answer.status, 401 | 422), "{answer}");
        assert!(words(&answer.text()).len() > 20, "{answer}");
    }
    stranger.get("/").await.expect(303);
}

#[track_caller]
fn assert_is_page(answer: Answer, status: u16) {
    let answer = answer.expect(status);
    let html = answer.text();
    assert!(answer.header("content-type").starts_with("text/html"), "{answer}");
    assert!(
        html.contains("<main") && html.contains("<title>") && words(&html).len() > 20,
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_claim_and_the_command_line_refuse_bad_users() {
    let mut dhow = Dhow::start().await;
    let link = dhow.claim_link().await;
    let path = link.strip_prefix(&dhow.url()).unwrap();
    let visitor = Panel::stranger(&dhow.url());
    for wrong in ["/setup", "/setup?token=", "/setup?token=wrong", &path[..path.len() - 1]] {
        let answer = visitor.get(wrong).await;
        assert!(matches!(answer.status, 403 | 404), "{wrong}: {answer}");
    }
    let form = visitor.page(path).await.form(&["email", "password"]);
    for (email, password) in [
        ("", PASSWORD),
        ("no-at-sign", PASSWORD),
        ("a b@example.com", PASSWORD),
        (OWNER, "short"),
        (OWNER, ""),
    ] {
        let refused = visitor
            .submit(path, &form.clone().set("email", email).set("password", password))
            .await;
        assert_is_page(refused, 422);
    }
    for (arguments, input, code) in [
        (&["user", "add", "no-at-sign", "--password-stdin"][..], PASSWORD, 1),
        (&["user", "add", OWNER, "--password-stdin"], "short", 1),
        (
            &["user", "add", OWNER, "--role", "king", "--password-stdin"],
            PASSWORD,
            2,
        ),
        (&["token", "create", "--user", OWNER, "--name", "x"], "", 1),
    ] {
        let outcome = dhow.verb(arguments, input).await;
        assert_eq!(outcome.code, code, "{arguments:?}: {}", outcome.stderr);
        assert!(
            !outcome.stderr.trim().is_empty() && !outcome.stderr.contains("panicked"),
            "{}",
            outcome.stderr
        );
    }
    assert_eq!(
        dhow.verb(&["user", "list"], "").await.stdout.trim(),
        "",
        "nobody was made"
    );

    // The link is still good, for one use.
    let good = form.set("email", OWNER).set("password", PASSWORD);
    visitor.submit(path, &good).await.expect(303);
    let late = Panel::stranger(&dhow.url());
    assert!(matches!(late.get(path).await.status, 403 | 404), "the link is used up");
    assert!(
        matches!(late.submit(path, &good).await.status, 403 | 404),
        "the form is used up"
    );
}
