//! The files of a commit on disk: what is kept, and what is refused.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use dhow::git::{CheckedOut, Error, HostedRepository, Room, Want};
use dhow::model::source::{Branch, CommitPrefix};
use tempfile::TempDir;

use crate::git_server::WorkTree;
use crate::lfs_store::{oid, pointer};

/// The commit at the head of a working copy, checked out.
pub struct Files {
    dir: TempDir,
    room: Room,
}

impl Files {
    /// With room for everything.
    pub fn new() -> Self {
        Self::with_room(1 << 30)
    }

    /// With room for so many bytes.
    pub fn with_room(bytes: u64) -> Self {
        Self {
            dir: TempDir::new().unwrap(),
            room: Room::new(bytes),
        }
    }

    /// Where a file of the checkout is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("files").join(name)
    }

    fn mode(&self, name: &str) -> u32 {
        self.path(name).metadata().unwrap().permissions().mode() & 0o7777
    }

    /// Checks out the head of a working copy.
    pub fn take(&self, tree: &WorkTree) -> Result<CheckedOut, Error> {
        let hosted = self.hosted();
        tree.git(&[
            "push",
            "-q",
            "--force",
            hosted.dir().to_str().unwrap(),
            "HEAD:refs/heads/main",
        ]);
        self.take_hosted()
    }

    /// The repository whose commits are checked out.
    pub fn hosted(&self) -> HostedRepository {
        HostedRepository::open(&self.dir.path().join("hosted.git")).unwrap()
    }

    /// Checks out what stands in the repository already.
    pub fn take_hosted(&self) -> Result<CheckedOut, Error> {
        let hosted = self.hosted();
        let commit = hosted.resolve(&Want::Branch(None))?;
        hosted.check_out(
            &commit.sha,
            &self.dir.path().join("files"),
            &self.room,
            &AtomicBool::new(false),
        )
    }
}

#[test]
fn files_are_the_recorded_ones() {
    let tree = WorkTree::new();
    tree.write("run.sh", "#!/bin/sh\n");
    tree.write("deep/er/plain", "a\r\nb\n");
    tree.write(".gitattributes", "*.txt text eol=crlf\n* ident filter=evil\n");
    tree.write("unix.txt", "a\nb\n$Id$\n");
    std::fs::set_permissions(tree.path().join("run.sh"), PermissionsExt::from_mode(0o755)).unwrap();
    symlink("deep/er/plain", tree.path().join("link")).unwrap();
    symlink("../../run.sh", tree.path().join("deep/er/up")).unwrap();
    tree.commit("files");

    let files = Files::new();
    files.take(&tree).unwrap();
    assert_eq!(
        (files.mode("run.sh"), files.mode("deep/er/plain"), files.mode("deep")),
        (0o755, 0o644, 0o755)
    );
    assert_eq!(files.mode(""), 0o700);
    assert_eq!(std::fs::read(files.path("link")).unwrap(), b"a\r\nb\n");
    assert_eq!(std::fs::read(files.path("deep/er/up")).unwrap(), b"#!/bin/sh\n");
    assert_eq!(std::fs::read(files.path("unix.txt")).unwrap(), b"a\nb\n$Id$\n");
    assert!(!files.path(".git").exists());
}

#[test]
fn links_that_leave_are_refused_and_nothing_stays() {
    for target in ["/etc/passwd", "..", "../../x", "sub/../../x"] {
        let tree = WorkTree::new();
        tree.write("sub/file", "x");
        symlink(target, tree.path().join("escape")).unwrap();
        tree.commit("link");
        let files = Files::new();
        let error = files.take(&tree).unwrap_err();
        assert!(
            matches!(error, Error::Refused(_)) && error.to_string().contains("escape"),
            "{target}: {error:?}"
        );
        assert!(!files.path("").exists());
    }
}

#[test]
fn names_that_would_be_read_by_git_are_refused() {
    let tree = WorkTree::new();
    tree.write("hook", "x");
    let blob = tree.git(&["hash-object", "-w", "hook"]);
    for name in [".git", ".GIT", ".."] {
        let files = Files::new();
        let hosted = HostedRepository::open(&files.dir.path().join("hosted.git")).unwrap();
        // git itself makes no such tree, so its bytes are written by hand.
        let mut bytes = format!("100644 {name}\0").into_bytes();
        bytes.extend(
            (0..40)
                .step_by(2)
                .map(|at| u8::from_str_radix(&blob[at..at + 2], 16).unwrap()),
        );
        std::fs::write(tree.path().join("tree"), bytes).unwrap();
        let id = tree.git(&["hash-object", "-t", "tree", "-w", "--literally", "tree"]);
        let commit = tree.git(&["commit-tree", id.trim(), "-m", "evil"]);
        let branch = format!("{}:refs/heads/main", commit.trim());
        tree.git(&["push", "-q", "--force", hosted.dir().to_str().unwrap(), &branch]);
        let sha = hosted.resolve(&Want::Branch(None)).unwrap().sha;
        let into = files.dir.path().join("files");
        let error = hosted
            .check_out(&sha, &into, &files.room, &AtomicBool::new(false))
            .unwrap_err();
        assert!(matches!(error, Error::Refused(_)), "{name}: {error:?}");
        assert!(!into.exists());
    }
}

#[test]
fn a_submodule_is_told_and_its_place_left_empty() {
    let library = WorkTree::new();
    library.write("README", "library");
    let recorded = library.commit("library");
    let tree = WorkTree::new();
    tree.add_submodule("vendor/lib", "../lib.git", &recorded);
    tree.write("large.bin", &pointer(b"large"));
    tree.commit("submodule");

    let files = Files::new();
    let found = files.take(&tree).unwrap();
    assert!(files.path("vendor/lib").is_dir());
    let [(place, commit)] = &found.submodules[..] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (place.as_path(), commit.as_str()),
        (Path::new("vendor/lib"), &*recorded)
    );
    let [(place, pointer)] = &found.lfs_pointers[..] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (place.as_path(), pointer.size, &pointer.oid),
        (Path::new("large.bin"), 5, &oid(b"large"))
    );
}

#[test]
fn only_an_empty_directory_is_filled() {
    let tree = WorkTree::new();
    tree.commit_version("one");
    let files = Files::new();
    std::fs::create_dir_all(files.path("")).unwrap();
    files.take(&tree).unwrap();
    assert!(matches!(files.take(&tree), Err(Error::Other(_))));
    assert!(files.path("VERSION").exists(), "what was there is kept");
}

#[test]
fn a_cancelled_checkout_leaves_nothing() {
    let tree = WorkTree::new();
    tree.commit_version("one");
    let files = Files::new();
    files.take(&tree).unwrap();
    let hosted = HostedRepository::open(&files.dir.path().join("hosted.git")).unwrap();
    let commit = hosted.resolve(&Want::Branch(None)).unwrap();
    let into = files.dir.path().join("other");
    let error = hosted
        .check_out(&commit.sha, &into, &files.room, &AtomicBool::new(true))
        .unwrap_err();
    assert!(matches!(error, Error::Cancelled));
    assert!(!into.exists());
}

#[test]
fn a_hosted_repository_answers_without_network() {
    let files = Files::new();
    let hosted = HostedRepository::open(Path::new(&files.dir.path().join("hosted.git"))).unwrap();
    assert!(matches!(hosted.resolve(&Want::Branch(None)), Err(Error::Empty)));
    let tree = WorkTree::new();
    let first = tree.commit_version("one");
    tree.commit_version("two");
    files.take(&tree).unwrap();
    let found = hosted
        .resolve(&Want::Commit(CommitPrefix::parse(&first[..8]).unwrap()))
        .unwrap();
    assert_eq!(found.sha.as_str(), first);
    let error = hosted
        .resolve(&Want::Branch(Some(Branch::parse("dev").unwrap())))
        .unwrap_err();
    assert_eq!(error.to_string(), "The repository has no branch dev. It has only main.");
    let missing = Want::Commit(CommitPrefix::parse("0123456789").unwrap());
    assert!(matches!(hosted.resolve(&missing), Err(Error::CommitNotFound(_))));
}
