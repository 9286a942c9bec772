use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};

use futures_util::{StreamExt, TryStreamExt};

use super::*;
use crate::build::plan;

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
    symlink("/etc/passwd", root.join("absolute")).unwrap();
    symlink("../../etc", root.join("upwards")).unwrap();
    symlink("tree", root.join("directory")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    let listener = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    let context = Context::open(&plan(root, "", ".", "Dockerfile", None).unwrap()).unwrap();
    let found = entries(context).await;
    drop(listener);
    assert_eq!(found["run.sh"], (EntryType::Regular, 0o750, "#!".to_owned()));
    assert_eq!(found[&long].2, "long");
    for (link, target) in [
        ("absolute", "/etc/passwd"),
        ("upwards", "../../etc"),
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

#[tokio::test]
async fn a_slow_reader_holds_the_writer_back() {
    let directory = checkout(&[("Dockerfile", "")]);
    let file = File::create(directory.path().join("big")).unwrap();
    file.set_len(256 << 20).unwrap();
    let context = Context::open(&plan(directory.path(), "", ".", "Dockerfile", None).unwrap()).unwrap();
    let mut stream = Box::pin(context.into_stream());
    let mut total = 0;
    let resident = resident_bytes();
    while let Some(piece) = stream.next().await {
        total += piece.unwrap().len();
        if total < 8 * PIECE_BYTES {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    assert!(total > 256 << 20);
    let grown = resident_bytes().saturating_sub(resident);
    // Other tests of this process need memory at the same time; the file alone would be more than this.
    assert!(grown < 160 << 20, "{grown} bytes more than before");
}

fn resident_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
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
