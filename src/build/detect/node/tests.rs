//! Hostile sources: whatever a file says must be refused in words, or be a text that is no instruction.

use std::fs;

use serde_json::{Value, json};

use super::super::{Detected, Tree, Undetected, Wishes, detect};

/// What would do something if it came to stand at the beginning of a line of the Dockerfile.
const HOSTILE: [&str; 7] = [
    "x\nRUN evil",
    "x\r\nRUN evil",
    "x \\\nRUN evil",
    "$(touch evil)",
    "\"]\nRUN evil",
    "x <<EOF\nRUN evil\nEOF",
    "x\u{0}\u{2028}RUN evil",
];

fn outcome(files: &[(&str, String)]) -> Result<Detected, Undetected> {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    detect(&Tree::open(root.path()).unwrap(), &Wishes::default())
}

/// Each line begins with an instruction of ours or goes on from the line before, and no shell but the container's own
/// is given what the files say.
fn is_inert(dockerfile: &str) -> bool {
    let mut goes_on = false;
    dockerfile.split('\n').all(|line| {
        let known = ["FROM ", "WORKDIR /app", "COPY ", "RUN ", "ENV ", "USER ", "CMD [", "# "];
        let is_known = line.is_empty() || goes_on || known.iter().any(|start| line.starts_with(start));
        goes_on = line.ends_with('\\');
        is_known
            && (line.starts_with("CMD [") || ![" evil", "=evil"].iter().any(|text| line.contains(text)))
            && !line.contains('\r')
    })
}

fn package(key: &[&str], value: &Value) -> Value {
    let mut package = json!({
        "scripts": {"start": "node index.js", "build": "true"},
        "dependencies": {"next": "15.0.0"},
    });
    let (last, outer) = key.split_last().unwrap();
    let mut place = &mut package;
    for key in outer {
        if !place[*key].is_object() {
            place[*key] = json!({});
        }
        place = &mut place[*key];
    }
    place[*last] = value.clone();
    package
}

#[test]
fn no_value_of_package_json_becomes_an_instruction() {
    let keys: [&[&str]; 16] = [
        &["name"],
        &["main"],
        &["packageManager"],
        &["engines", "node"],
        &["volta", "node"],
        &["workspaces"],
        &["scripts", "start"],
        &["scripts", "start:prod"],
        &["scripts", "prestart"],
        &["scripts", "build"],
        &["scripts", "postinstall"],
        &["dependencies", "express"],
        &["dependencies", "x\nRUN evil"],
        &["devDependencies", "prisma"],
        &["prisma", "schema"],
        &["dependencies"],
    ];
    for key in keys {
        let odd = [
            json!(1),
            json!(null),
            json!([1]),
            json!({"a": {}}),
            json!(true),
            json!(""),
        ];
        let hostile = HOSTILE.iter().flat_map(|text| {
            let started = [
                "pnpm@10",
                "yarn@4.1.0-",
                "bun@1",
                "22",
                ">=20 ",
                "node index.js ",
                "dist/",
                "packages/*/",
            ];
            let started = started.map(|start| json!(format!("{start}{text}")));
            [json!(text), json!([text]), json!({ *text: text })]
                .into_iter()
                .chain(started)
        });
        for value in hostile.chain(odd) {
            let files = [
                ("package.json", package(key, &value).to_string()),
                ("index.js", String::new()),
                ("prisma/schema.prisma", String::new()),
            ];
            match outcome(&files) {
                Ok(detected) => assert!(
                    is_inert(&detected.dockerfile),
                    "{key:?} {value}:\n{}",
                    detected.dockerfile
                ),
                Err(error) => assert!(
                    !error.to_string().contains(['\n', '\r', '\0']),
                    "{key:?} {value}: {error}"
                ),
            }
        }
    }
}

#[test]
fn no_other_file_becomes_an_instruction() {
    let names = [
        (".nvmrc", "astro"),
        (".node-version", "astro"),
        (".tool-versions", "astro"),
        (".bun-version", "astro"),
        (".dvmrc", "astro"),
        ("Procfile", "astro"),
        ("pnpm-workspace.yaml", "astro"),
        ("pnpm-lock.yaml", "astro"),
        ("yarn.lock", "astro"),
        ("bun.lock", "astro"),
        ("astro.config.mjs", "@astrojs/node"),
        ("svelte.config.js", "@sveltejs/kit"),
        ("vite.config.ts", "vite"),
        ("angular.json", "@angular/core"),
        ("package.json", "astro"),
        ("deno.json", "astro"),
    ];
    let texts = |text: &str| {
        [
            text.to_owned(),
            format!("22{text}"),
            format!("web: {text}"),
            format!("nodejs 22{text}\nbun 1{text}\ndeno 2.1.1{text}"),
            format!("packages:\n  - {text}\n  - packages/{text}\n"),
            format!("lockfileVersion: {text}\n"),
            format!("__metadata:\n  version: {text}\n"),
            format!("outDir: '{text}', out: \"{text}\", adapter: '@sveltejs/adapter-node' @astrojs/node"),
            json!({"tasks": {"start": text, "build": text}, "projects": {text: {"architect": {"build": {}}}}})
                .to_string(),
        ]
    };
    for (name, dependency) in names {
        for text in HOSTILE.into_iter().flat_map(texts) {
            let dependencies = json!({ dependency: "1", "astro": "1" });
            let files = [
                (
                    "package.json",
                    json!({ "scripts": {"build": "x"}, "dependencies": dependencies }).to_string(),
                ),
                ("main.ts", String::new()),
                (name, text.clone()),
            ];
            match outcome(&files) {
                Ok(detected) => assert!(
                    is_inert(&detected.dockerfile),
                    "{name} {text}:\n{}",
                    detected.dockerfile
                ),
                Err(error) => assert!(
                    !error.to_string().contains(['\n', '\r', '\0']),
                    "{name} {text}: {error}"
                ),
            }
        }
    }
}

#[test]
fn a_file_name_becomes_no_instruction() {
    for name in ["a b", "$(touch evil)", "x\nRUN evil", "[\"x\", \"y\"]", "--from=evil"] {
        let files = [
            (
                "package.json",
                json!({"workspaces": ["p/*"], "scripts": {"start": "node ."}}).to_string(),
            ),
            (&*format!("p/{name}/package.json"), "{}".to_owned()),
        ];
        assert!(is_inert(&outcome(&files).unwrap().dockerfile), "{name}");
    }
}
