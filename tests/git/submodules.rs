//! Submodules: each at its recorded commit, by the parent's credential where the server is the same, by none elsewhere.

use std::sync::atomic::Ordering;

use dhow::git::Error;

use crate::fetcher::{Fetcher, OPEN};
use crate::git_server::{GitServer, TOKEN, WorkTree};
use crate::private::token_for;

/// Publishes a repository of one file, `README` with its name in it; answers the commit.
pub fn publish(server: &GitServer, name: &str, prepare: impl FnOnce(&WorkTree)) -> String {
    let tree = WorkTree::new();
    tree.write("README", name);
    prepare(&tree);
    let commit = tree.commit(name);
    put(server, name, &tree);
    commit
}

/// As an old commit may have come in: past the checks that a push has to pass.
fn put(server: &GitServer, name: &str, tree: &WorkTree) {
    let hosted = server.host(name);
    tree.git(&["push", "-q", "--force", hosted.dir().to_str().unwrap(), "main"]);
}

/// Case git-submodules.
#[tokio::test(flavor = "multi_thread")]
async fn git_submodules_come_at_the_recorded_commit_and_the_token_stays_with_its_server() {
    let (server, other) = (GitServer::start().await, GitServer::start().await);
    let third = publish(&other, "third", |_| {});
    let deep = publish(&server, "deep", |_| {});
    let lib = publish(&server, "lib", |tree| tree.add_submodule("deep", "../deep.git", &deep));
    let lib2 = publish(&server, "lib2", |_| {});
    // The library moves on; what was recorded counts.
    let tree = WorkTree::new();
    tree.git(&["pull", "-q", &server.address("lib2"), "main"]);
    tree.write("README", "newer");
    tree.commit("newer");
    put(&server, "lib2", &tree);
    publish(&server, "web", |tree| {
        tree.add_submodule("lib", "git@127.0.0.1:private/lib.git", &lib);
        tree.add_submodule("vendor/lib2", "../lib2.git", &lib2);
        tree.add_submodule("third", &other.address("third"), &third);
    });
    let before = other.seen.authorized.load(Ordering::Relaxed);

    let fetcher = Fetcher::new();
    let access = token_for(&server, TOKEN);
    fetcher.fetch_all(&server.private_address("web"), access).await.unwrap();
    let read = |path: &str| std::fs::read_to_string(fetcher.dir.path().join("files").join(path)).unwrap();
    for (path, content) in [
        ("README", "web"),
        ("lib/README", "lib"),
        ("lib/deep/README", "deep"),
        ("vendor/lib2/README", "lib2"),
        ("third/README", "third"),
    ] {
        assert_eq!(read(path), content, "{path}");
    }
    assert_eq!(
        other.seen.authorized.load(Ordering::Relaxed),
        before,
        "the token went to the other server"
    );
}

/// Case git-submodules.
#[tokio::test(flavor = "multi_thread")]
async fn git_submodules_that_cannot_be_had_are_named_by_their_path() {
    let server = GitServer::start().await;
    let lib = publish(&server, "lib", |_| {});
    let gone = "0123456789abcdef0123456789abcdef01234567";
    for (url, commit, words) in [
        ("../missing.git", &*lib, "no repository"),
        ("../lib.git", gone, gone),
        ("git@git.example.invalid:lib.git", &*lib, "was not found"),
        ("file:///etc", &*lib, "protocol"),
        ("../../../../etc", &*lib, "leads out"),
        ("ext::sh -c 'touch pwned'", &*lib, "address"),
        ("-oProxyCommand=x", &*lib, "address"),
    ] {
        publish(&server, "web", |tree| tree.add_submodule("vendor/lib", url, commit));
        let error = Fetcher::new()
            .fetch_all(&server.address("web"), OPEN)
            .await
            .unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains("submodule vendor/lib") && said.contains(words),
            "{url}: {said}"
        );
    }
    publish(&server, "web", |tree| {
        tree.add_submodule("vendor/lib", "../lib.git", &lib);
        tree.write(".gitmodules", "[include]\n\tpath = /etc/passwd\n");
    });
    let error = Fetcher::new()
        .fetch_all(&server.address("web"), OPEN)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Refused(_)) && error.to_string().contains(".gitmodules"),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn submodules_lie_five_deep_at_most() {
    let server = GitServer::start().await;
    let mut below = publish(&server, "r6", |_| {});
    for level in (0..6).rev() {
        let name = format!("r{level}");
        let url = format!("../r{}.git", level + 1);
        below = publish(&server, &name, |tree| tree.add_submodule("m", &url, &below));
    }
    Fetcher::new().fetch_all(&server.address("r1"), OPEN).await.unwrap();
    let error = Fetcher::new().fetch_all(&server.address("r0"), OPEN).await.unwrap_err();
    assert!(
        error.to_string().contains("m/m/m/m/m/m") && error.to_string().contains("5 deep"),
        "{error:?}"
    );
}
