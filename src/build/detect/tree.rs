//! The files of a source as far as detection reads them: whole and small, never through a link that leads out, and no
//! more of them in all than an honest source needs. What is beyond is taken for missing, and told in the end.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Larger files are taken for empty: no manifest is, and a hostile one shall cost nothing. A lock file's presence
/// counts, its text is seldom read.
const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// Bytes that are read of all files, one that is read twice counted twice.
const MAX_BYTES_IN_ALL: u64 = 64 * 1024 * 1024;
/// Paths that are looked up, and names that are listed.
const MAX_LOOKS: usize = 100_000;
/// From the first look to the last.
const WITHIN: Duration = Duration::from_secs(20);

/// A source's root directory.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    bytes_left: Cell<u64>,
    looks_left: Cell<usize>,
    deadline: Instant,
    is_too_much: Cell<bool>,
}

impl Tree {
    /// The tree below a directory, which must exist.
    pub fn open(root: &Path) -> std::io::Result<Self> {
        Ok(Self {
            root: root.canonicalize()?,
            bytes_left: Cell::new(MAX_BYTES_IN_ALL),
            looks_left: Cell::new(MAX_LOOKS),
            deadline: Instant::now() + WITHIN,
            is_too_much: Cell::new(false),
        })
    }

    /// Whether something was taken for missing because too much had been looked at before.
    pub fn is_too_much(&self) -> bool {
        self.is_too_much.get()
    }

    /// Whether there is such a file.
    pub fn has(&self, path: &str) -> bool {
        self.find(path).is_some_and(|found| found.is_file())
    }

    /// Whether there is such a directory.
    pub fn has_dir(&self, path: &str) -> bool {
        self.find(path).is_some_and(|found| found.is_dir())
    }

    /// The first of these files that is there.
    pub fn first<'a>(&self, paths: &[&'a str]) -> Option<&'a str> {
        paths.iter().copied().find(|path| self.has(path))
    }

    /// A file's text, its faults of encoding replaced.
    pub fn text(&self, path: &str) -> Option<String> {
        let found = self.find(path).filter(|found| found.is_file())?;
        let bytes = fs::metadata(&found).ok()?.len();
        if bytes > MAX_BYTES {
            return Some(String::new());
        }
        match self.bytes_left.get().checked_sub(bytes) {
            Some(left) => self.bytes_left.set(left),
            None => return self.too_much(),
        }
        let bytes = fs::read(found).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        Some(text.trim_start_matches('\u{feff}').to_owned())
    }

    /// Names of the files and directories in a directory (`""` is the root), sorted.
    pub fn names(&self, directory: &str) -> Vec<String> {
        let entries = self.find(directory).and_then(|found| fs::read_dir(found).ok());
        let entries = entries.into_iter().flatten().take_while(|_| self.may_look());
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        names.sort_unstable();
        names
    }

    fn find(&self, path: &str) -> Option<PathBuf> {
        if !self.may_look() {
            return None;
        }
        let found = self.root.join(path).canonicalize().ok()?;
        found.starts_with(&self.root).then_some(found)
    }

    fn may_look(&self) -> bool {
        let left = self.looks_left.get();
        if left == 0 || (left.is_multiple_of(64) && Instant::now() > self.deadline) {
            self.is_too_much.set(true);
            return false;
        }
        self.looks_left.set(left - 1);
        true
    }

    fn too_much<T>(&self) -> Option<T> {
        self.is_too_much.set(true);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, MAX_BYTES_IN_ALL, Tree};

    #[test]
    fn files_beyond_the_most_are_missing_and_that_is_told() {
        let root = tempfile::tempdir().unwrap();
        let big = std::fs::File::create(root.path().join("big")).unwrap();
        big.set_len(MAX_BYTES).unwrap();
        let tree = Tree::open(root.path()).unwrap();
        for _ in 0..MAX_BYTES_IN_ALL / MAX_BYTES {
            assert!(tree.text("big").is_some() && !tree.is_too_much());
        }
        assert!(tree.text("big").is_none() && tree.is_too_much());
    }

    #[test]
    fn looks_beyond_the_most_find_nothing_and_that_is_told() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("a"), "").unwrap();
        let tree = Tree::open(root.path()).unwrap();
        tree.looks_left.set(1);
        assert!(tree.has("a") && !tree.is_too_much());
        assert!(!tree.has("a") && tree.is_too_much());
        assert!(tree.names("").is_empty());
    }
}
