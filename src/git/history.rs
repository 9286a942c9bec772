//! What a mirror knows of how commits follow each other, and of what differs between two of them.

use git2::{Delta, ErrorCode};

use super::commit::id_of;
use super::{Error, Mirror};
use crate::model::source::CommitSha;

impl Mirror {
    /// Whether one commit comes before another; `None` where the history that would tell is not here.
    pub fn is_ancestor(&self, older: &CommitSha, newer: &CommitSha) -> Result<Option<bool>, Error> {
        let repository = self.repository()?;
        let (older, newer) = (id_of(older)?, id_of(newer)?);
        if repository.find_commit(older).is_err() || repository.find_commit(newer).is_err() {
            return Ok(None);
        }
        match repository.graph_descendant_of(newer, older) {
            Ok(true) => Ok(Some(true)),
            // What a shallow copy does not have may be what lies between.
            Ok(false) if repository.is_shallow() => Ok(None),
            Ok(false) => Ok(Some(false)),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The first path that differs between two commits, or is only in one of them, and for which `find` finds something.
    pub fn find_changed<T>(
        &self,
        from: &CommitSha,
        to: &CommitSha,
        mut find: impl FnMut(&str) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let repository = self.repository()?;
        let tree = |commit| repository.find_commit(id_of(commit)?)?.tree().map_err(Error::from);
        let difference = repository.diff_tree_to_tree(Some(&tree(from)?), Some(&tree(to)?), None)?;
        for delta in difference.deltas().filter(|delta| delta.status() != Delta::Unmodified) {
            for file in [delta.new_file(), delta.old_file()] {
                let path = file.path_bytes().map(String::from_utf8_lossy);
                if let Some(found) = path.and_then(|path| find(&path)) {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }
}
