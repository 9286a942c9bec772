//! Names of what a commit holds: two that are equal stand for the same content (Pro Git, "Git Objects").

use std::path::Path;

use git2::{ErrorCode, Repository};

use super::commit::id_of;
use super::{Error, HostedRepository, Mirror};
use crate::model::source::CommitSha;

impl Mirror {
    /// The name of the file or directory at a path of a commit; `None` where nothing of the repository itself is there.
    pub fn object_at(&self, commit: &CommitSha, path: &Path) -> Result<Option<String>, Error> {
        object_at(&self.repository()?, commit, path)
    }
}

impl HostedRepository {
    /// The name of the file or directory at a path of a commit; `None` where nothing of the repository itself is there.
    pub fn object_at(&self, commit: &CommitSha, path: &Path) -> Result<Option<String>, Error> {
        object_at(&self.repository()?, commit, path)
    }
}

fn object_at(repository: &Repository, commit: &CommitSha, path: &Path) -> Result<Option<String>, Error> {
    let tree = repository.find_commit(id_of(commit)?)?.tree()?;
    if path.as_os_str().is_empty() {
        return Ok(Some(tree.id().to_string()));
    }
    match tree.get_path(path) {
        Ok(entry) => Ok(Some(entry.id().to_string())),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
