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

use git2::{ObjectType, Oid, Repository, Tree};

use super::commit::sha_of;
use super::links::{self, Links};
use super::{Error, Pointer, Room};
use crate::model::source::CommitSha;
use crate::model::text::shown_path;

/// A tree can name itself a billion times in a few kilobytes; the largest repositories known have half of this.
const MAX_ENTRIES: usize = 1_000_000;
/// Linux takes no longer path (PATH_MAX).
const MAX_PATH_BYTES: usize = 4096;
/// Linux takes no longer target of a link (PATH_MAX with its final zero).
const MAX_LINK_BYTES: u64 = 4095;
/// All links are in memory until the last of them is known.
const MAX_LINKS_BYTES: u64 = 16 << 20;
/// Whoever walks the files calls itself once a level, and holds a directory open at each.
const MAX_DEPTH: usize = 128;
/// libgit2 has a file in memory as a whole.
const MAX_FILE_BYTES: u64 = 256 << 20;
/// What a disk keeps of an entry besides its content, with what it rounds that up by.
const ENTRY_BYTES: u64 = 4096;

/// What a checkout holds that is not in the repository itself.
#[derive(Debug, Default)]
pub struct CheckedOut {
    /// Where submodules belong, each an empty directory now, and their recorded commits.
    pub submodules: Vec<(PathBuf, CommitSha)>,
    /// Files that are only pointers of Git LFS, and what they stand for.
    pub lfs_pointers: Vec<(PathBuf, Pointer)>,
    pub(super) links: Links,
}

/// Writes the commit's files into a directory that does not exist yet, or is empty; what was written is removed again
/// when it fails.
pub(super) fn check_out(
    repository: &Repository,
    commit: Oid,
    into: &Path,
    room: &Room,
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
        room,
        cancelled,
        entries: 0,
        link_bytes: 0,
        found: CheckedOut::default(),
    };
    let written = checkout
        .write_tree(&tree, Path::new(""), 0)
        .and_then(|()| checkout.make_links());
    if written.is_err() {
        let _ = fs::remove_dir_all(into);
    }
    written.map(|()| checkout.found)
}

struct Checkout<'a> {
    repository: &'a Repository,
    root: &'a Path,
    room: &'a Room,
    cancelled: &'a AtomicBool,
    entries: usize,
    link_bytes: u64,
    found: CheckedOut,
}

impl Checkout<'_> {
    /// `depth` is how many directories `below` has.
    fn write_tree(&mut self, tree: &Tree<'_>, below: &Path, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(Error::Refused(format!(
                "The repository holds a file that lies more than {MAX_DEPTH} directories deep."
            )));
        }
        for entry in tree.iter() {
            let place = below.join(admit_name(entry.name_bytes(), below)?);
            self.admit_one_more(&place)?;
            if place.as_os_str().len() > MAX_PATH_BYTES {
                return Err(Error::Refused(
                    "The repository holds a path of more than 4,096 bytes.".to_owned(),
                ));
            }
            match entry.filemode_raw() & 0o170_000 {
                0o040_000 => {
                    self.make_directory(&place)?;
                    self.write_tree(&self.repository.find_tree(entry.id())?, &place, depth + 1)?;
                }
                0o100_000 => self.write_file(entry.id(), &place, entry.filemode_raw() & 0o111 != 0)?,
                0o120_000 => {
                    let target = self.read_link(entry.id(), &place)?;
                    self.found.links.insert(place, target);
                }
                0o160_000 => {
                    // Git leaves an empty directory where a submodule is not fetched.
                    self.make_directory(&place)?;
                    self.found.submodules.push((place, sha_of(entry.id())?));
                }
                mode => {
                    return Err(Error::Refused(format!(
                        "{} has an unknown kind ({mode:o}).",
                        shown_path(&place)
                    )));
                }
            }
        }
        Ok(())
    }

    fn admit_one_more(&mut self, place: &Path) -> Result<(), Error> {
        self.entries += 1;
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        if self.entries > MAX_ENTRIES {
            return Err(Error::Refused(
                "The repository holds more than a million files.".to_owned(),
            ));
        }
        self.room.take(ENTRY_BYTES, || format!("{} needs", shown_path(place)))
    }

    fn make_directory(&self, place: &Path) -> Result<(), Error> {
        let path = self.root.join(place);
        fs::create_dir(&path)?;
        Ok(fs::set_permissions(&path, Permissions::from_mode(0o755))?)
    }

    /// The size of a blob, of which no more than the beginning is read.
    fn size_of(&self, blob: Oid) -> Result<u64, Error> {
        match self.repository.odb()?.read_header(blob)? {
            (size, ObjectType::Blob) => Ok(size as u64),
            _ => Err(Error::Refused(
                "The repository calls something a file that is none.".to_owned(),
            )),
        }
    }

    fn read_link(&mut self, blob: Oid, place: &Path) -> Result<PathBuf, Error> {
        let size = self.size_of(blob)?;
        if size > MAX_LINK_BYTES {
            return Err(Error::Refused(format!(
                "{} is a symbolic link to a path of more than 4,095 bytes.",
                shown_path(place)
            )));
        }
        self.link_bytes += size;
        if self.link_bytes > MAX_LINKS_BYTES {
            return Err(Error::Refused(
                "The repository's symbolic links have more than 16 MiB.".to_owned(),
            ));
        }
        let target = self.repository.find_blob(blob)?;
        Ok(PathBuf::from(OsStr::from_bytes(target.content())))
    }

    fn write_file(&mut self, blob: Oid, place: &Path, is_executable: bool) -> Result<(), Error> {
        let size = self.size_of(blob)?;
        if size > MAX_FILE_BYTES {
            return Err(Error::Refused(format!(
                "{} is larger than 256 MiB; keep it in Git LFS.",
                shown_path(place)
            )));
        }
        self.room.take(size, || format!("{} has", shown_path(place)))?;
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
        links::admit(&self.found.links)?;
        for (place, target) in &self.found.links {
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
            shown_path(&below.join(""))
        )));
    }
    Ok(OsStr::from_bytes(name))
}
