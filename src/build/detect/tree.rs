//! The files of a source as far as detection reads them: whole and small, never through a link that leads out.

use std::fs;
use std::path::{Path, PathBuf};

/// Larger files are taken for empty: no manifest is, and a hostile one shall cost nothing. A lock file's presence
/// counts, its text is seldom read.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// A source's root directory.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
}

impl Tree {
    /// The tree below a directory, which must exist.
    pub fn open(root: &Path) -> std::io::Result<Self> {
        Ok(Self {
            root: root.canonicalize()?,
        })
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
        if fs::metadata(&found).ok()?.len() > MAX_BYTES {
            return Some(String::new());
        }
        let bytes = fs::read(found).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        Some(text.trim_start_matches('\u{feff}').to_owned())
    }

    /// Names of the files and directories in a directory (`""` is the root), sorted.
    pub fn names(&self, directory: &str) -> Vec<String> {
        let entries = self.find(directory).and_then(|found| fs::read_dir(found).ok());
        let mut names: Vec<String> = entries
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        names.sort_unstable();
        names
    }

    fn find(&self, path: &str) -> Option<PathBuf> {
        let found = self.root.join(path).canonicalize().ok()?;
        found.starts_with(&self.root).then_some(found)
    }
}
