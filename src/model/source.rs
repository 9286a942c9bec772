//! Where an app's files come from, and the types of everything that a user may write about it.
//!
//! Each type refuses what could be read as something else further down (an option, a local path, a second
//! command), so that no caller has to check again: see `git-dangerous-sources`.

mod branch;
mod commit;
mod credential;
mod path;
mod ssh;
mod url;

pub use branch::Branch;
pub use commit::{CommitPrefix, CommitSha};
pub use credential::{CredentialKind, HostKey, SealedCredential, SourceToken};
pub use path::RelativePath;
pub use url::GitUrl;

/// Where an app's files come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A repository on somebody's Git server, fetched for every deployment.
    Git {
        /// The repository.
        url: GitUrl,
        /// The branch that is followed; `None` is the remote's own default.
        branch: Option<Branch>,
        /// The directory that is deployed; the whole repository by default.
        root_dir: RelativePath,
        /// Whether submodules are fetched too.
        submodules: bool,
    },
    /// A repository that Dhow hosts, filled by `git push`.
    Push {
        /// The branch that is deployed; `None` until the first push names it.
        branch: Option<Branch>,
        /// The directory that is deployed; the whole repository by default.
        root_dir: RelativePath,
    },
}
