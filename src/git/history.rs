//! What a mirror knows of how commits follow each other, and of what differs between two of them.

use std::collections::BTreeMap;

use git2::{ErrorCode, FileMode, Oid, Repository};

use super::commit::id_of;
use super::{Error, Mirror};
use crate::model::source::CommitSha;

/// Names that are looked at in a comparison; more take longer than a build.
const MAX_COMPARED: usize = 500_000;
/// Folders in folders; no system of files has as many.
const MAX_DEPTH: usize = 128;

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
        find: impl FnMut(&str) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let repository = self.repository()?;
        let tree = |commit| Ok::<_, Error>(repository.find_commit(id_of(commit)?)?.tree_id());
        let mut comparison = Comparison {
            repository: &repository,
            find,
            seen: 0,
        };
        comparison.folders(Some(tree(from)?), Some(tree(to)?), "", 0)
    }
}

/// A walk over two trees at once. libgit2's own lists every difference before it shows the first, and a small repository
/// can hold a tree of billions.
struct Comparison<'r, F> {
    repository: &'r Repository,
    find: F,
    seen: usize,
}

/// What a name stands for, and its mode.
type Entry = (Oid, i32);

impl<F: FnMut(&str) -> Option<T>, T> Comparison<'_, F> {
    fn folders(&mut self, from: Option<Oid>, to: Option<Oid>, place: &str, depth: usize) -> Result<Option<T>, Error> {
        let mut names: BTreeMap<Vec<u8>, [Option<Entry>; 2]> = BTreeMap::new();
        for (side, tree) in [from, to].into_iter().enumerate() {
            let Some(tree) = tree else { continue };
            for entry in &self.repository.find_tree(tree)? {
                names.entry(entry.name_bytes().to_vec()).or_default()[side] = Some((entry.id(), entry.filemode()));
            }
        }
        self.seen += names.len();
        if self.seen > MAX_COMPARED || depth > MAX_DEPTH {
            return Err(Error::Refused("More files differ than can be looked at.".to_owned()));
        }
        for (name, [old, new]) in names.into_iter().filter(|(_, [old, new])| old != new) {
            let path = format!("{place}{}", String::from_utf8_lossy(&name));
            let is_file = [old, new]
                .iter()
                .any(|entry| entry.is_some_and(|entry| !is_folder(entry)));
            let found = if is_file { (self.find)(&path) } else { None };
            let [old, new] = [old, new].map(|entry| entry.filter(|entry| is_folder(*entry)).map(|(id, _)| id));
            let found = match found {
                None if old.is_some() || new.is_some() => self.folders(old, new, &format!("{path}/"), depth + 1)?,
                found => found,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

fn is_folder((_, mode): Entry) -> bool {
    mode == i32::from(FileMode::Tree)
}
