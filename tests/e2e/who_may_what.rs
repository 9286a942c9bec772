//! Every route, asked by everybody: one table says who gets which answer, and a route without a row fails.

mod cast;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::json;

use self::cast::{Asker, Cast, filled, make_victim};
use self::table::{Kind, Needs, ROUTES, Row};
use crate::harness::api::Api;
use crate::harness::dhow::Dhow;

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_everybody_as_the_table_says() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    make_victim(&api, "shop", "web").await;
    make_victim(&api, "elsewhere", "other").await;
    let pushed = json!({ "name": "pushed", "source": { "kind": "push" } });
    api.post("/projects/shop/apps", pushed).await.expect(201);
    let deployment = api.deploy("web").await;
    api.ended(deployment).await;
    let cast = Cast::of(&dhow).await;
    let stage = Stage {
        dhow: &dhow,
        api: &api,
        cast: &cast,
        deployment: deployment.to_string(),
    };

    let mut wrong = Vec::new();
    for row in ROUTES {
        for asker in cast.askers.iter().filter(|asker| asker.asks(row.kind, row.needs)) {
            let expected = asker.expected(row.kind, row.needs, row.answer);
            let mut found = vec![stage.ask(row, asker, expected == row.answer).await];
            if expected == 403 && !row.body.is_empty() {
                // Rights come before input: who may not is not told what is wrong with it.
                found.push(stage.ask(&Row { body: "", ..*row }, asker, false).await);
            }
            if found.iter().any(|status| *status != expected) {
                wrong.push(format!(
                    "{} {} by {}: {found:?}, not {expected}",
                    row.method, row.path, asker.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong answers:\n{}", wrong.len(), wrong.join("\n"));
    assert!(api.ended(deployment).await["status"] == "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_has_a_row() {
    let rows: BTreeSet<(bool, String, String)> = ROUTES
        .iter()
        .map(|row| (row.kind == Kind::Call, row.method.to_owned(), row.path.to_owned()))
        .collect();
    assert_eq!(rows.len(), ROUTES.len(), "a row is there twice");
    let mut written = described_calls().await;
    for (directory, is_call) in [("src/web", false), ("src/api", true), ("src/hooks", false)] {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
        routes_below(&directory, &mut |method, path| {
            written.insert((is_call, method, path));
        });
    }
    assert!(written.len() > 60, "the routes were found: {written:?}");
    let without_row: Vec<_> = written.difference(&rows).collect();
    let without_route: Vec<_> = rows.difference(&written).collect();
    assert!(without_row.is_empty(), "routes without a row: {without_row:#?}");
    assert!(without_route.is_empty(), "rows without a route: {without_route:#?}");
}

/// The calls that the API's own description has.
async fn described_calls() -> BTreeSet<(bool, String, String)> {
    let dhow = Dhow::start().await;
    let url = format!("{}/api/v1/openapi.json", dhow.url());
    let description = dhow.http.send("GET", &url, &[], "").await.expect(200).json();
    assert_eq!(description["openapi"], "3.1.0");
    let paths = description["paths"].as_object().unwrap().iter();
    let calls = paths.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods.map(move |method| (true, method.to_uppercase(), path.clone()))
    });
    calls.collect()
}

struct Stage<'a> {
    dhow: &'a Dhow,
    api: &'a Api,
    cast: &'a Cast,
    deployment: String,
}

impl Stage<'_> {
    async fn ask(&self, row: &Row, asker: &Asker, may: bool) -> u16 {
        let mut names = BTreeMap::from([
            ("app", "web".to_owned()),
            ("project", "shop".to_owned()),
            ("number", "1".to_owned()),
            ("id", self.deployment.clone()),
            ("host", "none.example".to_owned()),
            ("email", "none@example.com".to_owned()),
            ("token", "none".to_owned()),
            ("*path", self.stylesheet().await),
            ("repository", "pushed.git".to_owned()),
            ("*operation", "info/refs?service=git-receive-pack".to_owned()),
        ]);
        if row.uses_up && may && row.needs != Needs::Nothing {
            self.make_own(row, asker, &mut names).await;
        }
        let method = if row.method == "ANY" { "GET" } else { row.method };
        let (path, body) = (filled(row.path, &names), filled(row.body, &names));
        asker.ask(self.dhow, row.kind, method, &path, &body).await
    }

    /// A project with the same members, and an app in it, unless the project itself is to go.
    async fn make_own(&self, row: &Row, asker: &Asker, names: &mut BTreeMap<&str, String>) {
        let kind = if row.kind == Kind::Page { "page" } else { "call" };
        let what = if row.path.starts_with("/apps") {
            "app"
        } else {
            "project"
        };
        let project = format!("{what}-{kind}-{}", asker.name);
        let app = format!("a-{kind}-{}", asker.name);
        if what == "app" {
            make_victim(self.api, &project, &app).await;
        } else {
            self.api.post("/projects", json!({ "name": project })).await.expect(201);
        }
        self.cast.join_all(self.dhow, &project);
        names.insert("app", app);
        names.insert("project", project);
    }

    async fn stylesheet(&self) -> String {
        let page = self
            .dhow
            .http
            .send("GET", &format!("{}/login", self.dhow.url()), &[], "")
            .await;
        let html = page.text();
        let from = html.find("/static/").expect("a page has a style sheet") + "/static/".len();
        html[from..].split('"').next().unwrap().to_owned()
    }
}

/// Tells of each method and path in the calls of `.route(`.
fn routes_below(directory: &Path, tell: &mut impl FnMut(String, String)) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            routes_below(&path, tell);
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        for call in source.split(".route(").skip(1) {
            let call = balanced(call);
            let Some(route) = call.split('"').nth(1) else { continue };
            let handlers = call.splitn(3, '"').nth(2).unwrap_or_default();
            for method in ["get", "post", "put", "patch", "delete", "any"] {
                let is_called = handlers
                    .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '(')
                    .any(|word| word.starts_with(&format!("{method}(")));
                if is_called {
                    tell(method.to_uppercase(), route.to_owned());
                }
            }
        }
    }
}

/// The text up to the parenthesis that closes what was opened before it.
fn balanced(text: &str) -> &str {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}
