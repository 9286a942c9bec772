//! Submodules: fetched at the recorded commit, each into a copy of its own below that of its parent.
//!
//! `.gitmodules` is as hostile as the rest of a repository: only addresses that a user could type are called, through
//! the same guard, and the app's credential is shown to its own server alone.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::checkout::CheckedOut;
use super::links::{self, Links};
use super::{Access, Error, LargeFiles, Mirror, Room, Want, gitmodules};
use crate::model::source::{CommitPrefix, CommitSha, GitUrl};
use crate::model::text::shown_path;

/// Submodules in submodules; deeper ones are refused, since a repository may hold itself.
const MAX_DEPTH: usize = 5;
/// Directories above a submodule, its own included: with those in it they must stay few enough to be walked.
const MAX_DIRECTORIES: usize = 32;
/// Submodules in all.
const MAX_COUNT: usize = 200;

/// Fetches submodules and lays their files out.
pub struct Submodules<'a> {
    access: Access<'a>,
    large_files: LargeFiles<'a>,
    room: &'a Room,
    progress: &'a mut dyn FnMut(&str),
    cancelled: &'a AtomicBool,
    count: usize,
    /// The links of all repositories, since one may lead out by way of another.
    links: Links,
}

impl<'a> Submodules<'a> {
    /// With what may be reached, what fills their pointers of Git LFS, and the room that all files of the commit share;
    /// `progress` is given single lines to show.
    pub fn new(
        access: Access<'a>,
        large_files: LargeFiles<'a>,
        room: &'a Room,
        progress: &'a mut dyn FnMut(&str),
        cancelled: &'a AtomicBool,
    ) -> Self {
        Self {
            access,
            large_files,
            room,
            progress,
            cancelled,
            count: 0,
            links: Links::new(),
        }
    }

    /// Fills the empty directories of a checkout with what its submodules recorded there. `url` is where the commit
    /// comes from. Fails with the path of the submodule that cannot be had; nothing stays of a checkout that a link leaves.
    pub fn fill(
        &mut self,
        mirror: &Mirror,
        url: &GitUrl,
        commit: &CommitSha,
        into: &Path,
        found: &CheckedOut,
    ) -> Result<(), Error> {
        self.links = found.links.clone();
        self.fill_level(mirror, url, commit, (into, Path::new("")), found, 1)?;
        links::admit(&self.links).inspect_err(|_| {
            let _ = fs::remove_dir_all(into);
        })
    }

    fn fill_level(
        &mut self,
        mirror: &Mirror,
        url: &GitUrl,
        commit: &CommitSha,
        (into, below): (&Path, &Path),
        found: &CheckedOut,
        depth: usize,
    ) -> Result<(), Error> {
        if found.submodules.is_empty() {
            return Ok(());
        }
        let file = mirror.read_file(commit, ".gitmodules", gitmodules::MAX_BYTES)?;
        let written = gitmodules::parse(&file.unwrap_or_default());
        for (place, recorded) in &found.submodules {
            let shown = below.join(place);
            let known = place.to_str().and_then(|place| written.get(place));
            let filled = self.admit_one_more(&shown, depth).and_then(|()| {
                let known = known.ok_or_else(|| {
                    Error::Refused("The file .gitmodules does not say where it comes from.".to_owned())
                })?;
                let address = self.address(url, known)?;
                (self.progress)(&format!("Fetching the submodule {} from {address}", shown_path(&shown)));
                let module = mirror.submodule(&address)?;
                let want = Want::Commit(CommitPrefix::from(recorded));
                module.fetch(&address, &want, self.access, self.progress, self.cancelled)?;
                let inside = into.join(place);
                let found = module.check_out(recorded, &inside, self.room, self.cancelled)?;
                self.large_files
                    .fill(&address, &inside, &found.lfs_pointers, self.progress)?;
                fs::set_permissions(&inside, Permissions::from_mode(0o755))?;
                Ok((module, address, inside, found))
            });
            let (module, address, inside, found) = filled.map_err(|error| error.of_submodule(&shown))?;
            let links = found.links.iter();
            self.links
                .extend(links.map(|(link, target)| (shown.join(link), target.clone())));
            self.fill_level(&module, &address, recorded, (&inside, &shown), &found, depth + 1)?;
        }
        Ok(())
    }

    fn admit_one_more(&mut self, place: &Path, depth: usize) -> Result<(), Error> {
        self.count += 1;
        if depth > MAX_DEPTH {
            return Err(Error::Refused(format!("Submodules lie more than {MAX_DEPTH} deep.")));
        }
        if place.components().count() > MAX_DIRECTORIES {
            return Err(Error::Refused(format!(
                "It lies more than {MAX_DIRECTORIES} directories deep."
            )));
        }
        if self.count > MAX_COUNT {
            return Err(Error::Refused(format!("There are more than {MAX_COUNT} submodules.")));
        }
        Ok(())
    }

    /// Where a submodule is fetched from. One that is written for SSH, while the app has no key for that server, is
    /// reached as its parent is, where that is the same server.
    fn address(&self, parent: &GitUrl, written: &str) -> Result<GitUrl, Error> {
        let address = parent.join(written).map_err(|error| Error::Refused(error.0))?;
        let has_key = self.access.credential.is_some_and(|it| it.key_for(&address).is_some());
        if address.is_ssh() && !has_key {
            return Ok(address.by_way_of(parent).unwrap_or(address));
        }
        Ok(address)
    }
}
