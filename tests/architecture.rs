//! Which module may use which, and which package has its one home: checked by reading the sources.
//!
//! An arrow that is not in `ARROWS` is a mistake, or a change of the design: then the README's map changes with it.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "architecture/assets.rs"]
mod assets;
#[path = "architecture/source.rs"]
mod source;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use assets::asset_faults;
use source::{names, top_module, without_comments_and_tests};

/// Modules that know one tool or one store each, and never each other.
const TOOLS: [&str; 10] = [
    "dns", "db", "outbound", "git", "build", "docker", "traefik", "secrets", "events", "logs",
];

/// Module → the modules of this crate that it may use. `lib` and `main` put everything together and stand below.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("config", &["model"]),
    ("telemetry", &["config"]),
    ("db", &["model"]),
    ("dns", &["model"]),
    ("outbound", &["model"]),
    ("git", &["model", "outbound"]),
    ("build", &["model"]),
    ("docker", &["model"]),
    ("traefik", &["model"]),
    ("secrets", &["model"]),
    ("events", &["model"]),
    ("logs", &["model"]),
    (
        "deploy",
        &[
            "db", "dns", "outbound", "git", "build", "docker", "traefik", "secrets", "events", "logs", "model",
            "config",
        ],
    ),
    (
        "actions",
        &["deploy", "db", "secrets", "events", "logs", "model", "config"],
    ),
    ("web", &["actions", "db", "events", "logs", "model", "config"]),
    ("api", &["actions", "db", "events", "logs", "model", "config"]),
    ("hooks", &["actions", "git", "model", "config"]),
    (
        "cli",
        &["actions", "db", "secrets", "model", "config", "telemetry", "lib"],
    ),
    ("main", &["cli", "config"]),
];

/// Name → where it may stand: files, or directories with a slash at the end.
const HOMES: &[(&str, &[&str])] = &[
    (
        "axum",
        &["web/", "web.rs", "api/", "api.rs", "hooks/", "hooks.rs", "lib.rs"],
    ),
    (
        "axum_extra",
        &["web/", "web.rs", "api/", "api.rs", "hooks/", "hooks.rs"],
    ),
    ("askama", &["web/", "web.rs"]),
    ("askama_web", &["web/", "web.rs"]),
    (
        "tower_sessions",
        &["web/", "web.rs", "api/", "api.rs", "actions/sessions.rs", "lib.rs"],
    ),
    ("hickory_resolver", &["dns.rs"]),
    ("if_addrs", &["dns.rs"]),
    ("bollard", &["docker/", "docker.rs"]),
    ("bollard_buildkit_proto", &["docker/", "docker.rs"]),
    ("tonic", &["docker/", "docker.rs"]),
    ("git2", &["git/", "git.rs"]),
    ("russh", &["git/", "git.rs", "secrets/", "secrets.rs"]),
    ("rusqlite", &["db/", "db.rs"]),
    ("r2d2", &["db/", "db.rs"]),
    ("r2d2_sqlite", &["db/", "db.rs"]),
    ("rusqlite_migration", &["db/", "db.rs"]),
    ("argon2", &["secrets/", "secrets.rs"]),
    ("clap", &["config.rs", "config/", "main.rs", "cli/", "cli.rs"]),
    ("std::env", &["config.rs"]),
    ("process::Command", &["hooks/push/backend.rs"]),
];

/// Every fault of one file of `src`, whose path is relative to it.
fn faults(path: &str, text: &str) -> Vec<String> {
    let code = without_comments_and_tests(text);
    let mut faults = Vec::new();
    let module = top_module(path);
    if module != "lib" {
        match ARROWS.iter().find(|(name, _)| *name == module) {
            None => faults.push(format!(
                "{path}: the module '{module}' has no arrows in tests/architecture.rs"
            )),
            Some((_, allowed)) => {
                let used: BTreeSet<String> = names::of_crate(path, &code);
                let forbidden = used
                    .iter()
                    .filter(|name| *name != module && !allowed.contains(&name.as_str()));
                faults.extend(forbidden.map(|name| format!("{path}: {module} → {name} is no arrow of the design")));
            }
        }
    }
    for (name, homes) in HOMES {
        let is_home = homes
            .iter()
            .any(|home| path == *home || (home.ends_with('/') && path.starts_with(home)));
        if !is_home && names::stands_in(&code, name) {
            faults.push(format!("{path}: {name} belongs in {homes:?} alone"));
        }
    }
    if matches!(module, "web" | "api") {
        let writing = ["db.write(", "db().write("]
            .into_iter()
            .find(|call| code.contains(call));
        faults.extend(writing.map(|call| format!("{path}: pages and API read the database; '{call}' is an action's")));
    }
    faults
}

/// All files below a directory of the crate with one of the endings; the path is relative to it.
fn files(directory: &str, endings: &[&str]) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut found = Vec::new();
    let mut left = vec![root.clone()];
    while let Some(next) = left.pop() {
        for entry in std::fs::read_dir(&next).unwrap_or_else(|error| panic!("{}: {error}", next.display())) {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if endings
                .iter()
                .any(|ending| path.extension().is_some_and(|found| found == *ending))
            {
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn modules_use_only_what_the_design_lets_them() {
    let sources = files("src", &["rs"]);
    assert!(sources.len() > 10, "the sources were found: {}", sources.len());
    let faults: Vec<String> = sources.iter().flat_map(|(path, text)| faults(path, text)).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn templates_and_styles_print_no_raw_html_and_ask_no_other_host() {
    let mut assets = files("templates", &["html"]);
    assets.extend(files("static", &["css", "svg", "html"]));
    assert!(assets.len() > 3, "the templates were found: {}", assets.len());
    let faults: Vec<String> = assets
        .iter()
        .flat_map(|(path, text)| asset_faults(path, text))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_list_of_cases_names_tests_that_exist() {
    let tests = files("tests", &["md", "rs"]);
    let text_of = |name: &str| {
        &tests
            .iter()
            .find(|(path, _)| path == name)
            .unwrap_or_else(|| panic!("no tests/{name}"))
            .1
    };
    let mut named = 0;
    for row in text_of("CASES.md")
        .lines()
        .filter(|line| line.contains('`') && line.starts_with('|'))
    {
        let (file, names) = row
            .split('`')
            .skip(1)
            .collect::<Vec<_>>()
            .split_first()
            .map(|(file, rest)| (*file, rest.concat()))
            .unwrap();
        let source = text_of(file);
        for name in names.split([':', ',', '|', ' ']).filter(|name| !name.is_empty()) {
            assert!(
                source.contains(&format!("fn {name}(")),
                "CASES.md names {name}, which is not in tests/{file}"
            );
            named += 1;
        }
    }
    assert!(named > 5, "the list was read: {named}");
}

#[test]
fn every_tool_is_one_module_that_knows_only_the_model() {
    for tool in TOOLS {
        let (_, allowed) = ARROWS.iter().find(|(name, _)| *name == tool).unwrap();
        // The guard before calls has no state: it is a rule of the model that asks DNS.
        let others = allowed.iter().filter(|module| !["model", "outbound"].contains(module));
        assert_eq!(others.count(), 0, "{tool}");
    }
}

#[test]
fn a_forbidden_arrow_is_noticed_however_it_is_written() {
    for (path, text) in [
        ("docker/image.rs", "use crate::db::Db;"),
        ("docker/image.rs", "use crate::{model::Slug, db::Db};"),
        (
            "docker/image.rs",
            "use crate::{\n    model::{self, slug::Slug},\n    db,\n};",
        ),
        ("docker/image.rs", "fn f() { crate::db::open() }"),
        ("docker/image.rs", "use super::super::db;"),
        ("docker/mod.rs", "use super::db;"),
        ("git.rs", "use super::docker::Engine;"),
        ("model/app.rs", "use crate::db;"),
        ("web/apps.rs", "use crate::deploy::Deployer;"),
        ("new_thing.rs", "fn f() {}"),
        ("main.rs", "fn main() { dhow::deploy::start(); }"),
    ] {
        assert_eq!(faults(path, text).len(), 1, "{path}: {text}: {:?}", faults(path, text));
    }
    for (path, text) in [
        (
            "docker/image.rs",
            "use crate::model::Slug; use super::network; use crate::docker::mod_test;",
        ),
        (
            "docker/image.rs",
            "// use crate::db;\n/* crate::db */\nconst S: &str = \"crate::db\";",
        ),
        (
            "docker/image.rs",
            "fn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::db::Db;\n    fn g() { if true {} }\n}",
        ),
        ("docker/a/b.rs", "use super::super::network;"),
    ] {
        assert_eq!(faults(path, text), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn a_package_or_call_outside_its_home_is_noticed() {
    for (path, text) in [
        ("deploy/build.rs", "use bollard::Docker;"),
        ("actions/apps.rs", "fn f(c: &rusqlite::Connection) {}"),
        ("deploy/mod.rs", "use axum::Router;"),
        ("model/app.rs", "fn f() { std::env::var(\"X\"); }"),
        ("model/app.rs", "use std::{env, fs};"),
        ("deploy/fetch.rs", "use std::process::Command;"),
        ("deploy/fetch.rs", "tokio::process::Command::new(\"git\");"),
        ("web/apps.rs", "fn f() { db.write(|tx| insert(tx)) }"),
    ] {
        assert_eq!(faults(path, text).len(), 1, "{path}: {text}: {:?}", faults(path, text));
    }
    let clean = "fn f() { my_axum::g(); env!(\"X\"); let bollards = 1; let process = Command::A; }";
    assert_eq!(faults("deploy/mod.rs", clean), Vec::<String>::new());
    for text in [
        "<p>{{ name| safe }}</p>",
        "<script>go()</script>",
        "<img src=\"https://x.example/a.png\">",
        "a { background: url( //x/y ) }",
    ] {
        assert_eq!(asset_faults("a.html", text).len(), 1, "{text}");
    }
    assert_eq!(
        asset_faults(
            "a.html",
            "<svg xmlns=\"http://www.w3.org/2000/svg\"/><a href=\"https://x\">y</a>"
        ),
        Vec::<String>::new()
    );
}
