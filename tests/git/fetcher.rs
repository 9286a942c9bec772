//! A mirror to fetch into, and a server with something to fetch.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use dhow::git::{Access, Commit, Credential, Error, FetchLimits, HostKeys, LargeFiles, Mirror, Room, Submodules, Want};
use dhow::model::source::{Branch, CommitPrefix, GitUrl};
use tempfile::TempDir;

use crate::git_server::{GitServer, WorkTree};

static NO_HOST_KEYS: HostKeys = HostKeys::new(Vec::new());

/// What tests allow: their servers are on loopback.
pub static OPEN: Access<'static> = Access {
    credential: None,
    host_keys: &NO_HOST_KEYS,
    allow_private: true,
    limits: FetchLimits {
        connect: Duration::from_secs(5),
        idle: Duration::from_secs(10),
        total: Duration::from_secs(60),
        pack_bytes: 64 << 20,
    },
};

/// What the files of a test may have together.
pub const MAX_LARGE_BYTES: u64 = 1 << 20;

/// A mirror in a directory of its own.
pub struct Fetcher {
    /// Holds the mirror and checkouts.
    pub dir: TempDir,
    /// Stops a fetch that runs.
    pub cancelled: Arc<AtomicBool>,
}

impl Fetcher {
    /// An empty one.
    pub fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
            cancelled: Arc::default(),
        }
    }

    /// Fetches with those permissions and limits.
    pub async fn fetch_with(&self, address: &str, want: Want, access: Access<'static>) -> Result<Commit, Error> {
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

    /// Fetches.
    pub async fn fetch(&self, address: &str, want: Want) -> Result<Commit, Error> {
        self.fetch_with(address, want, OPEN).await
    }

    /// Fetches the default branch with its large files and submodules into `files`.
    pub async fn fetch_all(&self, address: &str, access: Access<'static>) -> Result<(), Error> {
        let commit = self.fetch_with(address, Want::Branch(None), access).await?;
        let (dir, url, cancelled) = (
            self.dir.path().to_owned(),
            GitUrl::parse(address).unwrap(),
            self.cancelled.clone(),
        );
        tokio::task::spawn_blocking(move || {
            let (into, mirror) = (dir.join("files"), Mirror::open(&dir.join("mirror"))?);
            let room = Room::new(MAX_LARGE_BYTES);
            let found = mirror.check_out(&commit.sha, &into, &room, &cancelled)?;
            let large_files = LargeFiles::new(access, &room, &cancelled);
            large_files.fill(&url, &into, &found.lfs_pointers, &mut |_| {})?;
            Submodules::new(access, large_files, &room, &mut |_| {}, &cancelled).fill(
                &mirror,
                &url,
                &commit.sha,
                &into,
                &found,
            )
        })
        .await
        .unwrap()
    }

    /// The error of fetching the default branch.
    pub async fn fail(&self, address: &str) -> Error {
        self.fetch(address, Want::Branch(None)).await.unwrap_err()
    }

    /// The content of VERSION in that commit.
    pub fn version(&self, commit: &Commit) -> String {
        let into = self.dir.path().join("checkout");
        let mirror = Mirror::open(&self.dir.path().join("mirror")).unwrap();
        let room = Room::new(MAX_LARGE_BYTES);
        mirror.check_out(&commit.sha, &into, &room, &self.cancelled).unwrap();
        let version = std::fs::read_to_string(into.join("VERSION")).unwrap();
        std::fs::remove_dir_all(&into).unwrap();
        version
    }

    /// Whether less than the whole history is there.
    pub fn is_shallow(&self) -> bool {
        self.dir
            .path()
            .join("mirror/shallow")
            .metadata()
            .is_ok_and(|file| file.len() > 0)
    }
}

/// What is open to whoever has this; both live as long as the tests.
pub fn with(credential: Credential) -> Access<'static> {
    Access {
        credential: Some(Box::leak(Box::new(credential))),
        host_keys: Box::leak(Box::default()),
        ..OPEN
    }
}

/// A branch that is wanted.
pub fn branch(name: &str) -> Want {
    Want::Branch(Some(Branch::parse(name).unwrap()))
}

/// A commit that is wanted.
pub fn commit(digits: &str) -> Want {
    Want::Commit(CommitPrefix::parse(digits).unwrap())
}

/// A server with a repository `web` whose `main` has these versions; their commits.
pub async fn serve_versions(versions: &[&str]) -> (GitServer, WorkTree, Vec<String>) {
    let server = GitServer::start().await;
    server.host("web");
    let tree = WorkTree::new();
    let commits = versions.iter().map(|version| tree.commit_version(version)).collect();
    push(&server, &tree, &["main"]).await;
    (server, tree, commits)
}

/// Pushes to `web`, by force.
pub async fn push(server: &GitServer, tree: &WorkTree, specs: &[&str]) {
    let to = server.push_address("web");
    let (is_ok, said) = tree.try_git(&[&["push", "--force", &to], specs].concat()).await;
    assert!(is_ok, "{said}");
}
