//! Every sample source in `tests/fixtures/sources` against its snapshot.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Detected, Tree, Undetected, Wishes, detect, detect_static};

/// Writes a sample into a directory. It is one text: `-- path --` begins a file, and lines before the first one set
/// wishes (`build_command = npm run x`, `publish_dir = dist`, `has_start_command`, `has_ca`,
/// `argument = NAME`, `secret = NAME`).
fn unpack(sample: &str, root: &Path) -> Wishes {
    let mut wishes = Wishes {
        cache_scope: "app".to_owned(),
        ..Wishes::default()
    };
    let mut file: Option<PathBuf> = None;
    for line in sample.lines() {
        if let Some(path) = line.strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --")) {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            file = Some(path);
        } else if let Some(path) = &file {
            let text = fs::read_to_string(path).unwrap();
            fs::write(path, format!("{text}{line}\n")).unwrap();
        } else {
            match line.split_once(" = ").unwrap_or((line, "")) {
                ("build_command", value) => wishes.build_command = Some(value.to_owned()),
                ("publish_dir", value) => wishes.publish_dir = Some(value.to_owned()),
                ("has_start_command", _) => wishes.has_start_command = true,
                ("has_ca", _) => wishes.has_ca = true,
                ("argument", name) => wishes.arguments.push(name.to_owned()),
                ("secret", name) => wishes.secrets.push(name.to_owned()),
                ("" | "#", _) => {}
                (other, _) => panic!("no such wish: {other}"),
            }
        }
    }
    wishes
}

fn shown(outcome: &Result<Detected, Undetected>) -> String {
    let detected = match outcome {
        Ok(detected) => detected,
        Err(error) => return format!("refused: {error}."),
    };
    let mut shown = format!("{}\n", detected.summary);
    for reason in &detected.reasons {
        shown.push_str(&format!("- {}: {}\n", reason.file, reason.means));
    }
    shown.push_str(&format!("== Dockerfile\n{}", detected.dockerfile));
    for file in &detected.files {
        shown.push_str(&format!("== {}\n{}", file.path, file.text));
    }
    shown
}

#[test]
fn every_sample_is_recognised_as_its_snapshot_says() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sources");
    let mut paths: Vec<PathBuf> = fs::read_dir(samples)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        let root = tempfile::tempdir().unwrap();
        let wishes = unpack(&fs::read_to_string(&path).unwrap(), root.path());
        let outcome = detect(&Tree::open(root.path()).unwrap(), &wishes);
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let name = path.file_stem().unwrap().to_str().unwrap();
        settings.bind(|| insta::assert_snapshot!(name, shown(&outcome)));
    }
}

#[test]
fn a_static_site_is_built_or_served_as_it_is_and_never_a_server() {
    let cases = [
        (
            "publish_dir = dist\n-- package.json --\n{\"scripts\":{\"build\":\"make\"}}\n",
            "Node.js",
        ),
        ("-- index.html --\n<p>\n", "Static site"),
        (
            "-- package.json --\n{\"scripts\":{\"start\":\"node server.js\"}}\n-- server.js --\n",
            "a server: nothing tells which folder",
        ),
        ("-- notes.txt --\n", "no index.html was found"),
    ];
    for (sample, expected) in cases {
        let root = tempfile::tempdir().unwrap();
        let wishes = unpack(sample, root.path());
        let outcome = shown(&detect_static(&Tree::open(root.path()).unwrap(), &wishes));
        assert!(outcome.contains(expected), "{sample}\n{outcome}");
        assert!(!outcome.contains("CMD [\"node\""), "{outcome}");
    }
}
