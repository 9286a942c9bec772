//! Repositories that want a token: it is given by the relay, to the repository's own server, and to nobody else.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use dhow::git::{Access, Credential, Error, Want};
use dhow::model::source::SourceToken;

use crate::fetcher::{Fetcher, serve_versions, with};
use crate::git_server::{GitServer, TOKEN};

/// A token for a server of tests.
pub fn token_for(server: &GitServer, token: &str) -> Access<'static> {
    with(Credential::Token {
        origin: server.url.clone(),
        token: SourceToken::parse("", token).unwrap(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_repository_is_fetched_with_its_token() {
    let (server, _tree, commits) = serve_versions(&["one", "two"]).await;
    let fetcher = Fetcher::new();
    let access = token_for(&server, TOKEN);
    let found = fetcher
        .fetch_with(&server.private_address("web"), Want::Branch(None), access)
        .await
        .unwrap();
    assert_eq!(
        (found.sha.as_str(), fetcher.version(&found).as_str()),
        (&*commits[1], "two")
    );
    let kept = std::fs::read_to_string(fetcher.dir.path().join("mirror/config")).unwrap();
    assert!(!kept.contains(TOKEN) && kept.contains("/private/web.git"), "{kept}");
}

/// Case git-bad-credentials-fail-fast.
#[tokio::test(flavor = "multi_thread")]
async fn git_bad_credentials_fail_fast_a_wrong_token_is_tried_once() {
    let (server, _tree, _) = serve_versions(&["one"]).await;
    let before = server.seen.requests.load(Ordering::Relaxed);
    let started = Instant::now();
    let error = Fetcher::new()
        .fetch_with(
            &server.private_address("web"),
            Want::Branch(None),
            token_for(&server, "wrong-token"),
        )
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Auth(_)), "{error:?}");
    let said = error.to_string();
    assert!(
        said.contains("Authentication failed") && !said.contains("wrong-token"),
        "{said}"
    );
    assert!(server.seen.requests.load(Ordering::Relaxed) - before < 6);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_server_is_not_shown() {
    let (server, _tree, _) = serve_versions(&["one"]).await;
    let other = GitServer::start().await;
    let before = server.seen.authorized.load(Ordering::Relaxed);
    let error = Fetcher::new()
        .fetch_with(
            &server.private_address("web"),
            Want::Branch(None),
            token_for(&other, TOKEN),
        )
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Auth(_)) && error.to_string().contains("asks for a password"),
        "{error:?}"
    );
    assert_eq!(server.seen.authorized.load(Ordering::Relaxed), before);
}
