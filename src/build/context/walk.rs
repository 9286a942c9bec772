//! One pass through the context: what is sent, in which order, and how it looks in the tar.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use super::super::ignore::IgnoreRules;
use super::{Pieces, at, links};
use crate::model::text::shown_path;

/// The walk calls itself once a level; checkouts of Dhow have fewer.
pub(super) const MAX_DEPTH: usize = 256;
/// Mode of generated files: their image's user shall be able to read them.
const GENERATED_MODE: u32 = 0o644;

/// A pass through the context.
pub(super) struct Walk<'a> {
    root: &'a Path,
    rules: &'a IgnoreRules,
    tar: Builder<&'a mut Pieces>,
    /// The directories that the walk is in and that are ignored, outermost first: needed after all once something
    /// below them is brought back.
    unsent: Vec<(PathBuf, Metadata)>,
    /// What was sent beforehand and is not sent again.
    replaced: BTreeSet<PathBuf>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(root: &'a Path, rules: &'a IgnoreRules, output: &'a mut Pieces) -> Self {
        Self {
            root,
            rules,
            tar: Builder::new(output),
            unsent: Vec::new(),
            replaced: BTreeSet::new(),
        }
    }

    pub(super) fn send_root(&mut self) -> io::Result<()> {
        self.send_directory(Path::new("./"), 0o755, 0)
    }

    /// Sends a file that Dhow wrote, below directories that are its own, too.
    pub(super) fn send_generated(&mut self, path: &str, text: &str) -> io::Result<()> {
        let path = Path::new(path);
        let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
        above.reverse();
        for directory in above.into_iter().filter(|directory| *directory != Path::new("")) {
            if self.replaced.insert(directory.to_owned()) {
                self.send_directory(directory, 0o755, 0)?;
            }
        }
        self.send_text(path, text, GENERATED_MODE)
    }

    /// Sends a text as a file.
    pub(super) fn send_text(&mut self, path: &Path, text: &str, mode: u32) -> io::Result<()> {
        self.replaced.insert(path.to_owned());
        let mut header = header(EntryType::Regular, mode, 0, text.len() as u64);
        self.tar.append_data(&mut header, path, text.as_bytes())
    }

    /// Sends a file from elsewhere.
    pub(super) fn send_other(&mut self, path: &Path, absolute: &Path, mode: u32) -> io::Result<()> {
        self.replaced.insert(path.to_owned());
        let metadata = fs::metadata(absolute).map_err(|error| at(path, &error))?;
        self.send_file(path, absolute, &metadata, mode)
    }

    /// Sends all that the rules leave, and ends the tar.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.directory(Path::new(""), &self.rules.root())?;
        self.tar.into_inner().map(drop)
    }

    fn directory(&mut self, directory: &Path, inherited: &[bool]) -> io::Result<()> {
        if directory.components().count() > MAX_DEPTH {
            return Err(io::Error::other(format!(
                "the build context holds directories that lie more than {MAX_DEPTH} deep"
            )));
        }
        for name in names_in(&self.root.join(directory)).map_err(|error| at(directory, &error))? {
            let path = directory.join(name);
            let metadata = fs::symlink_metadata(self.root.join(&path)).map_err(|error| at(&path, &error))?;
            let text = path.to_string_lossy();
            let (is_ignored, matches) = self.rules.check(&text, inherited);
            if !metadata.is_dir() {
                if !is_ignored && !self.replaced.contains(&path) {
                    self.send_unsent()?;
                    self.send_leaf(&path, &metadata)?;
                }
            } else if !is_ignored || self.rules.may_bring_back_below(&text) {
                self.unsent.push((path.clone(), metadata));
                if !is_ignored {
                    self.send_unsent()?;
                }
                self.directory(&path, &matches)?;
                self.unsent.pop_if(|(unsent, _)| *unsent == path);
            }
        }
        Ok(())
    }

    fn send_unsent(&mut self) -> io::Result<()> {
        for (path, metadata) in std::mem::take(&mut self.unsent) {
            if !self.replaced.contains(&path) {
                self.send_directory(&path, metadata.mode(), metadata.mtime())?;
            }
        }
        Ok(())
    }

    fn send_directory(&mut self, path: &Path, mode: u32, modified: i64) -> io::Result<()> {
        let mut header = header(EntryType::Directory, mode, modified, 0);
        self.tar.append_data(&mut header, path, io::empty())
    }

    /// A file or a link. Pipes, sockets and devices cannot come from a repository and are left out.
    fn send_leaf(&mut self, path: &Path, metadata: &Metadata) -> io::Result<()> {
        let absolute = self.root.join(path);
        if metadata.is_symlink() {
            let target = fs::read_link(&absolute).map_err(|error| at(path, &error))?;
            links::check(self.root, path, &target)?;
            let mut header = header(EntryType::Symlink, 0o777, metadata.mtime(), 0);
            return self.tar.append_link(&mut header, path, target);
        }
        if metadata.is_file() {
            self.send_file(path, &absolute, metadata, metadata.mode())
        } else {
            Ok(())
        }
    }

    fn send_file(&mut self, path: &Path, absolute: &Path, metadata: &Metadata, mode: u32) -> io::Result<()> {
        let size = metadata.len();
        let mut content = File::open(absolute).map_err(|error| at(path, &error))?.take(size);
        let mut header = header(EntryType::Regular, mode, metadata.mtime(), size);
        self.tar.append_data(&mut header, path, &mut content)?;
        if content.limit() > 0 {
            return Err(io::Error::other(format!(
                "`{}` became shorter while it was read",
                shown_path(path)
            )));
        }
        Ok(())
    }
}

fn names_in(directory: &Path) -> io::Result<Vec<OsString>> {
    let mut names = fs::read_dir(directory)?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable();
    Ok(names)
}

fn header(kind: EntryType, mode: u32, modified: i64, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode & 0o7777);
    header.set_mtime(modified.max(0).unsigned_abs());
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(size);
    header
}
