//! The directory of dynamic files that Traefik watches, and the only way in which Dhow changes it.
//!
//! A file is written in a sibling directory that Traefik does not see, synced, and renamed into place: Traefik
//! finds the old text or the new one, whenever Dhow is killed. Invariant: the watched directory never holds a
//! name that was not written whole.

use super::{Error, certificate};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
const EXTENSION: &str = ".yml";

/// Traefik's dynamic files by name, without directory and extension.
#[derive(Debug, Clone)]
pub struct DynamicFiles {
    watched: PathBuf,
    unfinished: PathBuf,
}

impl DynamicFiles {
    /// Makes the directories below `root` that are missing (0700), those that the proxy's container mounts
    /// included, and the fallback certificate; removes what a killed write left behind. Blocks; meant for the start.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let files = Self {
            watched: watched_directory(root),
            unfinished: root.join("unfinished"),
        };
        let certificates = certificates_directory(root);
        for directory in [&files.watched, &files.unfinished, &certificates, &acme_directory(root)] {
            DirBuilder::new()
                .recursive(true)
                .mode(DIRECTORY_MODE)
                .create(directory)
                .map_err(at(directory))?;
        }
        for entry in fs::read_dir(&files.unfinished).map_err(at(&files.unfinished))? {
            let path = entry.map_err(at(&files.unfinished))?.path();
            fs::remove_file(&path).map_err(at(&path))?;
        }
        let fallback = certificates.join(certificate::FALLBACK);
        if !fallback.exists() {
            let pem = certificate::fallback().map_err(|error| at(&fallback)(io::Error::other(error)))?;
            files.put(&fallback, &pem)?;
        }
        Ok(files)
    }

    /// Replaces a file as a whole, and answers whether anything changed: the same text is not written again and
    /// Traefik sees nothing.
    pub async fn write(&self, name: &str, text: &str) -> Result<bool, Error> {
        let (files, name, text) = (self.clone(), name.to_owned(), text.to_owned());
        blocking(move || files.write_now(&name, &text)).await
    }

    /// A file's text, `None` when there is none.
    pub async fn read(&self, name: &str) -> Result<Option<String>, Error> {
        let (files, name) = (self.clone(), name.to_owned());
        blocking(move || files.read_now(&name)).await
    }

    /// Removes a file, and answers whether there was one.
    pub async fn remove(&self, name: &str) -> Result<bool, Error> {
        let (files, name) = (self.clone(), name.to_owned());
        blocking(move || files.remove_now(&name)).await
    }

    /// The names of all files that are Dhow's own, sorted.
    pub async fn list(&self) -> Result<Vec<String>, Error> {
        Ok(self
            .entries()
            .await?
            .iter()
            .filter_map(|entry| own_name(entry))
            .map(str::to_owned)
            .collect())
    }

    /// Whatever else lies in the watched directory, as it is called there, sorted. Traefik reads it too, and refuses
    /// every later change when it cannot.
    pub async fn foreign(&self) -> Result<Vec<String>, Error> {
        Ok(self
            .entries()
            .await?
            .into_iter()
            .filter(|entry| own_name(entry).is_none())
            .collect())
    }

    async fn entries(&self) -> Result<Vec<String>, Error> {
        let files = self.clone();
        blocking(move || files.entries_now()).await
    }

    fn write_now(&self, name: &str, text: &str) -> Result<bool, Error> {
        if self.read_now(name)?.as_deref() == Some(text) {
            return Ok(false);
        }
        self.put(&self.path(name)?, text)?;
        Ok(true)
    }

    /// Puts a whole file at a path; `Path::file_name` of it must be unique among all that is written at once.
    fn put(&self, target: &Path, text: &str) -> Result<(), Error> {
        let unfinished = self.unfinished.join(target.file_name().unwrap_or_default());
        write_synced(&unfinished, text).map_err(at(&unfinished))?;
        fs::rename(&unfinished, target).map_err(at(target))?;
        sync_parent(target)
    }

    fn read_now(&self, name: &str) -> Result<Option<String>, Error> {
        let path = self.path(name)?;
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&path)(error)),
        }
    }

    fn remove_now(&self, name: &str) -> Result<bool, Error> {
        let path = self.path(name)?;
        match fs::remove_file(&path) {
            Ok(()) => sync_parent(&path).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(at(&path)(error)),
        }
    }

    fn entries_now(&self) -> Result<Vec<String>, Error> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.watched).map_err(at(&self.watched))? {
            let entry = entry.map_err(at(&self.watched))?;
            entries.push(entry.file_name().to_string_lossy().into_owned());
        }
        entries.sort();
        Ok(entries)
    }

    /// The path of a name, which must be one that cannot leave the directory.
    fn path(&self, name: &str) -> Result<PathBuf, Error> {
        let entry = format!("{name}{EXTENSION}");
        let path = self.watched.join(&entry);
        match own_name(&entry) {
            Some(_) => Ok(path),
            None => Err(at(&path)(io::Error::new(
                io::ErrorKind::InvalidInput,
                "not a name of a dynamic file",
            ))),
        }
    }
}

/// The name of a directory entry, if Dhow could have written it: lower-case letters, digits and hyphens.
fn own_name(entry: &str) -> Option<&str> {
    let name = entry.strip_suffix(EXTENSION)?;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (!name.is_empty() && name.bytes().all(is_plain)).then_some(name)
}

/// The directory of dynamic files, mounted read-only into the proxy's container.
pub(super) fn watched_directory(root: &Path) -> PathBuf {
    root.join("dynamic")
}

/// The directory of certificates that are not by ACME, mounted read-only into the proxy's container.
pub(super) fn certificates_directory(root: &Path) -> PathBuf {
    root.join("certificates")
}

/// The directory in which Traefik keeps certificates by ACME and the account's key.
pub(super) fn acme_directory(root: &Path) -> PathBuf {
    root.join("acme")
}

fn write_synced(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(FILE_MODE)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Makes a rename or removal last through a power cut.
fn sync_parent(path: &Path) -> Result<(), Error> {
    let directory = path.parent().unwrap_or(path);
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(at(directory))
}

/// Names the path in an error.
fn at(path: &Path) -> impl Fn(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::File {
        path: path.clone(),
        source,
    }
}

/// Runs a short series of file operations off the async threads, to its end even when nobody waits any more.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests;
