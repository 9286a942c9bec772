//! Hostile text in every field, by page and by API: refused, or stored and shown as text. Nothing of it is run, no file
//! is made anywhere else, no route is injected, nothing answers 5xx.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::dhow::Dhow;
use crate::harness::http::Answer;
use crate::harness::panel::Panel;
use crate::harness::process::run_id;

/// A file that hostile text would make if any of it were run or taken for a path.
struct Canary(PathBuf);

impl Canary {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("dhow-canary-{}", run_id())))
    }

    /// One text of each class in the advisories of such tools, with what makes it hostile.
    fn inputs(&self) -> Vec<(&'static str, String)> {
        let path = self.0.to_str().unwrap();
        let text = |text: &str| text.replace("CANARY", path);
        vec![
            ("shell", text("$(touch CANARY)")),
            ("shell", text("`touch CANARY`")),
            ("shell", text("x; touch CANARY #")),
            ("shell", text("x\" && touch CANARY && \"")),
            ("option", text("--upload-pack=touch CANARY")),
            ("option", text("-oProxyCommand=touch CANARY")),
            ("path", text("../../../../../../../..CANARY")),
            ("path", text("CANARY")),
            ("path", "..\\..\\windows".to_owned()),
            ("template", "{{7*7}}${7*7}<%= 7*7 %>{% raw %}".to_owned()),
            ("header", "x\r\nSet-Cookie: evil=1\r\n\r\n<html>".to_owned()),
            (
                "newline",
                "x\nhttp:\n  routers:\n    evil: {rule: PathPrefix(`/`)}".to_owned(),
            ),
            ("rule", "x`) || PathPrefix(`/".to_owned()),
            ("unicode", "a\u{202e}b\u{200b}c\u{feff}\u{1f98a}é\u{0301}".to_owned()),
            ("nul", "a\u{0}b".to_owned()),
            ("length", "x".repeat(70_000)),
            (
                "html",
                "<script>alert(1)</script><img src=x onerror=alert(1)>".to_owned(),
            ),
            ("html", "\"><svg onload=alert(1)>'".to_owned()),
            ("sql", "x'; DROP TABLE apps; --".to_owned()),
            ("sql", "' OR 1=1 UNION SELECT password_hash FROM users --".to_owned()),
            ("json", "\"},\"role\":\"owner\",\"x\":{\"".to_owned()),
            ("format", "%s%n%x{0}{}$1".to_owned()),
        ]
    }

    fn assert_untouched(&self, what: &str) {
        assert!(!self.0.exists(), "{what} made {}", self.0.display());
    }
}

/// The fields of an app that hold text, as paths into its JSON.
const APP_FIELDS: [&str; 14] = [
    "/name",
    "/slug",
    "/source/kind",
    "/source/url",
    "/source/branch",
    "/source/root_dir",
    "/build/builder",
    "/build/context",
    "/build/dockerfile",
    "/build/target",
    "/build/start_command",
    "/build/release_command",
    "/health/path",
    "/port",
];

/// The same in the form of a new app.
const FORM_FIELDS: [&str; 12] = [
    "name",
    "slug",
    "url",
    "branch",
    "root_dir",
    "context",
    "dockerfile",
    "target",
    "start_command",
    "release_command",
    "path",
    "port",
];

fn app() -> Value {
    let source = json!({ "kind": "git", "url": "https://git.example/x.git", "branch": null, "root_dir": "" });
    json!({ "name": "Inert", "slug": "inert", "source": source, "build": {}, "health": {}, "port": 3000 })
}

fn set(json: &mut Value, path: &str, value: &str) {
    let (parent, key) = path.rsplit_once('/').unwrap();
    json.pointer_mut(parent).unwrap()[key] = value.into();
}

/// What is kept of a hostile text is shown as text: none of its markup is markup.
async fn assert_shown_as_text(panel: &Panel, app: &str) {
    for tab in ["", "/settings", "/env", "/domains", "/deployments"] {
        let answer = panel.get(&format!("/apps/{app}{tab}")).await;
        assert_eq!(answer.status, 200, "/apps/{app}{tab}");
        assert_no_markup(&answer);
    }
    assert_no_markup(&panel.get("/").await);
}

#[track_caller]
fn assert_no_markup(answer: &Answer) {
    let html = answer.text();
    for markup in ["<script>alert", "<img src=x", "<svg onload", "onerror=alert(1)>"] {
        assert!(!html.contains(markup), "{markup} in {html}");
    }
    assert!(
        answer
            .headers
            .get("set-cookie")
            .is_none_or(|cookie| !cookie.as_bytes().starts_with(b"evil"))
    );
}

/// The names of files outside the database, which no input may choose.
fn names_of_files(dhow: &Dhow) -> BTreeSet<String> {
    let root = dhow.data_file("");
    let names = dhow
        .files()
        .into_iter()
        .map(|file| file.strip_prefix(&root).unwrap().display().to_string());
    names
        .filter(|name| !name.starts_with("dhow.db") && !name.starts_with("repos/"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_in_any_field_of_the_api_is_refused_or_only_text() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let panel = dhow.panel().await;
    api.create_project("Shop").await;
    let canary = Canary::new();
    let (mut asked, mut kept) = (0, 0);
    for field in APP_FIELDS {
        for (class, input) in canary.inputs() {
            let mut body = app();
            set(&mut body, field, &input);
            let answer = api.post("/projects/shop/apps", body).await;
            asked += 1;
            match answer.status {
                422 => {}
                201 => {
                    kept += 1;
                    let slug = answer.json()["slug"].as_str().unwrap().to_owned();
                    assert_shown_as_text(&panel, &slug).await;
                    api.delete(&format!("/apps/{slug}")).await.expect(202);
                }
                _ => panic!("{class} in {field}: {answer}"),
            }
        }
    }
    println!("{asked} requests by the API, {kept} of them kept as text");
    canary.assert_untouched("an app's field");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_in_the_forms_is_refused_or_only_text() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let panel = dhow.panel().await;
    api.create_project("Shop").await;
    let canary = Canary::new();
    let path = "/projects/shop/apps/new";
    let blank = panel.page(path).await.form(&["name", "url"]);
    let blank = blank
        .set("name", "Inert")
        .set("slug", "inert")
        .set("url", "https://git.example/x.git");
    let mut asked = 0;
    for field in FORM_FIELDS {
        for (class, input) in canary.inputs() {
            let answer = panel.submit(path, &blank.clone().set(field, &input)).await;
            asked += 1;
            match answer.status {
                422 => assert_no_markup(&answer),
                303 => {
                    let slug = answer.header("location").rsplit('/').next().unwrap().to_owned();
                    assert_shown_as_text(&panel, &slug).await;
                    api.delete(&format!("/apps/{slug}")).await.expect(202);
                }
                _ => panic!("{class} in {field}: {answer}"),
            }
        }
    }
    println!("{asked} requests by the forms");
    canary.assert_untouched("a form's field");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_in_variables_domains_commits_and_paths_is_refused_or_only_text() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let panel = dhow.panel().await;
    api.create_project("Shop").await;
    api.post("/projects/shop/apps", app()).await.expect(201);
    let canary = Canary::new();
    let before = names_of_files(&dhow);
    let accepted = |answer: Answer, allowed: &[u16], what: &str| {
        assert!(allowed.contains(&answer.status), "{what}: {answer}");
    };
    for (class, input) in canary.inputs() {
        let what = |field: &str| format!("{class} in {field}");
        for (key, value) in [(input.as_str(), "x"), ("KEY", input.as_str())] {
            let vars = json!({ "vars": [{ "key": key, "value": value }] });
            accepted(api.put("/apps/inert/env", vars).await, &[200, 422], &what("a variable"));
        }
        for domain in [
            json!({ "host": input }),
            json!({ "host": "good.example", "path_prefix": input }),
            json!({ "host": "good.example", "redirect_to": input }),
            json!({ "host": "good.example", "tls": input }),
        ] {
            let answer = api.post("/apps/inert/domains", domain).await;
            if answer.status == 201 {
                // A path is a fine prefix, whatever else it could name.
                assert_eq!(class, "path", "{answer}");
                let host = format!("/apps/inert/domains/{}", answer.json()["host"].as_str().unwrap());
                api.delete(&host).await.expect(204);
            } else {
                accepted(answer, &[422], &what("a domain"));
            }
        }
        let wanted = json!({ "commit": input });
        accepted(
            api.post("/apps/inert/deployments", wanted).await,
            &[422],
            &what("a commit"),
        );
        accepted(
            api.post("/projects", json!({ "name": input })).await,
            &[201, 422],
            &what("a project"),
        );
        let encoded: String = input.bytes().take(500).map(|byte| format!("%{byte:02X}")).collect();
        for path in [
            format!("/apps/{encoded}"),
            format!("/projects/{encoded}"),
            format!("/deployments/{encoded}"),
        ] {
            accepted(api.get(&path).await, &[400, 404], &what("a path"));
            let answer = panel.get(&path).await;
            assert_no_markup(&answer);
            accepted(answer, &[400, 404], &what("a page's path"));
        }
        assert_shown_as_text(&panel, "inert").await;
    }
    canary.assert_untouched("a variable, a domain, a commit or a path");
    assert_eq!(names_of_files(&dhow), before, "no input names a file or makes a route");
    let log = dhow.lines().text();
    assert!(
        !log.contains("panicked") && !log.contains("a request failed by a fault"),
        "{log}"
    );
}
