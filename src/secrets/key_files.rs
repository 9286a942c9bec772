//! The files of the key: `secret.key`, and `secret.key.new` while it is being changed. Both are private (0600) from
//! their first byte and on the disk before anything depends on them.
//!
//! Which of the two counts is told by a fingerprint that the database keeps. Whoever writes here holds the lock.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use super::key::Key;
use super::{Error, SecretKey};

/// Where the key is kept.
#[derive(Clone)]
pub(super) struct KeyFiles {
    path: PathBuf,
}

impl KeyFiles {
    pub(super) fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The key that `secret.key` holds, made when there is none.
    pub(super) fn read_or_make(&self) -> Result<Key, Error> {
        if let Some(key) = read(&self.path)? {
            return Ok(key);
        }
        // Beside it first: what a full disk leaves unfinished is no key, and the next start makes another one.
        let key = Key::random();
        self.write_new(&key)?;
        self.adopt_new()?;
        Ok(key)
    }

    /// The key with this fingerprint, as the only one that is left. A key that came to nothing is removed; with the wrong
    /// one nothing is touched.
    pub(super) fn settle(&self, fingerprint: &str) -> Result<Key, Error> {
        let (current, new) = (read(&self.path)?, read(&self.new_path()));
        let counts = |key: &Key| key.fingerprint() == fingerprint;
        if let Some(key) = current.as_ref().filter(|key| counts(key)) {
            // Also one that was broken off in the middle of writing it.
            self.remove_new()?;
            return Ok(key.clone());
        }
        if let Some(key) = new?.filter(counts) {
            self.adopt_new()?;
            return Ok(key);
        }
        let path = self.path.display().to_string();
        Err(if current.is_none() {
            Error::KeyMissing { path }
        } else {
            Error::WrongKey { path }
        })
    }

    /// A key that is there now, without the lock. The first file is looked at twice, since the second may become it in
    /// between.
    pub(super) fn find(&self, is_wanted: impl Fn(&Key) -> bool) -> Result<Key, Error> {
        for path in [&self.path, &self.new_path(), &self.path] {
            // One that is just being written counts for nothing yet.
            if let Some(key) = read(path).ok().flatten().filter(&is_wanted) {
                return Ok(key);
            }
        }
        Err(Error::WrongKey {
            path: self.path.display().to_string(),
        })
    }

    fn write_new(&self, key: &Key) -> Result<(), Error> {
        self.remove_new()?;
        let path = self.new_path();
        let open = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let written = open.and_then(|mut file| {
            self.give_to_owner(&file)?;
            file.write_all(&key.0)?;
            file.sync_all()?;
            self.sync_directory()
        });
        written.map_err(unusable(&path))
    }

    fn remove_new(&self) -> Result<(), Error> {
        let path = self.new_path();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(&path)(error)),
            _ => Ok(()),
        }
    }

    fn adopt_new(&self) -> Result<(), Error> {
        let renamed = fs::rename(self.new_path(), &self.path).and_then(|()| self.sync_directory());
        renamed.map_err(unusable(&self.path))
    }

    /// The operator may work on the directory as root; whom it belongs to must be able to read what is made in it.
    fn give_to_owner(&self, file: &File) -> io::Result<()> {
        let directory = fs::metadata(self.directory())?;
        let (user, group) = (directory.uid(), directory.gid());
        let present = file.metadata()?;
        if (present.uid(), present.gid()) == (user, group) {
            return Ok(());
        }
        match fchown(file, Some(user), Some(group)) {
            // Not root: then it is the file of who will read it.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            outcome => outcome,
        }
    }

    fn sync_directory(&self) -> io::Result<()> {
        File::open(self.directory())?.sync_all()
    }

    fn directory(&self) -> &Path {
        match self.path.parent() {
            Some(directory) if directory != Path::new("") => directory,
            _ => Path::new("."),
        }
    }

    fn new_path(&self) -> PathBuf {
        self.beside(".new")
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name: OsString = self.path.clone().into();
        name.push(ending);
        name.into()
    }
}

fn read(path: &Path) -> Result<Option<Key>, Error> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(path)(error)),
    }
    let key = <[u8; 32]>::try_from(bytes);
    let key = key.map_err(|_| unusable(path)(io::Error::other("it does not hold 32 bytes")))?;
    Ok(Some(Key(key)))
}

fn unusable(path: &Path) -> impl Fn(io::Error) -> Error + use<> {
    let path = path.display().to_string();
    move |error| Error::KeyFile {
        path: path.clone(),
        reason: error.to_string(),
    }
}

/// The files while nobody else changes them. Which key counts is to be asked the database only now: before, it may have
/// been changed.
pub struct KeyLock {
    files: KeyFiles,
    _file: File,
}

impl KeyLock {
    /// Waits until nobody else changes the files; good until it is dropped.
    pub fn wait(path: &Path) -> Result<Self, Error> {
        let files = KeyFiles::at(path);
        let path = files.beside(".lock");
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(&path);
        let locked = file.and_then(|file| {
            files.give_to_owner(&file)?;
            file.lock()?;
            Ok(file)
        });
        let file = locked.map_err(unusable(&path))?;
        Ok(Self { files, _file: file })
    }

    /// Opens the key with this fingerprint, see [`SecretKey::open`].
    pub fn open(self, fingerprint: Option<&str>) -> Result<SecretKey, Error> {
        let key = match fingerprint {
            Some(fingerprint) => self.files.settle(fingerprint)?,
            None => self.files.read_or_make()?,
        };
        Ok(SecretKey::new(self.files, key))
    }
}

/// A change of the key at work. Between [`Rotation::begin`] and [`Rotation::finish`] everything is sealed anew, and the
/// new fingerprint written, in one transaction; a kill anywhere is made good by [`SecretKey::open`].
pub struct Rotation {
    files: KeyFiles,
    old: SecretKey,
    new: SecretKey,
    _alone: KeyLock,
}

impl Rotation {
    /// Makes a new key beside the one that has this fingerprint.
    pub fn begin(alone: KeyLock, fingerprint: &str) -> Result<Self, Error> {
        let files = alone.files.clone();
        let (old, new) = (files.settle(fingerprint)?, Key::random());
        files.write_new(&new)?;
        Ok(Self {
            old: SecretKey::new(files.clone(), old),
            new: SecretKey::new(files.clone(), new),
            files,
            _alone: alone,
        })
    }

    /// The key that has counted so far.
    pub fn old_key(&self) -> &SecretKey {
        &self.old
    }

    /// The key that is to count.
    pub fn new_key(&self) -> &SecretKey {
        &self.new
    }

    /// Puts the new key in the place of the old one; the database counts on it already.
    pub fn finish(self) -> Result<(), Error> {
        self.files.adopt_new()
    }

    /// Forgets the new key. Only where it is certain that the database knows nothing of it: whatever else is left behind,
    /// the next one settles.
    pub fn give_up(self) -> Result<(), Error> {
        self.files.remove_new()
    }
}

#[cfg(test)]
mod tests;
