//! Where an app's files come from, and the types of everything that a user may write about it.
//!
//! Each type refuses what could be read as something else further down (an option, a local path, a second
//! command), so that no caller has to check again: see `git-dangerous-sources`.

mod branch;
mod commit;
mod credential;
mod image;
mod path;
mod ssh;
mod url;
mod watch_path;

pub use branch::Branch;
pub use commit::{CommitPrefix, CommitSha};
pub use credential::{CredentialKind, HostKey, SealedCredential, SourceToken};
pub use image::{ImageRef, PulledImage};
pub use path::RelativePath;
pub use url::GitUrl;
pub use watch_path::{WatchPath, first_watched};

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
        /// Only pushes that change one of these deploy by a webhook; all of them where there is none.
        watch_paths: Vec<WatchPath>,
    },
    /// A repository that Dhow hosts, filled by `git push`.
    Push {
        /// The branch that is deployed; `None` until the first push names it.
        branch: Option<Branch>,
        /// The directory that is deployed; the whole repository by default.
        root_dir: RelativePath,
    },
    /// A ready image in a registry, pulled for every deployment.
    Image {
        /// Which one.
        image: ImageRef,
    },
}

impl Source {
    /// The directory of the repository that is deployed; `None` where there is no repository.
    pub const fn root_dir(&self) -> Option<&RelativePath> {
        match self {
            Self::Git { root_dir, .. } | Self::Push { root_dir, .. } => Some(root_dir),
            Self::Image { .. } => None,
        }
    }

    /// The branch that is deployed, where one is known.
    pub const fn branch(&self) -> Option<&Branch> {
        match self {
            Self::Git { branch, .. } | Self::Push { branch, .. } => branch.as_ref(),
            Self::Image { .. } => None,
        }
    }
}
