//! A repository that Dhow hosts for an app whose source is `push`.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::{Commit, Error, Want};
use crate::model::source::CommitSha;

/// A bare repository that users push to. Its HEAD names the branch that is deployed.
#[derive(Debug, Clone)]
pub struct HostedRepository {
    dir: PathBuf,
}

/// Where a branch stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchHead {
    /// Name without `refs/heads/`.
    pub branch: String,
    /// The newest commit.
    pub commit: CommitSha,
}

impl HostedRepository {
    /// Opens the repository in that directory, or makes an empty one whose HEAD is `main`.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Ok(Self { dir: dir.to_owned() })
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The commit that is wanted, without any network.
    pub fn resolve(&self, _want: &Want) -> Result<Commit, Error> {
        Err(Error::Other("being written".to_owned()))
    }

    /// Writes a commit's files into a directory that does not exist yet, or is empty.
    pub fn check_out(
        &self,
        _commit: &CommitSha,
        _into: &Path,
        _submodules: bool,
        _cancelled: &AtomicBool,
    ) -> Result<(), Error> {
        Err(Error::Other("being written".to_owned()))
    }
}
