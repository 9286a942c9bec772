//! A bare copy of somebody else's repository, one an app, kept so that the next fetch is small.
//!
//! It can be had again at any time, so a damaged or overgrown one is thrown away and made anew.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use git2::{ObjectType, Repository, RepositoryInitOptions};
use sha2::{Digest as _, Sha256};

use super::checkout::CheckedOut;
use super::commit::{describe, find, id_of};
use super::destination::Destination;
use super::door::Door;
use super::fetch::Fetch;
use super::progress::Reporter;
use super::{Access, Commit, Error, Room, Want, checkout};
use crate::model::source::{Branch, CommitSha, GitUrl};

/// Every fetch adds a pack, and libgit2 never joins them; reading slows down with their number.
const MAX_PACKS: usize = 100;
/// Where a mirror's configuration says what it is a copy of.
const URL_KEY: &str = "dhow.url";

/// A bare copy of an app's repository.
#[derive(Debug, Clone)]
pub struct Mirror {
    dir: PathBuf,
}

impl Mirror {
    /// Opens the copy in that directory, or makes an empty one; a damaged one is thrown away and made anew.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let mirror = Self { dir: dir.to_owned() };
        if Repository::open_bare(dir).is_err() || count_packs(dir) > MAX_PACKS {
            mirror.make_anew()?;
        }
        Ok(mirror)
    }

    /// Fetches what is wanted, and as little else as the server allows. A commit that is here already is not asked for
    /// again. `progress` is given single lines to show.
    pub fn fetch(
        &self,
        url: &GitUrl,
        want: &Want,
        access: Access<'_>,
        progress: &mut dyn FnMut(&str),
        cancelled: &AtomicBool,
    ) -> Result<Commit, Error> {
        self.adopt(url)?;
        if let Want::Commit(wanted) = want {
            let repository = self.repository()?;
            if let Ok(Some(id)) = find(&repository, wanted) {
                return describe(&repository, id, None);
            }
        }
        self.fetch_anew(url, want, false, access, progress, cancelled)
    }

    /// Fetches a branch with its whole history, also where its newest commit is here already.
    pub fn fetch_history(
        &self,
        url: &GitUrl,
        branch: &Branch,
        access: Access<'_>,
        progress: &mut dyn FnMut(&str),
        cancelled: &AtomicBool,
    ) -> Result<(), Error> {
        self.adopt(url)?;
        let want = Want::Branch(Some(branch.clone()));
        self.fetch_anew(url, &want, true, access, progress, cancelled).map(drop)
    }

    fn fetch_anew(
        &self,
        url: &GitUrl,
        want: &Want,
        is_whole: bool,
        access: Access<'_>,
        progress: &mut dyn FnMut(&str),
        cancelled: &AtomicBool,
    ) -> Result<Commit, Error> {
        let destination = Destination::resolve(url, access, cancelled)?;
        let reporter = Reporter::new(progress, cancelled);
        let attempt = || {
            let repository = self.repository()?;
            Fetch {
                repository: &repository,
                door: Door {
                    url,
                    access,
                    destination: &destination,
                    cancelled,
                },
                reporter: &reporter,
                is_whole,
            }
            .run(want)
        };
        match attempt() {
            // It may be the copy that is at fault: once more with a new one.
            Err(Error::Other(why)) => {
                reporter.say(&format!("{why} Fetching everything again."));
                self.make_anew()?;
                self.adopt(url)?;
                attempt()
            }
            result => result,
        }
    }

    /// Writes a commit's files into a directory that does not exist yet, or is empty; see [`super::Submodules`] for
    /// what belongs in it besides.
    pub fn check_out(
        &self,
        commit: &CommitSha,
        into: &Path,
        room: &Room,
        cancelled: &AtomicBool,
    ) -> Result<CheckedOut, Error> {
        let repository = self.repository()?;
        let result = checkout::check_out(&repository, id_of(commit)?, into, room, cancelled);
        if let Err(Error::Other(why)) = result {
            self.make_anew()?;
            return Err(Error::Other(format!(
                "{why} The copy of the repository was thrown away; deploy again."
            )));
        }
        result
    }

    /// The content of a file of a commit; `None` where there is none, or where it is larger.
    pub(super) fn read_file(&self, commit: &CommitSha, path: &str, max_bytes: usize) -> Result<Option<Vec<u8>>, Error> {
        let repository = self.repository()?;
        let tree = repository.find_commit(id_of(commit)?)?.tree()?;
        let Ok(entry) = tree.get_path(Path::new(path)) else {
            return Ok(None);
        };
        match repository.odb()?.read_header(entry.id()) {
            Ok((size, ObjectType::Blob)) if size <= max_bytes => {
                Ok(Some(repository.find_blob(entry.id())?.content().to_owned()))
            }
            _ => Ok(None),
        }
    }

    /// The copy of a submodule, which goes with this one.
    pub(super) fn submodule(&self, url: &GitUrl) -> Result<Self, Error> {
        let name: String = Sha256::digest(url.as_str())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self::open(&self.dir.join("modules").join(name))
    }

    pub(super) fn repository(&self) -> Result<Repository, Error> {
        Ok(Repository::open_bare(&self.dir)?)
    }

    /// Makes sure that nothing of another repository is here: an app's address can be changed, and a commit that only the
    /// former repository has must not be found.
    fn adopt(&self, url: &GitUrl) -> Result<(), Error> {
        let known = self.repository()?.config()?.get_string(URL_KEY);
        if known.as_deref() == Ok(url.as_str()) {
            return Ok(());
        }
        if known.is_ok() {
            self.make_anew()?;
        }
        Ok(self.repository()?.config()?.set_str(URL_KEY, url.as_str())?)
    }

    fn make_anew(&self) -> Result<(), Error> {
        if self.dir.exists() {
            fs::remove_dir_all(&self.dir)?;
        }
        // libgit2 would otherwise follow the first redirect to wherever it leads.
        Ok(make_bare(&self.dir)?
            .config()?
            .set_str("http.followRedirects", "false")?)
    }
}

/// Makes an empty bare repository that only Dhow can read, without any template of the machine's.
pub(super) fn make_bare(dir: &Path) -> Result<Repository, Error> {
    DirBuilder::new().mode(0o700).recursive(true).create(dir)?;
    let mut options = RepositoryInitOptions::new();
    options.bare(true).external_template(false).initial_head("main");
    Ok(Repository::init_opts(dir, &options)?)
}

fn count_packs(dir: &Path) -> usize {
    let Ok(files) = fs::read_dir(dir.join("objects/pack")) else {
        return 0;
    };
    files
        .flatten()
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "pack"))
        .count()
}
