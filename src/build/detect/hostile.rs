//! Files that want to be more than they may: whatever stands in them, a Dockerfile has no line or command of theirs.

use std::fs;
use std::path::Path;

use super::{Tree, Undetected, Wishes, detect};

/// What is tried in the place of each name. All of it says `pwned`, so that it is found wherever it goes.
const TRIED: [&str; 9] = [
    "pwned\nUSER root\nRUN pwned",
    "$(pwned)",
    "`pwned`",
    "; pwned",
    "pwned && pwned",
    "pwned AS x",
    "../../pwned",
    "--pwned",
    "x\\\n pwned <<EOF",
];

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Names are what a manifest has them as: TOML and Elixir take a line's end and quotes escaped.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}

/// Each source with `%` for what is tried, as paths and texts.
const SOURCES: &[&[(&str, &str)]] = &[
    &[
        ("Cargo.toml", "[package]\nname = \"%\"\nrust-version = \"%\"\n"),
        ("src/main.rs", ""),
    ],
    &[
        (
            "Cargo.toml",
            "[package]\nname = \"a\"\ndefault-run = \"%\"\n[[bin]]\nname = \"%\"\n",
        ),
        ("src/main.rs", ""),
    ],
    &[
        ("Cargo.toml", "[workspace]\nmembers = [\"%\", \"%/*\"]\n"),
        ("a/src/main.rs", ""),
    ],
    &[
        ("Cargo.toml", "[package]\nname = \"a\"\n"),
        ("src/main.rs", ""),
        ("rust-toolchain.toml", "[toolchain]\nchannel = \"%\"\n"),
    ],
    &[
        ("Cargo.toml", "[package]\nname = \"a\"\n"),
        ("src/main.rs", ""),
        (".tool-versions", "rust %\n"),
    ],
    &[
        (
            "go.mod",
            "module %\ngo %\ntoolchain go1.25%\nrequire % v1\nreplace % => %\n",
        ),
        ("main.go", "package main\n"),
    ],
    &[(
        "mix.exs",
        "[app: :\"%\", elixir: \"%\", releases: [\"%\": []]]\n{:phoenix,",
    )],
    &[
        ("mix.exs", "[app: :a, elixir: \"%\"]\n"),
        (".tool-versions", "elixir %\nerlang %\n"),
    ],
    &[
        ("mix.exs", "[app: :a, x: 1]\n"),
        ("config/runtime.exs", "System.fetch_env!(\"%\")\n"),
        ("assets/package.json", "%"),
    ],
    &[
        ("requirements.txt", "flask==%\n%\n"),
        ("app.py", "% = Flask()\napp = Flask()\n"),
        (".python-version", "%"),
    ],
    &[
        ("requirements.txt", "flask\n"),
        ("app.py", "app = Flask()\n"),
        ("runtime.txt", "python-3.12%\n"),
    ],
    &[
        ("requirements.txt", "flask\n"),
        ("app.py", "app = Flask()\n"),
        (".tool-versions", "python 3.12%\n"),
    ],
    &[("requirements.txt", "-r %\n"), ("main.py", "")],
    &[
        (
            "pyproject.toml",
            "[project]\nname = \"%\"\nrequires-python = \"%\"\ndependencies = [\"%\", \"flask\"]\n",
        ),
        ("uv.lock", "%"),
        ("main.py", "app: % = Flask()\n"),
    ],
    &[
        (
            "pyproject.toml",
            "[tool.poetry]\nname = \"%\"\n[tool.poetry.dependencies]\npython = \"==3.12.%\"\n",
        ),
        ("poetry.lock", ""),
        ("main.py", ""),
    ],
    &[
        (
            "Pipfile",
            "[requires]\npython_version = \"%\"\n[packages]\n\"%\" = \"*\"\n",
        ),
        ("Pipfile.lock", "{}"),
        ("main.py", ""),
    ],
    &[
        ("requirements.txt", "django\n"),
        (
            "manage.py",
            "os.environ.setdefault(\"DJANGO_SETTINGS_MODULE\", \"shop.settings\")\n",
        ),
        (
            "shop/settings.py",
            "WSGI_APPLICATION = \"%.application\"\nSTATIC_ROOT = \"%\"\nK = os.environ[\"%SECRET_KEY\"]\n",
        ),
        ("shop/wsgi.py", ""),
    ],
    &[
        ("requirements.txt", "django\n"),
        ("manage.py", "DJANGO_SETTINGS_MODULE\", \"%.settings\"\n"),
        ("a/wsgi.py", ""),
    ],
];

/// Whether nothing of what was tried stands in a Dockerfile.
fn assert_inert(outcome: &Result<super::Detected, Undetected>, tried: &str) {
    let known = ["FROM", "ENV", "ARG", "RUN", "COPY", "WORKDIR", "USER", "CMD", "#"];
    match outcome {
        Ok(detected) => {
            // A plain word may be the name of a program, as any other.
            let plain = ["-o /out/pwned", "CMD [\"pwned\"]"];
            let rest = plain
                .iter()
                .fold(detected.dockerfile.clone(), |text, word| text.replace(word, ""));
            assert!(!rest.contains("pwned"), "{tried:?}:\n{}", detected.dockerfile);
            assert!(
                !detected.dockerfile.contains("USER root"),
                "{tried:?}:\n{}",
                detected.dockerfile
            );
            for line in detected
                .dockerfile
                .lines()
                .filter(|line| !line.is_empty() && !line.starts_with(' '))
            {
                assert!(known.contains(&line.split(' ').next().unwrap()), "{tried:?}: {line}");
            }
            assert!(
                detected.reasons.iter().all(|reason| !reason.means.contains('\n')),
                "{tried:?}"
            );
        }
        Err(error) => assert!(!error.to_string().contains('\n'), "{tried:?}: {error}"),
    }
}

#[test]
fn names_in_manifests_never_become_instructions_or_commands() {
    for source in SOURCES {
        for tried in TRIED {
            let root = tempfile::tempdir().unwrap();
            for (path, text) in *source {
                let is_quoted = path.ends_with(".toml") || path.ends_with(".exs") || *path == "Pipfile";
                let put = if is_quoted { escaped(tried) } else { tried.to_owned() };
                write(root.path(), path, &text.replace('%', &put));
            }
            let wishes = Wishes { ..Wishes::default() };
            assert_inert(&detect(&Tree::open(root.path()).unwrap(), &wishes), tried);
        }
    }
}

#[test]
fn names_of_files_never_become_instructions_or_commands() {
    for tried in TRIED.iter().filter(|tried| !tried.contains("..")) {
        for (manifest, text, program, holds) in [
            ("go.mod", "module a\n", "cmd/%/main.go", "package main\n"),
            ("go.mod", "module a\n", "%/main.go", "package main\n"),
            ("Cargo.toml", "[package]\nname = \"a\"\n", "src/bin/%.rs", ""),
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"c/*\"]\n",
                "c/%/Cargo.toml",
                "[package]\nname = \"a\"\n",
            ),
            ("requirements.txt", "flask\n", "%/__init__.py", "app = Flask()\n"),
            ("requirements.txt", "django\n", "%/wsgi.py", ""),
        ] {
            let root = tempfile::tempdir().unwrap();
            write(root.path(), manifest, text);
            write(root.path(), &program.replace('%', tried), holds);
            if text == "django\n" {
                write(root.path(), "manage.py", "");
            }
            assert_inert(&detect(&Tree::open(root.path()).unwrap(), &Wishes::default()), tried);
        }
    }
}

#[test]
fn a_procfile_is_one_command_however_it_looks() {
    for tried in [
        "cat <<EOF",
        "[\"a\"]",
        "a \\",
        "--mount=x a",
        "# a",
        "a \"b\" 'c' $(d) `e`",
        "é \u{2028} x",
        "a\u{b}USER root\rUSER root",
    ] {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "requirements.txt", "flask\n");
        write(root.path(), "Procfile", &format!("web: {tried}\nUSER root\n"));
        let detected = detect(&Tree::open(root.path()).unwrap(), &Wishes::default()).unwrap();
        let last = detected.dockerfile.lines().last().unwrap();
        let words: Vec<String> = serde_json::from_str(last.strip_prefix("CMD ").unwrap()).unwrap();
        assert_eq!(words[..2], ["/bin/sh", "-c"]);
        assert_eq!(words[2].trim_start_matches("exec "), tried);
        assert!(!detected.dockerfile.contains("\nUSER root") && !detected.dockerfile.contains(['\r', '\u{b}']));
    }
}

#[test]
fn sources_that_are_made_to_take_long_are_told_of_soon_and_shortly() {
    let spaces = " ".repeat(3_000_000);
    let many = |count: usize, text: &str| vec![text; count].join(",");
    let samples: [(&str, Vec<(&str, String)>); 4] = [
        (
            "a constraint of blanks",
            vec![
                ("composer.json", format!("{{\"require\":{{\"php\":\"={spaces}8.4\"}}}}")),
                ("index.php", String::new()),
            ],
        ),
        (
            "a constraint without end",
            vec![
                (
                    "composer.json",
                    format!("{{\"require\":{{\"php\":\"{}\"}}}}", "x".repeat(3_000_000)),
                ),
                ("index.php", String::new()),
            ],
        ),
        (
            "patterns of workspaces",
            vec![
                (
                    "package.json",
                    format!("{{\"workspaces\":[{}]}}", many(300_000, "\"d/*\"")),
                ),
                ("d/x/package.json", "{}".to_owned()),
            ],
        ),
        (
            "operators",
            vec![
                (
                    "composer.json",
                    format!("{{\"require\":{{\"php\":\"{}8\"}}}}", ">= ".repeat(1_000_000)),
                ),
                ("index.php", String::new()),
            ],
        ),
    ];
    for (name, files) in samples {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let begun = std::time::Instant::now();
        let outcome = detect(&Tree::open(root.path()).unwrap(), &Wishes::default());
        assert!(
            begun.elapsed() < std::time::Duration::from_secs(5),
            "{name} took {:?}",
            begun.elapsed()
        );
        let told = format!("{outcome:?}");
        assert!(told.len() < 20_000, "{name}: {} bytes", told.len());
    }
}

#[test]
fn links_to_one_large_file_do_not_make_a_source_without_end() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("go.mod"), "module a\n\ngo 1.24\n").unwrap();
    let big = format!("package a\n{}", "// x\n".repeat(800_000));
    fs::write(root.path().join("big.go"), big).unwrap();
    for number in 0..2_000 {
        std::os::unix::fs::symlink("big.go", root.path().join(format!("f{number:05}.go"))).unwrap();
    }
    let outcome = detect(&Tree::open(root.path()).unwrap(), &Wishes::default());
    let told = outcome.unwrap_err().to_string();
    assert!(told.contains("more files than can be looked through"), "{told}");
}
