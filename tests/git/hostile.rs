//! Commits that were made to do harm: too deep, too long, too large, or with names that forge lines of a log.

use std::os::unix::fs::symlink;

use dhow::git::Error;

use crate::checkouts::Files;
use crate::fetcher::{Fetcher, OPEN};
use crate::git_server::{GitServer, WorkTree};
use crate::lfs_store::pointer;
use crate::submodules::publish;

/// Commits one object at a path that need not exist among the files.
fn record(tree: &WorkTree, mode: &str, content: &str, path: &str) {
    tree.write("content", content);
    let blob = tree.git(&["hash-object", "-w", "content"]);
    let entry = format!("{mode},{},{path}", blob.trim());
    tree.git(&["update-index", "--add", "--cacheinfo", &entry]);
    tree.git(&["commit", "-q", "-m", "made by hand"]);
}

fn refusal(tree: &WorkTree) -> String {
    let files = Files::new();
    let error = files.take(tree).unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error:?}");
    assert!(!files.path("").exists());
    error.to_string()
}

#[test]
fn directories_lie_128_deep_at_most() {
    for depth in [129, 1900] {
        let tree = WorkTree::new();
        record(&tree, "100644", "x", &("d/".repeat(depth) + "file"));
        let said = refusal(&tree);
        assert!(said.contains("more than 128 directories deep"), "{said}");
    }
    let tree = WorkTree::new();
    let path = "d/".repeat(128) + "file";
    record(&tree, "100644", "x", &path);
    let files = Files::new();
    files.take(&tree).unwrap();
    assert!(files.path(&path).exists());
}

#[test]
fn links_hold_no_more_than_a_path() {
    let tree = WorkTree::new();
    record(&tree, "120000", &"a/".repeat(2048), "link");
    let said = refusal(&tree);
    assert!(said.starts_with("link ") && said.contains("4,095 bytes"), "{said}");
}

#[test]
fn names_forge_no_lines() {
    let tree = WorkTree::new();
    symlink("/etc/passwd", tree.path().join("a\n==> done\u{1b}[2J")).unwrap();
    tree.commit("name");
    let said = refusal(&tree);
    assert!(said.contains(r"a\n==> done\u{1b}[2J"), "{said}");
    assert!(!said.contains(char::is_control), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_do_not_leave_by_way_of_a_submodule() {
    let server = GitServer::start().await;
    let lib = publish(&server, "lib", |tree| symlink(".", tree.path().join("d")).unwrap());
    for (target, is_inside) in [
        ("sub/d/d/d/README", true),
        ("sub/d/../README", true),
        ("sub/d/d/d/../../../../etc/hostname", false),
    ] {
        publish(&server, "web", |tree| {
            tree.add_submodule("sub", "../lib.git", &lib);
            symlink(target, tree.path().join("leak")).unwrap();
        });
        let fetcher = Fetcher::new();
        let fetched = fetcher.fetch_all(&server.address("web"), OPEN).await;
        assert_eq!(fetched.is_ok(), is_inside, "{target}: {fetched:?}");
        assert_eq!(fetcher.dir.path().join("files").exists(), is_inside, "{target}");
        if let Err(error) = fetched {
            assert!(
                matches!(error, Error::Refused(_)) && error.to_string().starts_with("leak is a symbolic link"),
                "{error:?}"
            );
        }
    }
}

#[test]
fn files_together_have_no_more_than_there_is_room_for() {
    let tree = WorkTree::new();
    for name in ["a", "b", "c"] {
        tree.write(name, &"x".repeat(8192));
    }
    tree.commit("three times 8 KiB");
    let files = Files::with_room(30_000);
    let error = files.take(&tree).unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, Error::NoRoom(_)), "{error:?}");
    assert!(
        said.starts_with("c has 8 KiB, and there is room for 2 KiB more"),
        "{said}"
    );
    assert!(!files.path("").exists());
    Files::with_room(40_000).take(&tree).unwrap();
}

/// The object is a header and nothing else, so who reads more of it than that finds it damaged.
#[test]
fn a_file_that_is_too_large_is_not_read() {
    let (tree, files) = (WorkTree::new(), Files::new());
    let hosted = files.hosted();
    let id = "12".repeat(20);
    let header = b"blob 268435457\0";
    let length = u16::try_from(header.len()).unwrap();
    // One stored block of deflate (RFC 1951 §3.2.4) in zlib's clothes.
    let mut object = vec![0x78, 0x01, 0x01];
    object.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
    object.extend(header);
    let directory = hosted.dir().join("objects").join(&id[..2]);
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join(&id[2..]), object).unwrap();
    for (mode, words) in [("100644", "is larger than 256 MiB"), ("120000", "4,095 bytes")] {
        let git = |arguments: &[&str]| {
            let to = ["--git-dir", hosted.dir().to_str().unwrap(), "--work-tree", "."];
            tree.git(&[&to, arguments].concat()).trim().to_owned()
        };
        git(&["update-index", "--add", "--cacheinfo", &format!("{mode},{id},vast")]);
        let written = git(&["write-tree", "--missing-ok"]);
        let commit = git(&["commit-tree", &written, "-m", "vast"]);
        git(&["update-ref", "refs/heads/main", &commit]);
        let error = files.take_hosted().unwrap_err();
        assert!(
            matches!(error, Error::Refused(_)) && error.to_string().contains(words),
            "{error:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn submodules_and_large_files_share_the_room() {
    let server = GitServer::start().await;
    let half = "x".repeat(600 << 10);
    let lib = publish(&server, "lib", |tree| tree.write("half", &half));
    Fetcher::new().fetch_all(&server.address("lib"), OPEN).await.unwrap();
    for (with_submodule, words) in [
        (true, "The submodule sub cannot be fetched. half has 600 KiB"),
        (false, "files in Git LFS have 600 KiB"),
    ] {
        publish(&server, "web", |tree| {
            tree.write("half", &half);
            if with_submodule {
                tree.add_submodule("sub", "../lib.git", &lib);
            } else {
                tree.write("large", &pointer(half.as_bytes()));
            }
        });
        let error = Fetcher::new()
            .fetch_all(&server.address("web"), OPEN)
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::NoRoom(_)) && error.to_string().contains(words),
            "{error:?}"
        );
    }
    assert!(server.lfs.asked().is_empty());
}
