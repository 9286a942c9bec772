//! What Dhow fetches: as little as possible, and exactly what was asked for.

use dhow::git::{Error, Want};

use crate::fetcher::{Fetcher, branch, commit, push, serve_versions};

#[tokio::test(flavor = "multi_thread")]
async fn the_default_branch_is_followed() {
    let (server, tree, commits) = serve_versions(&["c1", "c2", "c3"]).await;
    let fetcher = Fetcher::new();
    let found = fetcher.fetch(&server.address("web"), Want::Branch(None)).await.unwrap();
    assert_eq!(found.sha.as_str(), commits[2]);
    assert_eq!(
        (found.message.as_str(), found.author.as_str(), found.branch.as_deref()),
        ("c3", "Ada", Some("main"))
    );
    assert_eq!(fetcher.version(&found), "c3");
    assert!(fetcher.is_shallow(), "more was fetched than needed");

    // The next fetch brings the next commit, be it forced.
    for (version, start) in [("c4", "HEAD"), ("c5", "HEAD~2")] {
        tree.git(&["reset", "-q", "--hard", start]);
        let pushed = tree.commit_version(version);
        push(&server, &tree, &["main"]).await;
        let found = fetcher.fetch(&server.address("web"), Want::Branch(None)).await.unwrap();
        assert_eq!(
            (found.sha.as_str(), fetcher.version(&found).as_str()),
            (pushed.as_str(), version)
        );
    }
}

/// Case git-rollback-to-old-commit.
#[tokio::test(flavor = "multi_thread")]
async fn git_rollback_to_old_commit_an_exact_commit_is_fetched_however_old() {
    let (server, tree, commits) = serve_versions(&["c1", "c2", "c3"]).await;
    tree.git(&["checkout", "-q", "-b", "side"]);
    let side = tree.commit_version("side");
    tree.git(&["tag", "-a", "v1", "-m", "tagged"]);
    push(&server, &tree, &["side", "v1"]).await;
    let address = server.address("web");

    let fetcher = Fetcher::new();
    fetcher.fetch(&address, branch("main")).await.unwrap();
    for (digits, version) in [
        (&commits[0][..], "c1"),
        (&commits[1][..12], "c2"),
        (&commits[2][..7], "c3"),
        (&side[..], "side"),
        (&side[..12], "side"),
    ] {
        let found = fetcher.fetch(&address, commit(digits)).await.unwrap();
        assert!(found.sha.as_str().starts_with(digits));
        assert_eq!(fetcher.version(&found), version);
        // And by a mirror that knows nothing yet.
        let fresh = Fetcher::new();
        let found = fresh.fetch(&address, commit(digits)).await.unwrap();
        assert_eq!(fresh.version(&found), version);
    }
    // A mirror that was deepened still follows branches.
    tree.git(&["checkout", "-q", "main"]);
    tree.commit_version("c4");
    push(&server, &tree, &["main"]).await;
    let found = fetcher.fetch(&address, branch("main")).await.unwrap();
    assert_eq!(fetcher.version(&found), "c4");

    for missing in ["0123456789abcdef0123456789abcdef01234567", "0123456789ab"] {
        let error = fetcher.fetch(&address, commit(missing)).await.unwrap_err();
        assert!(matches!(error, Error::CommitNotFound(_)), "{error}");
        assert!(error.to_string().contains(missing), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_gives_commits_by_name_is_asked_for_one() {
    let (server, _tree, commits) = serve_versions(&["c1", "c2", "c3"]).await;
    let config = server.host("web").dir().join("config");
    let more = "[uploadpack]\n\tallowReachableSHA1InWant = true\n";
    std::fs::write(&config, std::fs::read_to_string(&config).unwrap() + more).unwrap();
    let fetcher = Fetcher::new();
    let found = fetcher
        .fetch(&server.address("web"), commit(&commits[1]))
        .await
        .unwrap();
    assert_eq!(fetcher.version(&found), "c2");
    assert!(fetcher.is_shallow(), "more was fetched than needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_annotated_tag_leads_to_its_commit() {
    let (server, tree, commits) = serve_versions(&["c1", "c2"]).await;
    tree.git(&["tag", "-a", "v1", "-m", "tagged", &commits[0]]);
    push(&server, &tree, &["v1"]).await;
    let fetcher = Fetcher::new();
    let found = fetcher
        .fetch(&server.address("web"), commit(&commits[0]))
        .await
        .unwrap();
    assert_eq!(fetcher.version(&found), "c1");
    assert!(fetcher.is_shallow(), "more was fetched than needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn branches_whose_names_clash_over_time_are_no_trouble() {
    let (server, tree, _) = serve_versions(&["c1"]).await;
    let fetcher = Fetcher::new();
    push(&server, &tree, &["main:a"]).await;
    fetcher.fetch(&server.address("web"), branch("a")).await.unwrap();
    push(&server, &tree, &[":a"]).await;
    tree.commit_version("c2");
    push(&server, &tree, &["main:a/b"]).await;
    let found = fetcher.fetch(&server.address("web"), branch("a/b")).await.unwrap();
    assert_eq!(
        (fetcher.version(&found).as_str(), found.branch.as_deref()),
        ("c2", Some("a/b"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_moved_on_the_same_server_is_followed() {
    let (server, _tree, commits) = serve_versions(&["one"]).await;
    let found = Fetcher::new()
        .fetch(&format!("{}/moved/web.git", server.url), Want::Branch(None))
        .await
        .unwrap();
    assert_eq!(found.sha.as_str(), commits[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_of_the_former_repository_is_not_found_in_the_new_one() {
    let (server, _tree, commits) = serve_versions(&["one"]).await;
    let (other, _tree, _) = serve_versions(&["other"]).await;
    let fetcher = Fetcher::new();
    fetcher.fetch(&server.address("web"), Want::Branch(None)).await.unwrap();
    let error = fetcher
        .fetch(&other.address("web"), commit(&commits[0]))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::CommitNotFound(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_mirror_is_made_anew() {
    let (server, _tree, _) = serve_versions(&["one"]).await;
    let fetcher = Fetcher::new();
    let mirror = fetcher.dir.path().join("mirror");
    fetcher.fetch(&server.address("web"), Want::Branch(None)).await.unwrap();

    std::fs::remove_file(mirror.join("HEAD")).unwrap();
    fetcher.fetch(&server.address("web"), Want::Branch(None)).await.unwrap();

    // Damage that is found only in use.
    for folder in ["objects/pack", "refs/fetched"] {
        for file in std::fs::read_dir(mirror.join(folder)).unwrap() {
            let path = file.unwrap().path();
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, "garbage").unwrap();
        }
        let found = fetcher.fetch(&server.address("web"), Want::Branch(None)).await.unwrap();
        assert_eq!(fetcher.version(&found), "one");
    }
}
