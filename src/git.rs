//! Repositories, by libgit2: mirrors of other people's, the ones that Dhow hosts, and checkouts of one commit.
//!
//! The only module that uses git2. Every function blocks and is called off the async threads. Nothing that a
//! repository holds is run here: no hook, no filter, no command; links that leave a checkout are refused.

mod branches;
mod checkout;
mod commit;
mod credential;
mod destination;
mod door;
mod error;
mod fetch;
mod gitmodules;
mod history;
mod host_keys;
mod hosted;
mod lfs;
mod links;
mod mirror;
mod objects;
mod progress;
mod relay;
mod room;
mod ssh;
mod submodules;

use std::time::Duration;

pub use branches::Branches;
pub use checkout::CheckedOut;
pub use credential::Credential;
pub use error::Error;
pub use host_keys::HostKeys;
pub use hosted::{BranchHead, HostedRepository};
pub use lfs::{LargeFiles, Pointer};
pub use mirror::Mirror;
pub use room::Room;
pub use submodules::Submodules;

use crate::model::source::{Branch, CommitPrefix, CommitSha};

/// Which commit a deployment asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// The newest one of a branch; `None` is the branch that the repository itself calls its default.
    Branch(Option<Branch>),
    /// This one, wherever it is.
    Commit(CommitPrefix),
}

/// What a fetch may reach, and what it may show there.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// Whether hosts on loopback and private addresses are called, and plain http is spoken.
    pub allow_private: bool,
    /// How long it may take.
    pub limits: FetchLimits,
    /// What opens the repository; shown to its own server alone.
    pub credential: Option<&'a Credential>,
    /// By what servers behind SSH are known.
    pub host_keys: &'a HostKeys,
}

/// How long a fetch waits for a server, and how much it takes from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    /// For the connection to one of its addresses.
    pub connect: Duration,
    /// Between two signs of life.
    pub idle: Duration,
    /// In all.
    pub total: Duration,
    /// Bytes of one pack, in which a server sends what was asked for.
    pub pack_bytes: u64,
}

impl Default for FetchLimits {
    /// What the slowest forge needs with room: counting the objects of a large repository is silent for some seconds.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            total: Duration::from_secs(30 * 60),
            pack_bytes: u64::MAX,
        }
    }
}

/// A commit as deployments record it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its whole name.
    pub sha: CommitSha,
    /// The first line of its message, at most 200 characters.
    pub message: String,
    /// The name of its author, without the mail address.
    pub author: String,
    /// The branch that it was found at the head of, if it was asked for by branch.
    pub branch: Option<String>,
}
