//! Git LFS: contents come in the place of pointers, checked, by the guard; what cannot be had is named.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dhow::git::{Access, Error, FetchLimits, LargeFiles, Pointer, Room};
use dhow::model::source::GitUrl;
use serde_json::json;

use crate::fetcher::{Fetcher, MAX_LARGE_BYTES, OPEN};
use crate::git_server::{BASIC, GitServer, TOKEN};
use crate::lfs_store::{oid, pointer};
use crate::private::token_for;
use crate::submodules::publish;

#[tokio::test(flavor = "multi_thread")]
async fn contents_come_in_the_place_of_pointers_with_the_token_of_their_server() {
    let server = GitServer::start().await;
    let (large, program) = (vec![7; 300_000], b"#!/bin/sh\n".as_slice());
    let lib = publish(&server, "lib", |tree| {
        tree.write("large.bin", &server.lfs.put(b"of the library"));
    });
    publish(&server, "web", |tree| {
        tree.write("data/large.bin", &server.lfs.put(&large));
        tree.write("data/again.bin", &pointer(&large));
        tree.write("run.sh", &server.lfs.put(program));
        tree.write("empty.bin", &server.lfs.put(b""));
        tree.write("plain.txt", "version https://git-lfs.github.com/spec/v1\nand no more");
        tree.add_submodule("lib", "../lib.git", &lib);
        std::fs::set_permissions(
            tree.path().join("run.sh"),
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )
        .unwrap();
    });
    let fetcher = Fetcher::new();
    let access = token_for(&server, TOKEN);
    fetcher.fetch_all(&server.private_address("web"), access).await.unwrap();
    for (path, contents) in [
        ("data/large.bin", &large[..]),
        ("data/again.bin", &large),
        ("run.sh", program),
        ("empty.bin", b""),
        ("plain.txt", b"version https://git-lfs.github.com/spec/v1\nand no more"),
        ("lib/large.bin", b"of the library"),
    ] {
        let path = fetcher.dir.path().join("files").join(path);
        assert!(std::fs::read(&path).unwrap() == contents, "{}", path.display());
        let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
        let is_program = path.ends_with("run.sh");
        assert_eq!(
            mode & 0o777,
            if is_program { 0o755 } else { 0o644 },
            "{}",
            path.display()
        );
    }
    let asked = server.lfs.asked();
    assert_eq!(asked.len(), 6, "a batch each, and every object once: {asked:#?}");
    assert!(
        asked.iter().all(|line| line.ends_with(&format!(" {BASIC} -"))),
        "{asked:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_goes_to_no_other_server_and_what_the_server_gave_for_the_other_does() {
    let (server, other) = (GitServer::start().await, GitServer::start().await);
    other.lfs.put(b"elsewhere");
    let (host, path) = (other.url.clone(), format!("/lfs/{}", oid(b"elsewhere")));
    let header = json!({ "X-Given": "for-the-other", "Host": "evil.example" });
    for download in [
        json!({ "href": format!("{host}{path}?signature=1"), "header": header }),
        json!({ "href": format!("{host}{path}") }),
    ] {
        publish(&server, "web", |tree| tree.write("file", &pointer(b"elsewhere")));
        server
            .lfs
            .say(b"elsewhere", json!({ "actions": { "download": download } }));
        let fetcher = Fetcher::new();
        let access = token_for(&server, TOKEN);
        fetcher.fetch_all(&server.private_address("web"), access).await.unwrap();
        let file = std::fs::read_to_string(fetcher.dir.path().join("files/file"));
        assert_eq!(file.unwrap(), "elsewhere");
    }
    assert_eq!(
        other.lfs.asked(),
        [format!("{path} - for-the-other"), format!("{path} - -")]
    );
    // Where the server says that its own address needs nothing more, nothing more is sent.
    server.lfs.put(b"signed");
    publish(&server, "web", |tree| tree.write("file", &pointer(b"signed")));
    let href = format!("{}/lfs/{}", server.url, oid(b"signed"));
    let said = json!({ "authenticated": true, "actions": { "download": { "href": href } } });
    server.lfs.say(b"signed", said);
    let access = token_for(&server, TOKEN);
    Fetcher::new()
        .fetch_all(&server.private_address("web"), access)
        .await
        .unwrap();
    assert!(server.lfs.asked().last().unwrap().ends_with(" - -"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_had_is_told_by_its_path_and_nothing_wrong_is_taken() {
    let server = GitServer::start().await;
    let download = |href: &str| json!({ "actions": { "download": { "href": href } } });
    server.lfs.serve(b"right", b"wrong");
    server.lfs.serve(b"whole", b"who");
    server.lfs.serve(b"small", b"smaller");
    server.lfs.say(b"silent", json!({}));
    server
        .lfs
        .say(b"denied", download(&format!("{}/status/403/x", server.url)));
    server.lfs.say(b"local", download("file:///etc/passwd"));
    server.lfs.say(b"named", download("http://ada:secret@127.0.0.1/x"));
    server
        .lfs
        .say(b"nowhere", download("http://lfs.example.invalid/x?secret"));
    for (contents, words) in [
        ("right", "sends other contents than the commit recorded"),
        ("whole", "sends other contents"),
        ("small", "sends other contents"),
        ("missing", "Object does not exist (404)"),
        ("silent", "does not say where"),
        ("denied", "HTTP 403"),
        ("local", "Dhow does not call"),
        ("named", "Dhow does not call"),
        ("nowhere", "lfs.example.invalid was not found"),
    ] {
        publish(&server, "web", |tree| {
            tree.write("deep/file.bin", &pointer(contents.as_bytes()));
        });
        let fetched = Fetcher::new().fetch_all(&server.address("web"), OPEN).await;
        let said = fetched.expect_err(contents).to_string();
        assert!(
            said.contains("deep/file.bin is kept by Git LFS") && said.contains(words),
            "{contents}: {said}"
        );
        assert!(!said.contains("secret"), "{said}");
    }
    // A server without Git LFS, and one that wants a password.
    publish(&server, "web", |tree| tree.write("file.bin", &server.lfs.put(b"x")));
    let url = GitUrl::parse(&server.private_address("web")).unwrap();
    let place = vec![(PathBuf::from("file.bin"), pointer_of(b"x"))];
    let error = fill(url, OPEN, place.clone()).await.unwrap_err();
    assert!(matches!(error, Error::Auth(_)), "{error:?}");
    let url = GitUrl::parse(&format!("{}/nothing/here", server.url)).unwrap();
    let error = fill(url, OPEN, place).await.unwrap_err();
    assert!(error.to_string().contains("has no Git LFS"), "{error:?}");
}

fn pointer_of(contents: &[u8]) -> Pointer {
    Pointer {
        oid: oid(contents),
        size: contents.len() as u64,
    }
}

/// Fills pointers in a directory that holds empty files.
async fn fill(url: GitUrl, access: Access<'static>, pointers: Vec<(PathBuf, Pointer)>) -> Result<(), Error> {
    let filling = move || {
        let dir = tempfile::tempdir().unwrap();
        for (place, _) in &pointers {
            std::fs::write(dir.path().join(place), "").unwrap();
        }
        let cancelled = AtomicBool::new(false);
        LargeFiles::new(access, &Room::new(MAX_LARGE_BYTES), &cancelled).fill(&url, dir.path(), &pointers, &mut |_| {})
    };
    tokio::task::spawn_blocking(filling).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_and_what_lies_behind_ssh_are_refused_without_asking() {
    let server = GitServer::start().await;
    let large = |count: u64| Pointer {
        size: MAX_LARGE_BYTES / count + 1,
        ..pointer_of(b"x")
    };
    let url = GitUrl::parse(&server.address("web")).unwrap();
    let both = vec![("a".into(), large(2)), ("b".into(), large(2))];
    let vast = Pointer {
        size: u64::MAX,
        ..pointer_of(b"y")
    };
    for pointers in [both, vec![("a".into(), large(1)), ("b".into(), vast)]] {
        let error = fill(url.clone(), OPEN, pointers).await.unwrap_err();
        assert!(
            matches!(error, Error::NoRoom(_)) && error.to_string().contains("there is room for"),
            "{error:?}"
        );
    }
    assert!(server.lfs.asked().is_empty());
    let url = GitUrl::parse("git@git.example.invalid:acme/web.git").unwrap();
    let error = fill(url, OPEN, vec![("a".into(), large(9))]).await.unwrap_err();
    assert!(
        matches!(error, Error::Refused(_)) && error.to_string().contains("https:// address"),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_contents_that_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = GitUrl::parse(&format!("http://{}/web.git", silent.local_addr().unwrap())).unwrap();
    let limits = FetchLimits {
        idle: Duration::from_millis(300),
        ..OPEN.limits
    };
    let started = Instant::now();
    let access = Access { limits, ..OPEN };
    let error = fill(url.clone(), access, vec![("a".into(), pointer_of(b"x"))]).await;
    let error = error.unwrap_err();
    assert!(
        matches!(error, Error::Unreachable(_)) && error.to_string().contains("nothing for 0.3 s"),
        "{error:?}"
    );
    let filling = std::thread::spawn(move || {
        let cancelled = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let clients = [silent.accept().unwrap(), silent.accept().unwrap()];
                cancelled.store(true, Ordering::Relaxed);
                drop(clients);
            });
            let dir = tempfile::tempdir().unwrap();
            let pointers = [("a".into(), pointer_of(b"x"))];
            LargeFiles::new(OPEN, &Room::new(MAX_LARGE_BYTES), &cancelled).fill(
                &url,
                dir.path(),
                &pointers,
                &mut |_| {},
            )
        })
    });
    assert!(matches!(
        filling.join().unwrap(),
        Err(Error::Cancelled | Error::Unreachable(_))
    ));
    assert!(started.elapsed() < Duration::from_secs(4));
}
