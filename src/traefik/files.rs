//! The directory of dynamic files that Traefik watches, and the only way in which Dhow changes it.
//!
//! A file is written in a sibling directory that Traefik does not see, synced, and renamed into place: Traefik
//! finds the old text or the new one, whenever Dhow is killed. Invariant: the watched directory never holds a
//! name that was not written whole.

use super::Error;
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
    /// included, and removes what a killed write left behind. Blocks; meant for the start.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let files = Self {
            watched: watched_directory(root),
            unfinished: root.join("unfinished"),
        };
        for directory in [&files.watched, &files.unfinished, &acme_directory(root)] {
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
        let target = self.path(name)?;
        let unfinished = self.unfinished.join(name);
        write_synced(&unfinished, text).map_err(at(&unfinished))?;
        fs::rename(&unfinished, &target).map_err(at(&target))?;
        self.sync_directory()?;
        Ok(true)
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
            Ok(()) => self.sync_directory().map(|()| true),
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

    /// Makes a rename or removal last through a power cut.
    fn sync_directory(&self) -> Result<(), Error> {
        File::open(&self.watched)
            .and_then(|directory| directory.sync_all())
            .map_err(at(&self.watched))
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

/// The directory in which Traefik keeps certificates and the account's key.
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
mod tests {
    use super::{DynamicFiles, Error};
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    fn files() -> (tempfile::TempDir, DynamicFiles) {
        let root = tempfile::tempdir().expect("a directory");
        let files = DynamicFiles::open(&root.path().join("traefik")).expect("opened");
        (root, files)
    }

    #[tokio::test]
    async fn a_file_is_written_replaced_listed_and_removed() {
        let (_root, files) = files();
        assert_eq!(files.read("app-a").await.expect("read"), None);
        assert!(files.write("app-b", "one").await.expect("written"));
        assert!(files.write("app-a", "one").await.expect("written"));
        assert!(files.write("app-a", "two").await.expect("replaced"));
        assert_eq!(files.read("app-a").await.expect("read").as_deref(), Some("two"));
        assert_eq!(files.list().await.expect("listed"), ["app-a", "app-b"]);
        assert!(files.remove("app-a").await.expect("removed"));
        assert!(!files.remove("app-a").await.expect("nothing to remove"));
        assert_eq!(files.list().await.expect("listed"), ["app-b"]);
    }

    #[tokio::test]
    async fn what_others_put_there_is_told_apart() {
        let (_root, files) = files();
        files.write("app-a", "one").await.expect("written");
        for entry in ["Mine.yml", "mine.toml", "mine.yaml", ".yml"] {
            fs::write(files.watched.join(entry), "").expect("put there");
        }
        assert_eq!(files.list().await.expect("listed"), ["app-a"]);
        assert_eq!(
            files.foreign().await.expect("listed"),
            [".yml", "Mine.yml", "mine.toml", "mine.yaml"]
        );
    }

    #[tokio::test]
    async fn the_same_text_is_not_written_again() {
        let (_root, files) = files();
        files.write("app-a", "one").await.expect("written");
        let inode = |files: &DynamicFiles| fs::metadata(files.watched.join("app-a.yml")).expect("a file").ino();
        let before = inode(&files);
        assert!(!files.write("app-a", "one").await.expect("compared"));
        assert_eq!(inode(&files), before);
    }

    #[tokio::test]
    async fn route_one_bad_file_kills_all_a_killed_write_leaves_nothing_that_traefik_reads() {
        let (root, files) = files();
        files.write("app-a", "whole").await.expect("written");
        super::write_synced(&files.unfinished.join("app-a"), "hal").expect("as far as a killed write came");
        assert_eq!(fs::read_dir(&files.watched).expect("listed").count(), 1);
        let files = DynamicFiles::open(&root.path().join("traefik")).expect("opened again");
        assert_eq!(fs::read_dir(&files.unfinished).expect("listed").count(), 0);
        assert_eq!(files.read("app-a").await.expect("read").as_deref(), Some("whole"));
    }

    #[tokio::test]
    async fn nobody_else_may_read_them() {
        let (root, files) = files();
        files.write("dhow", "hash").await.expect("written");
        let mode = |path: &std::path::Path| fs::metadata(path).expect("exists").permissions().mode() & 0o777;
        assert_eq!(mode(&files.watched.join("dhow.yml")), 0o600);
        for directory in ["traefik", "traefik/dynamic", "traefik/unfinished", "traefik/acme"] {
            assert_eq!(mode(&root.path().join(directory)), 0o700, "{directory}");
        }
    }

    #[tokio::test]
    async fn a_name_cannot_leave_the_directory() {
        let (_root, files) = files();
        for name in ["", "..", "../x", "a/b", "a.b", "A", "a b"] {
            assert!(
                matches!(files.write(name, "x").await, Err(Error::File { .. })),
                "{name:?}"
            );
        }
    }
}
