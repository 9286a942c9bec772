//! What Dhow says when it cannot fetch, and that it does not wait for ever.

use std::io::Write;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dhow::git::{Access, Branches, Error, FetchLimits, Want};
use dhow::model::source::{Branch, GitUrl};

use crate::fetcher::{Fetcher, OPEN, branch, push, serve_versions};
use crate::git_server::{GitServer, WorkTree};

/// Case git-empty-repo-or-other-default.
#[tokio::test(flavor = "multi_thread")]
async fn git_empty_repo_or_other_default_empty_repositories_and_other_branches_are_named() {
    let server = GitServer::start().await;
    let hosted = server.host("web");
    let address = server.address("web");
    let error = Fetcher::new().fail(&address).await;
    assert!(matches!(error, Error::Empty), "{error}");
    assert!(error.to_string().contains("repository is empty"), "{error}");

    let tree = WorkTree::new();
    tree.commit_version("one");
    push(&server, &tree, &["main:master"]).await;
    let fetcher = Fetcher::new();
    let found = fetcher.fetch(&address, Want::Branch(None)).await.unwrap();
    assert_eq!(found.branch.as_deref(), Some("master"));
    let error = fetcher.fetch(&address, branch("main")).await.unwrap_err();
    assert!(matches!(error, Error::RefNotFound(_)), "{error}");
    assert_eq!(
        error.to_string(),
        "The repository has no branch main. It has only master."
    );

    // HEAD names a branch that was never pushed: the only one there is will be meant, of two neither.
    hosted.set_deploy_branch(&Branch::parse("trunk").unwrap()).unwrap();
    let found = fetcher.fetch(&address, Want::Branch(None)).await.unwrap();
    assert_eq!(found.branch.as_deref(), Some("master"));
    push(&server, &tree, &["main:other", "main:third"]).await;
    let error = fetcher.fail(&address).await;
    assert!(matches!(error, Error::RefNotFound(_)), "{error}");
    assert!(error.to_string().ends_with("It has master, other, third."), "{error}");
}

/// Case git-bad-credentials-fail-fast.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_the_server_are_told_apart() {
    let (server, _tree, _) = serve_versions(&["one"]).await;
    let at = |path: &str| format!("{}/{path}", server.url);
    let before = server.seen.requests.load(Ordering::Relaxed);
    let started = Instant::now();
    let error = Fetcher::new().fail(&at("private/web.git")).await;
    assert!(matches!(error, Error::Auth(_)), "{error}");
    assert!(server.seen.requests.load(Ordering::Relaxed) - before < 6);
    assert!(started.elapsed() < Duration::from_secs(5));

    for (path, is_right, words) in [
        (
            "git/missing.git",
            (|it| matches!(it, Error::RepositoryNotFound(_))) as fn(&Error) -> bool,
            "no repository",
        ),
        ("status/403/x", |it| matches!(it, Error::Auth(_)), "denies access"),
        ("status/500/x", |it| matches!(it, Error::Unreachable(_)), "HTTP 500"),
        (
            "status/429/x",
            |it| matches!(it, Error::Unreachable(_)),
            "fewer requests",
        ),
        (
            "html/x",
            |it| matches!(it, Error::Unreachable(_)),
            "not as a Git server",
        ),
        ("elsewhere/web.git", |it| matches!(it, Error::Refused(_)), "redirects"),
    ] {
        let error = Fetcher::new().fail(&at(path)).await;
        assert!(
            is_right(&error) && error.to_string().contains(words),
            "{path}: {error:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn private_hosts_and_plain_http_need_permission() {
    let (server, _tree, _) = serve_versions(&["one"]).await;
    let guarded = Access {
        allow_private: false,
        ..OPEN
    };
    let before = server.seen.requests.load(Ordering::Relaxed);
    let port = server.authority.rsplit(':').next().unwrap();
    for (address, words) in [
        (server.address("web"), "over http"),
        (format!("https://{}/git/web.git", server.authority), "a private address"),
        (format!("https://localhost:{port}/git/web.git"), "a private address"),
        (
            format!("https://[::ffff:127.0.0.1]:{port}/git/web.git"),
            "a private address",
        ),
        ("https://2130706433/x".to_owned(), "a private address"),
        (
            "https://169.254.169.254/latest/meta-data".to_owned(),
            "a private address",
        ),
    ] {
        let error = Fetcher::new()
            .fetch_with(&address, Want::Branch(None), guarded)
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::Refused(_)) && error.to_string().contains(words),
            "{address}: {error:?}"
        );
    }
    assert_eq!(server.seen.requests.load(Ordering::Relaxed), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_not_there_are_named() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for address in [
        format!("http://{closed}/x"),
        format!("https://{closed}/x"),
        "https://nowhere.invalid/x".to_owned(),
    ] {
        let error = Fetcher::new().fail(&address).await;
        assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
        let host = GitUrl::parse(&address).unwrap().host();
        assert!(error.to_string().contains(&host), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let limits = FetchLimits {
        idle: Duration::from_secs(1),
        ..OPEN.limits
    };
    for scheme in ["http", "https"] {
        let address = format!("{scheme}://{}/x", silent.local_addr().unwrap());
        let started = Instant::now();
        let impatient = Access { limits, ..OPEN };
        let error = Fetcher::new()
            .fetch_with(&address, Want::Branch(None), impatient)
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::Unreachable(_)) && error.to_string().contains("nothing for 1 s"),
            "{error:?}"
        );
        assert!(started.elapsed() < Duration::from_secs(3));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_there_is_room_for_is_not_taken() {
    let (server, tree, _) = serve_versions(&["small"]).await;
    let digits = (0..50_000u64).map(|number| format!("{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let noise: String = digits.collect();
    tree.write("noise", &noise);
    tree.commit("large");
    push(&server, &tree, &["main"]).await;
    let limits = FetchLimits {
        pack_bytes: 4096,
        ..OPEN.limits
    };
    let error = Fetcher::new()
        .fetch_with(&server.address("web"), Want::Branch(None), Access { limits, ..OPEN })
        .await
        .unwrap_err();
    assert!(error.to_string().contains("more than there is room for"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_comes_to_an_end_is_given_up() {
    for (pause, words) in [
        (Duration::from_millis(1), "more than 2 s"),
        (Duration::ZERO, "more branches and tags"),
    ] {
        let total = Duration::from_secs(if pause.is_zero() { 60 } else { 2 });
        let limits = FetchLimits { total, ..OPEN.limits };
        let started = Instant::now();
        let address = list_branches_for_ever(pause);
        let error = Fetcher::new()
            .fetch_with(&address, Want::Branch(None), Access { limits, ..OPEN })
            .await
            .unwrap_err();
        assert!(error.to_string().contains(words), "{error:?}");
        assert!(started.elapsed() < Duration::from_secs(20));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_gits_is_the_servers_fault() {
    let odd = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = GitUrl::parse(&format!("http://{}/x", odd.local_addr().unwrap())).unwrap();
    std::thread::spawn(move || {
        let mut client = odd.accept().unwrap().0;
        let head = "HTTP/1.0 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\r\n";
        // Packets that are delimiters of another version of the protocol (gitprotocol-v2).
        let _sent = client.write_all(format!("{head}{}", "0001".repeat(1000)).as_bytes());
    });
    let list = move || Branches::list(&url, OPEN, &AtomicBool::new(false));
    let error = tokio::task::spawn_blocking(list).await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
}

/// The address of a server whose list of branches has no end.
fn list_branches_for_ever(pause: Duration) -> String {
    let endless = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/x", endless.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut client = endless.accept().unwrap().0;
        // With neither a length nor chunks, as old servers answer.
        let head = "HTTP/1.0 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\r\n";
        let first = format!(
            "001e# service=git-upload-pack\n00000044{:040x} refs/heads/a\0ofs-delta\n",
            1
        );
        let branches = format!("003e{:040x} refs/heads/b0001\n", 1).repeat(if pause.is_zero() { 1000 } else { 1 });
        let mut more = client.write_all(format!("{head}{first}").as_bytes());
        while more.is_ok() {
            std::thread::sleep(pause);
            more = client.write_all(branches.as_bytes());
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_is_cancelled_at_once() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for scheme in ["http", "https"] {
        let fetcher = Fetcher::new();
        let address = format!("{scheme}://{}/x", silent.local_addr().unwrap());
        let cancelled = fetcher.cancelled.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            cancelled.store(true, Ordering::Relaxed);
        });
        let started = Instant::now();
        let error = fetcher.fail(&address).await;
        assert!(matches!(error, Error::Cancelled), "{error:?}");
        assert!(started.elapsed() < Duration::from_secs(2));
    }
}
