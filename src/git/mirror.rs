//! A bare copy of somebody else's repository, one an app, kept so that the next fetch is small.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::{Access, Commit, Error, Want};
use crate::model::source::{CommitSha, GitUrl};

/// A bare copy of an app's repository.
#[derive(Debug, Clone)]
pub struct Mirror {
    dir: PathBuf,
}

impl Mirror {
    /// Opens the copy in that directory, or makes an empty one; a damaged one is thrown away and made anew.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Ok(Self { dir: dir.to_owned() })
    }

    /// Fetches what is wanted, and as little else as the server allows. `progress` is given single lines to show.
    pub fn fetch(
        &self,
        _url: &GitUrl,
        _want: &Want,
        _access: Access,
        _progress: &mut dyn FnMut(&str),
        _cancelled: &AtomicBool,
    ) -> Result<Commit, Error> {
        Err(Error::Other(format!("being written: {}", self.dir.display())))
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
