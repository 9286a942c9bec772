//! The files of one commit, written into a fresh directory.
//!
//! Written by hand and not by libgit2, whose filters, attributes and index have no place here: the bytes are the
//! recorded ones, modes do not depend on the umask, and links are made last, after all of them are known to stay
//! inside, so that no file can be written through one.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use git2::{Oid, Repository, Tree};

use super::commit::sha_of;
use super::links::{Links, find_escape};
use super::{Error, Pointer};
use crate::model::source::CommitSha;

/// A tree can name itself a billion times in a few kilobytes; the largest repositories known have half of this.
const MAX_ENTRIES: usize = 1_000_000;
/// Linux takes no longer path (PATH_MAX).
const MAX_PATH_BYTES: usize = 4096;

/// What a checkout holds that is not in the repository itself.
#[derive(Debug, Default)]
pub struct CheckedOut {
    /// Where submodules belong, each an empty directory now, and their recorded commits.
    pub submodules: Vec<(PathBuf, CommitSha)>,
    /// Files that are only pointers of Git LFS, and what they stand for.
    pub lfs_pointers: Vec<(PathBuf, Pointer)>,
}

/// Writes the commit's files into a directory that does not exist yet, or is empty; what was written is removed again
/// when it fails.
pub(super) fn check_out(
    repository: &Repository,
    commit: Oid,
    into: &Path,
    cancelled: &AtomicBool,
) -> Result<CheckedOut, Error> {
    let tree = repository.find_commit(commit)?.tree()?;
    if into.exists() {
        // Fails on one that holds anything.
        fs::remove_dir(into)?;
    }
    DirBuilder::new().mode(0o700).recursive(true).create(into)?;
    let mut checkout = Checkout {
        repository,
        root: into,
        cancelled,
        entries: 0,
        links: Links::new(),
        found: CheckedOut::default(),
    };
    let written = checkout
        .write_tree(&tree, Path::new(""))
        .and_then(|()| checkout.make_links());
    if written.is_err() {
        let _ = fs::remove_dir_all(into);
    }
    written.map(|()| checkout.found)
}

struct Checkout<'a> {
    repository: &'a Repository,
    root: &'a Path,
    cancelled: &'a AtomicBool,
    entries: usize,
    links: Links,
    found: CheckedOut,
}

impl Checkout<'_> {
    fn write_tree(&mut self, tree: &Tree<'_>, below: &Path) -> Result<(), Error> {
        for entry in tree.iter() {
            self.admit_one_more()?;
            let place = below.join(admit_name(entry.name_bytes(), below)?);
            if place.as_os_str().len() > MAX_PATH_BYTES {
                return Err(Error::Refused(
                    "The repository holds a path of more than 4,096 bytes.".to_owned(),
                ));
            }
            match entry.filemode_raw() & 0o170_000 {
                0o040_000 => {
                    self.make_directory(&place)?;
                    self.write_tree(&self.repository.find_tree(entry.id())?, &place)?;
                }
                0o100_000 => self.write_file(entry.id(), &place, entry.filemode_raw() & 0o111 != 0)?,
                0o120_000 => {
                    let target = self.repository.find_blob(entry.id())?;
                    self.links
                        .insert(place, PathBuf::from(OsStr::from_bytes(target.content())));
                }
                0o160_000 => {
                    // Git leaves an empty directory where a submodule is not fetched.
                    self.make_directory(&place)?;
                    self.found.submodules.push((place, sha_of(entry.id())?));
                }
                mode => {
                    return Err(Error::Refused(format!(
                        "{} has an unknown kind ({mode:o}).",
                        place.display()
                    )));
                }
            }
        }
        Ok(())
    }

    fn admit_one_more(&mut self) -> Result<(), Error> {
        self.entries += 1;
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        if self.entries > MAX_ENTRIES {
            return Err(Error::Refused(
                "The repository holds more than a million files.".to_owned(),
            ));
        }
        Ok(())
    }

    fn make_directory(&self, place: &Path) -> Result<(), Error> {
        let path = self.root.join(place);
        fs::create_dir(&path)?;
        Ok(fs::set_permissions(&path, Permissions::from_mode(0o755))?)
    }

    fn write_file(&mut self, blob: Oid, place: &Path, is_executable: bool) -> Result<(), Error> {
        let blob = self.repository.find_blob(blob)?;
        let mut file: File = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.root.join(place))?;
        file.write_all(blob.content())?;
        if let Some(pointer) = Pointer::parse(blob.content()) {
            self.found.lfs_pointers.push((place.to_owned(), pointer));
        }
        Ok(file.set_permissions(Permissions::from_mode(if is_executable { 0o755 } else { 0o644 }))?)
    }

    fn make_links(&self) -> Result<(), Error> {
        if let Some(place) = find_escape(&self.links) {
            return Err(Error::Refused(format!(
                "{} is a symbolic link that leads out of the repository. Make it relative, to something inside.",
                place.display()
            )));
        }
        for (place, target) in &self.links {
            symlink(target, self.root.join(place))?;
        }
        Ok(())
    }
}

/// Refuses names that mean something else to the file system, or to a git that is run in the checkout.
fn admit_name<'a>(name: &'a [u8], below: &Path) -> Result<&'a OsStr, Error> {
    let is_bad = matches!(name, b"" | b"." | b"..") || name.contains(&b'/') || name.eq_ignore_ascii_case(b".git");
    if is_bad {
        let name = String::from_utf8_lossy(name);
        return Err(Error::Refused(format!(
            "{} holds a file called {name:?}.",
            below.join("").display()
        )));
    }
    Ok(OsStr::from_bytes(name))
}
