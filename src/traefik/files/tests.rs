use super::{DynamicFiles, Error};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

fn files() -> (tempfile::TempDir, DynamicFiles) {
    let root = tempfile::tempdir().expect("a directory");
    let files = DynamicFiles::open(&root.path().join("traefik")).expect("opened");
    (root, files)
}

#[tokio::test]
async fn a_file_is_written_replaced_listed_and_removed() {
    let (_root, files) = files();
    assert_eq!(files.read("app-a").await.expect("read"), None);
    assert!(files.write("app-b", "one").await.expect("written"));
    assert!(files.write("app-a", "one").await.expect("written"));
    assert!(files.write("app-a", "two").await.expect("replaced"));
    assert_eq!(files.read("app-a").await.expect("read").as_deref(), Some("two"));
    assert_eq!(files.list().await.expect("listed"), ["app-a", "app-b"]);
    assert!(files.remove("app-a").await.expect("removed"));
    assert!(!files.remove("app-a").await.expect("nothing to remove"));
    assert_eq!(files.list().await.expect("listed"), ["app-b"]);
}

#[tokio::test]
async fn what_others_put_there_is_told_apart() {
    let (_root, files) = files();
    files.write("app-a", "one").await.expect("written");
    for entry in ["Mine.yml", "mine.toml", "mine.yaml", ".yml"] {
        fs::write(files.watched.join(entry), "").expect("put there");
    }
    assert_eq!(files.list().await.expect("listed"), ["app-a"]);
    assert_eq!(
        files.foreign().await.expect("listed"),
        [".yml", "Mine.yml", "mine.toml", "mine.yaml"]
    );
}

#[tokio::test]
async fn the_same_text_is_not_written_again() {
    let (_root, files) = files();
    files.write("app-a", "one").await.expect("written");
    let inode = |files: &DynamicFiles| fs::metadata(files.watched.join("app-a.yml")).expect("a file").ino();
    let before = inode(&files);
    assert!(!files.write("app-a", "one").await.expect("compared"));
    assert_eq!(inode(&files), before);
}

#[tokio::test]
async fn route_one_bad_file_kills_all_a_killed_write_leaves_nothing_that_traefik_reads() {
    let (root, files) = files();
    files.write("app-a", "whole").await.expect("written");
    super::write_synced(&files.unfinished.join("app-a"), "hal").expect("as far as a killed write came");
    assert_eq!(fs::read_dir(&files.watched).expect("listed").count(), 1);
    let files = DynamicFiles::open(&root.path().join("traefik")).expect("opened again");
    assert_eq!(fs::read_dir(&files.unfinished).expect("listed").count(), 0);
    assert_eq!(files.read("app-a").await.expect("read").as_deref(), Some("whole"));
}

#[tokio::test]
async fn nobody_else_may_read_them() {
    let (root, files) = files();
    files.write("dhow", "hash").await.expect("written");
    let mode = |path: &std::path::Path| fs::metadata(path).expect("exists").permissions().mode() & 0o777;
    assert_eq!(mode(&files.watched.join("dhow.yml")), 0o600);
    assert_eq!(mode(&root.path().join("traefik/certificates/fallback.pem")), 0o600);
    for directory in [
        "traefik",
        "traefik/dynamic",
        "traefik/unfinished",
        "traefik/acme",
        "traefik/certificates",
    ] {
        assert_eq!(mode(&root.path().join(directory)), 0o700, "{directory}");
    }
}

#[tokio::test]
async fn the_fallback_certificate_is_made_once() {
    let (root, _files) = files();
    let read = || fs::read_to_string(root.path().join("traefik/certificates/fallback.pem")).expect("made");
    let first = read();
    assert!(first.contains("BEGIN CERTIFICATE") && first.contains("BEGIN PRIVATE KEY"));
    DynamicFiles::open(&root.path().join("traefik")).expect("opened again");
    assert_eq!(read(), first);
}

#[tokio::test]
async fn a_name_cannot_leave_the_directory() {
    let (_root, files) = files();
    for name in ["", "..", "../x", "a/b", "a.b", "A", "a b"] {
        assert!(
            matches!(files.write(name, "x").await, Err(Error::File { .. })),
            "{name:?}"
        );
    }
}
