//! What Dhow fetches, and what it says when it cannot.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dhow::git::{Access, Commit, Error, FetchLimits, Mirror, Want};
use dhow::model::source::{Branch, CommitPrefix, GitUrl};
use tempfile::TempDir;

use crate::git_server::{GitServer, WorkTree};

const OPEN: Access = Access {
    allow_private: true,
    limits: FetchLimits {
        connect: Duration::from_secs(5),
        idle: Duration::from_secs(10),
        total: Duration::from_secs(60),
    },
};

/// A mirror in a directory of its own.
struct Fetcher {
    dir: TempDir,
    cancelled: Arc<AtomicBool>,
}

impl Fetcher {
    fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
            cancelled: Arc::default(),
        }
    }

    async fn fetch_with(&self, address: &str, want: Want, access: Access) -> Result<Commit, Error> {
        let (dir, url, cancelled) = (
            self.dir.path().join("mirror"),
            GitUrl::parse(address).unwrap(),
            self.cancelled.clone(),
        );
        tokio::task::spawn_blocking(move || {
            let mut progress = |line: &str| assert!(!line.contains('\n') && !line.is_empty(), "{line:?}");
            Mirror::open(&dir)?.fetch(&url, &want, access, &mut progress, &cancelled)
        })
        .await
        .unwrap()
    }

    async fn fetch(&self, address: &str, want: Want) -> Result<Commit, Error> {
        self.fetch_with(address, want, OPEN).await
    }

    async fn fail(&self, address: &str) -> Error {
        self.fetch(address, Want::Branch(None)).await.unwrap_err()
    }

    /// The content of VERSION in that commit.
    fn version(&self, commit: &Commit) -> String {
        let into = self.dir.path().join("checkout");
        let mirror = Mirror::open(&self.dir.path().join("mirror")).unwrap();
        mirror.check_out(&commit.sha, &into, false, &self.cancelled).unwrap();
        let version = std::fs::read_to_string(into.join("VERSION")).unwrap();
        std::fs::remove_dir_all(&into).unwrap();
        version
    }

    fn is_shallow(&self) -> bool {
        self.dir
            .path()
            .join("mirror/shallow")
            .metadata()
            .is_ok_and(|file| file.len() > 0)
    }
}

fn branch(name: &str) -> Want {
    Want::Branch(Some(Branch::parse(name).unwrap()))
}

fn commit(digits: &str) -> Want {
    Want::Commit(CommitPrefix::parse(digits).unwrap())
}

/// A server with a repository `web` whose `main` has these versions; their commits.
async fn serve_versions(versions: &[&str]) -> (GitServer, WorkTree, Vec<String>) {
    let server = GitServer::start().await;
    server.host("web");
    let tree = WorkTree::new();
    let commits = versions.iter().map(|version| tree.commit_version(version)).collect();
    push(&server, &tree, &["main"]).await;
    (server, tree, commits)
}

async fn push(server: &GitServer, tree: &WorkTree, specs: &[&str]) {
    let to = server.push_address("web");
    let (is_ok, said) = tree.try_git(&[&["push", "--force", &to], specs].concat()).await;
    assert!(is_ok, "{said}");
}

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
async fn an_exact_commit_is_fetched_however_old() {
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

/// Case git-empty-repo-or-other-default.
#[tokio::test(flavor = "multi_thread")]
async fn empty_repositories_and_other_branches_are_named() {
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
async fn a_repository_that_moved_on_the_same_server_is_followed() {
    let (server, _tree, commits) = serve_versions(&["one"]).await;
    let found = Fetcher::new()
        .fetch(&format!("{}/moved/web.git", server.url), Want::Branch(None))
        .await
        .unwrap();
    assert_eq!(found.sha.as_str(), commits[0]);
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
