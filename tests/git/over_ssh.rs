//! Fetching over SSH from the real sshd: with a key, a wrong key, no key, and a server that is not the one it was.

use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dhow::git::{Access, Branches, Credential, Error, FetchLimits, HostKeys, Want};
use dhow::model::source::GitUrl;
use dhow::secrets::DeployKey;

use crate::fetcher::{Fetcher, OPEN, branch, commit, with};
use crate::free_port::free_port;
use crate::git_server::WorkTree;
use crate::ssh_server::SshServer;

fn credential(key: &DeployKey) -> Credential {
    Credential::Key {
        host: "127.0.0.1".to_owned(),
        private_key: key.private_key(),
        fingerprint: key.fingerprint(),
    }
}

/// A server that admits a key, and a repository on it whose `main` has these versions.
fn serve(versions: &[&str]) -> (SshServer, Access<'static>, WorkTree, String, Vec<String>) {
    let server = SshServer::start(free_port());
    let key = DeployKey::make("dhow-web");
    server.admit(&key.public_key());
    let path = server.repository("web");
    let tree = WorkTree::new();
    let commits = versions.iter().map(|version| tree.commit_version(version)).collect();
    if !versions.is_empty() {
        publish(&tree, &path);
    }
    let address = server.address(&path);
    (server, with(credential(&key)), tree, address, commits)
}

fn publish(tree: &WorkTree, path: &Path) {
    tree.git(&["push", "-q", "--force", path.to_str().unwrap(), "main"]);
}

/// Case git-ssh-url-forms: the listing, the shallow fetch, and the deeper one of an old commit, all with port and user.
#[tokio::test(flavor = "multi_thread")]
async fn git_ssh_url_forms_every_step_of_a_fetch_uses_port_user_and_key() {
    let (server, access, tree, address, commits) = serve(&["c1", "c2", "c3"]);
    let fetcher = Fetcher::new();
    let found = fetcher.fetch_with(&address, Want::Branch(None), access).await.unwrap();
    assert_eq!(
        (found.sha.as_str(), found.branch.as_deref()),
        (&*commits[2], Some("main"))
    );
    assert_eq!(fetcher.version(&found), "c3");
    assert!(fetcher.is_shallow(), "more was fetched than needed");
    for (digits, version) in [(&commits[0][..], "c1"), (&commits[1][..12], "c2")] {
        let fresh = Fetcher::new();
        let found = fresh.fetch_with(&address, commit(digits), access).await.unwrap();
        assert_eq!(fresh.version(&found), version);
    }
    tree.commit_version("c4");
    publish(&tree, Path::new(GitUrl::parse(&address).unwrap().path()));
    let found = fetcher.fetch_with(&address, branch("main"), access).await.unwrap();
    assert_eq!(fetcher.version(&found), "c4");

    let pinned = access.host_keys.take_new();
    assert_eq!(pinned.len(), 1, "{pinned:?}");
    assert_eq!((pinned[0].host.as_str(), pinned[0].port), ("127.0.0.1", server.port));
    assert_eq!(pinned[0].fingerprint, server.fingerprint());
    let log = server.log();
    assert!(!log.iter().any(|line| line.contains("Failed")), "{log:#?}");
}

/// Case git-bad-credentials-fail-fast.
#[tokio::test(flavor = "multi_thread")]
async fn git_bad_credentials_fail_fast_a_key_that_is_not_admitted_is_tried_once() {
    let (server, access, _tree, address, _) = serve(&["one"]);
    let stranger = DeployKey::make("dhow-other");
    let started = Instant::now();
    let error = Fetcher::new()
        .fetch_with(&address, Want::Branch(None), with(credential(&stranger)))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Auth(_)), "{error:?}");
    let said = error.to_string();
    assert!(
        said.contains("Authentication failed") && said.contains(&stranger.fingerprint()),
        "{said}"
    );
    assert!(said.contains("deploy key"), "{said}");
    assert!(started.elapsed() < Duration::from_secs(10));
    // sshd tells of what it refused before it answers.
    let log = server.log();
    assert_eq!(
        log.iter().filter(|line| line.contains("Connection from")).count(),
        1,
        "{log:#?}"
    );
    assert!(!log.iter().any(|line| line.contains("Accepted")), "{log:#?}");

    let error = Fetcher::new().fail(&address).await;
    assert!(
        matches!(error, Error::Auth(_)) && error.to_string().contains("no key"),
        "{error:?}"
    );
    Fetcher::new()
        .fetch_with(&address, Want::Branch(None), access)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_host_key_is_refused_with_both_fingerprints_before_anything_is_shown() {
    let (server, access, _tree, address, _) = serve(&["one"]);
    Fetcher::new()
        .fetch_with(&address, Want::Branch(None), access)
        .await
        .unwrap();
    let (port, before) = (server.port, server.fingerprint());
    let known = Box::leak(Box::new(HostKeys::new(access.host_keys.take_new())));
    let access = Access {
        host_keys: known,
        ..access
    };
    Fetcher::new()
        .fetch_with(&address, Want::Branch(None), access)
        .await
        .unwrap();
    assert!(known.take_new().is_empty(), "it was known already");

    drop(server);
    let other = SshServer::start(port);
    let error = Fetcher::new()
        .fetch_with(&address, Want::Branch(None), access)
        .await
        .unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, Error::Refused(_)), "{said}");
    assert!(said.contains(&before) && said.contains(&other.fingerprint()), "{said}");
    let log = other.log();
    assert!(
        !log.iter().any(|line| line.contains("publickey")),
        "the key was shown: {log:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_told_in_the_servers_words() {
    let (server, access, _tree, address, _) = serve(&[]);
    let error = Fetcher::new()
        .fetch_with(&address, Want::Branch(None), access)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Empty), "{error:?}");
    let missing = format!("{address}.missing");
    let error = Fetcher::new()
        .fetch_with(&missing, Want::Branch(None), access)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::RepositoryNotFound(_)), "{error:?}");
    assert!(
        error.to_string().contains("does not appear to be a git repository"),
        "{error}"
    );
    drop(server);
    let error = Fetcher::new()
        .fetch_with(&address, Want::Branch(None), access)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn private_hosts_need_permission_over_ssh_too() {
    let (server, access, _tree, address, _) = serve(&["one"]);
    let guarded = Access {
        allow_private: false,
        ..access
    };
    let error = Fetcher::new()
        .fetch_with(&address, Want::Branch(None), guarded)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Refused(_)) && error.to_string().contains("a private address"),
        "{error:?}"
    );
    assert!(!server.log().iter().any(|line| line.contains("Connection from")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_is_given_up_and_a_fetch_is_cancelled_at_once() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("ssh://git@{}/x", silent.local_addr().unwrap());
    let key = with(credential(&DeployKey::make("x")));
    let limits = FetchLimits {
        connect: Duration::from_secs(1),
        ..OPEN.limits
    };
    let started = Instant::now();
    let impatient = Access { limits, ..key };
    let error = Fetcher::new()
        .fetch_with(&address, Want::Branch(None), impatient)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Unreachable(_)) && error.to_string().contains("within 1 s"),
        "{error:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(3));

    let fetcher = Fetcher::new();
    let cancelled = fetcher.cancelled.clone();
    std::thread::spawn(move || {
        silent.accept().unwrap();
        let client = silent.accept().unwrap();
        cancelled.store(true, Ordering::Relaxed);
        client
    });
    let started = Instant::now();
    let error = fetcher.fetch_with(&address, Want::Branch(None), key).await.unwrap_err();
    assert!(matches!(error, Error::Cancelled), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn branches_are_listed_without_fetching() {
    let (_server, access, tree, address, _) = serve(&["one"]);
    let url = GitUrl::parse(&address).unwrap();
    tree.git(&["push", "-q", url.path(), "main:feature/a", "main:dev"]);
    let list = move || Branches::list(&url, access, &AtomicBool::new(false));
    let branches = tokio::task::spawn_blocking(list).await.unwrap().unwrap();
    assert_eq!(
        (branches.default.as_deref(), branches.names.join(" ")),
        (Some("main"), "dev feature/a main".into())
    );
}
