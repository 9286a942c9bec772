use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};

use futures_util::TryStreamExt;
use tar::EntryType;

use super::walk::MAX_DEPTH;
use super::*;
use crate::build::detect::Detected;
use crate::build::{plan, plan_generated};

/// What a tar holds: path → kind, mode and content (of a link: its target).
type Entries = BTreeMap<String, (EntryType, u32, String)>;

fn write(directory: &Path, path: &str, content: &str) {
    let path = directory.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn checkout(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    files
        .iter()
        .for_each(|(path, content)| write(directory.path(), path, content));
    directory
}

async fn entries(context: Context) -> Entries {
    let bytes = context.into_stream().try_collect::<Vec<_>>().await.unwrap().concat();
    let mut archive = tar::Archive::new(bytes.as_slice());
    let mut found = Entries::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let (path, kind) = (entry.path().unwrap().display().to_string(), entry.header().entry_type());
        let mode = entry.header().mode().unwrap();
        assert_eq!((entry.header().uid().unwrap(), entry.header().gid().unwrap()), (0, 0));
        let mut content = entry
            .link_name()
            .unwrap()
            .map(|target| target.display().to_string())
            .unwrap_or_default();
        entry.read_to_string(&mut content).unwrap();
        assert!(
            found.insert(path.clone(), (kind, mode, content)).is_none(),
            "{path} is there twice"
        );
    }
    assert_eq!(found.remove("./").map(|(kind, ..)| kind), Some(EntryType::Directory));
    found
}

async fn names(directory: &Path, context: &str, dockerfile: &str) -> (String, Vec<String>) {
    let context = Context::open(&plan(directory, "", context, dockerfile, None).unwrap()).unwrap();
    let dockerfile = context.dockerfile().to_owned();
    (dockerfile, entries(context).await.into_keys().collect())
}

#[tokio::test]
async fn the_ignore_file_decides_what_is_sent() {
    let files = [
        ("Dockerfile", "FROM x"),
        (".env", "S=1"),
        ("node_modules/keep", ""),
        ("node_modules/drop/deep", ""),
        ("src/main.rs", ""),
        ("src/main.log", ""),
    ];
    let cases: [(&str, &str, &[&str]); 7] = [
        (
            "",
            "Dockerfile",
            &[
                ".dockerignore",
                ".env",
                "Dockerfile",
                "node_modules",
                "node_modules/drop",
                "node_modules/drop/deep",
                "node_modules/keep",
                "src",
                "src/main.log",
                "src/main.rs",
            ],
        ),
        (
            ".env\nDockerfile\nnode_modules\n!node_modules/keep",
            ".dhow.Dockerfile",
            &[
                ".dhow.Dockerfile",
                ".dockerignore",
                "node_modules",
                "node_modules/keep",
                "src",
                "src/main.log",
                "src/main.rs",
            ],
        ),
        (
            "*\n!src/*.rs",
            ".dhow.Dockerfile",
            &[".dhow.Dockerfile", "src", "src/main.rs"],
        ),
        (
            "**/*.log\n**/node_modules\n.*",
            "Dockerfile",
            &["Dockerfile", "src", "src/main.rs"],
        ),
        (
            "*\n!Dockerfile\n!**/deep",
            "Dockerfile",
            &[
                "Dockerfile",
                "node_modules",
                "node_modules/drop",
                "node_modules/drop/deep",
            ],
        ),
        ("node_modules/*\nsrc\n.*", "Dockerfile", &["Dockerfile", "node_modules"]),
        ("**", ".dhow.Dockerfile", &[".dhow.Dockerfile"]),
    ];
    for (rules, dockerfile, expected) in cases {
        let directory = checkout(&files);
        write(directory.path(), ".dockerignore", rules);
        let (sent_as, names) = names(directory.path(), ".", "Dockerfile").await;
        assert_eq!(sent_as, dockerfile, "{rules:?}");
        assert_eq!(names, expected, "{rules:?}");
    }
}

#[tokio::test]
async fn the_ignore_file_beside_the_dockerfile_wins() {
    let files = [
        ("api/Dockerfile", ""),
        ("api/Dockerfile.dockerignore", "*.txt"),
        (".dockerignore", "*.md"),
        ("a.txt", ""),
        ("b.md", ""),
    ];
    let directory = checkout(&files);
    let (sent_as, names) = names(directory.path(), ".", "api/Dockerfile").await;
    assert_eq!(sent_as, "api/Dockerfile");
    assert_eq!(
        names,
        [
            ".dockerignore",
            "api",
            "api/Dockerfile",
            "api/Dockerfile.dockerignore",
            "b.md"
        ]
    );
}

#[tokio::test]
async fn an_empty_ignore_file_beside_the_dockerfile_wins_too() {
    let files = [
        ("Dockerfile", ""),
        ("Dockerfile.dockerignore", "# all of it\n"),
        (".dockerignore", "*"),
    ];
    let directory = checkout(&files);
    let (sent_as, names) = names(directory.path(), ".", "Dockerfile").await;
    assert_eq!(sent_as, "Dockerfile");
    assert_eq!(names, [".dockerignore", "Dockerfile", "Dockerfile.dockerignore"]);
}

#[tokio::test]
async fn a_dockerfile_outside_of_the_context_is_sent_under_the_reserved_name() {
    let directory = checkout(&[("docker/prod", "FROM prod"), ("app/a.txt", "a")]);
    let context = Context::open(&plan(directory.path(), "", "app", "docker/prod", None).unwrap()).unwrap();
    let found = entries(context).await;
    assert_eq!(
        found[".dhow.Dockerfile"],
        (EntryType::Regular, 0o600, "FROM prod".to_owned())
    );
    assert_eq!(found["a.txt"].2, "a");
}

#[tokio::test]
async fn links_modes_and_long_names_are_kept() {
    let long = format!("{}/{}", "d".repeat(90), "f".repeat(120));
    let directory = checkout(&[("Dockerfile", ""), ("run.sh", "#!"), (&long, "long"), ("tree/a", "a")]);
    let root = directory.path();
    fs::set_permissions(root.join("run.sh"), fs::Permissions::from_mode(0o750)).unwrap();
    symlink("../tree/../run.sh", root.join("tree/upwards")).unwrap();
    symlink("tree", root.join("directory")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    let listener = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    let context = Context::open(&plan(root, "", ".", "Dockerfile", None).unwrap()).unwrap();
    let found = entries(context).await;
    drop(listener);
    assert_eq!(found["run.sh"], (EntryType::Regular, 0o750, "#!".to_owned()));
    assert_eq!(found[&long].2, "long");
    for (link, target) in [
        ("tree/upwards", "../tree/../run.sh"),
        ("directory", "tree"),
        ("dangling", "nowhere"),
    ] {
        assert_eq!(
            (found[link].0, found[link].2.as_str()),
            (EntryType::Symlink, target),
            "{link}"
        );
    }
    assert!(!found.contains_key("directory/a") && !found.contains_key("socket"));
}

#[tokio::test]
async fn a_malformed_ignore_file_is_told_with_its_name_and_line() {
    let directory = checkout(&[("Dockerfile", ""), (".dockerignore", "fine\n[x")]);
    let error = Context::open(&plan(directory.path(), "", ".", "Dockerfile", None).unwrap()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(error.to_string().starts_with(".dockerignore line 2: "), "{error}");
}

#[tokio::test]
async fn a_file_that_vanishes_ends_the_stream_with_its_name() {
    let directory = checkout(&[("docker/prod", ""), ("app/a.txt", "")]);
    let context = Context::open(&plan(directory.path(), "", "app", "docker/prod", None).unwrap()).unwrap();
    fs::remove_file(directory.path().join("docker/prod")).unwrap();
    let error = context.into_stream().try_collect::<Vec<_>>().await.unwrap_err();
    assert!(error.to_string().starts_with(".dhow.Dockerfile: "), "{error}");
}

/// On the small stack of a thread that blocks.
#[tokio::test]
async fn directories_that_lie_too_deep_are_an_error() {
    for (depth, is_sent) in [(MAX_DEPTH, true), (MAX_DEPTH + 1, false)] {
        let deep = "d/".repeat(depth) + "file";
        let directory = checkout(&[("Dockerfile", "FROM x"), (&deep, "x")]);
        let context = Context::open(&plan(directory.path(), "", ".", "Dockerfile", None).unwrap()).unwrap();
        let sent = context.into_stream().try_collect::<Vec<_>>().await;
        assert_eq!(sent.is_ok(), is_sent, "{depth}");
        if let Err(error) = sent {
            assert!(error.to_string().contains("more than 256 deep"), "{error}");
        }
    }
}

#[tokio::test]
async fn links_that_lead_out_of_the_context_are_refused_in_words() {
    let cases = [
        ("absolute", "/etc/hostname"),
        ("upwards", "../Dockerfile"),
        ("missing", "../nowhere"),
        ("deep/er/upwards", "../../../shared"),
        ("deep/there-and-back", "../../app/a.txt"),
        // Each by itself stays, both together do not.
        ("through", "inner/../../a.txt"),
    ];
    for (link, target) in cases {
        let directory = checkout(&[
            ("Dockerfile", ""),
            ("shared/v", ""),
            ("app/a.txt", ""),
            ("app/deep/er/x", ""),
        ]);
        let root = directory.path().join("app");
        symlink("deep", root.join("inner")).unwrap();
        symlink(target, root.join(link)).unwrap();
        let plan = plan(directory.path(), "", "app", "Dockerfile", None).unwrap();
        let sent = Context::open(&plan).unwrap().into_stream().try_collect::<Vec<_>>();
        let error = sent.await.map(drop).unwrap_err().to_string();
        let expected = format!("the link `{link}` leads to `{target}`, which is outside of the build context");
        assert!(
            error.contains(&expected) && error.contains("name the link in .dockerignore"),
            "{error}"
        );

        write(&root, ".dockerignore", link);
        let plan = crate::build::plan(directory.path(), "", "app", "Dockerfile", None).unwrap();
        let found = entries(Context::open(&plan).unwrap()).await;
        assert!(!found.contains_key(link) && found.contains_key("inner"), "{link}");
    }
}

#[tokio::test]
async fn links_that_stay_in_the_context_are_sent_whatever_is_there() {
    let directory = checkout(&[("Dockerfile", ""), ("a/b/c", "")]);
    let root = directory.path();
    let links = [
        ("dangling", "nowhere/at/all"),
        ("a/up", "../Dockerfile"),
        ("a/b/root", "../.."),
        ("short", "a/b"),
        ("through", "short/../b/c"),
        ("itself", "itself"),
        ("round", "a/about"),
        ("a/about", "../round"),
    ];
    links
        .iter()
        .for_each(|(link, target)| symlink(target, root.join(link)).unwrap());
    let found = entries(Context::open(&plan(root, "", ".", "Dockerfile", None).unwrap()).unwrap()).await;
    for (link, target) in links {
        assert_eq!(
            (found[link].0, found[link].2.as_str()),
            (EntryType::Symlink, target),
            "{link}"
        );
    }
}

fn detected(files: &[(&str, &str)]) -> Detected {
    Detected {
        summary: "A test".to_owned(),
        reasons: Vec::new(),
        dockerfile: "FROM generated".to_owned(),
        files: files
            .iter()
            .map(|(path, text)| GeneratedFile {
                path: (*path).to_owned(),
                text: (*text).to_owned(),
            })
            .collect(),
    }
}

#[tokio::test]
async fn generated_files_stand_in_for_those_of_the_same_name() {
    let files = [
        ("Dockerfile", "FROM own"),
        (".dhow.Dockerfile", "FROM own"),
        (".dhow/nginx.conf", "own"),
        (".dhow/other", "own"),
        (".dhow/deep", "a file where a directory is needed"),
        ("node_modules/a", ""),
        ("a.txt", "a"),
    ];
    let directory = checkout(&files);
    let detected = detected(&[(".dhow/nginx.conf", "generated"), (".dhow/deep/er/x", "generated")]);
    let context = Context::open(&plan_generated(directory.path(), "", &detected).unwrap()).unwrap();
    assert_eq!(context.dockerfile(), ".dhow.Dockerfile");
    let found = entries(context).await;
    let regular = |mode, text: &str| (EntryType::Regular, mode, text.to_owned());
    assert_eq!(found[".dhow.Dockerfile"], regular(0o600, "FROM generated"));
    assert_eq!(found[".dhow/nginx.conf"], regular(0o644, "generated"));
    assert_eq!(found[".dhow/deep/er/x"], regular(0o644, "generated"));
    assert_eq!(found[".dhow/deep"].0, EntryType::Directory);
    assert_eq!(found[".dhow/other"].2, "own");
    assert_eq!(found["a.txt"].2, "a");
    assert_eq!(found["Dockerfile"].2, "FROM own");
    assert!(!found.contains_key("node_modules"), "default rules hold");
}

#[tokio::test]
async fn a_repositorys_ignore_file_holds_for_generated_builds_but_not_for_generated_files() {
    let files = [
        (".dockerignore", ".*\n*.md"),
        ("node_modules/a", ""),
        ("a.md", ""),
        (".dhow/own", ""),
    ];
    let directory = checkout(&files);
    let detected = detected(&[(".dhow/nginx.conf", "generated")]);
    let context = Context::open(&plan_generated(directory.path(), "", &detected).unwrap()).unwrap();
    let names: Vec<String> = entries(context).await.into_keys().collect();
    let expected = [
        ".dhow",
        ".dhow.Dockerfile",
        ".dhow/nginx.conf",
        "node_modules",
        "node_modules/a",
    ];
    assert_eq!(names, expected);
}
