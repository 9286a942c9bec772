//! A repository that Dhow hosts for an app whose source is `push`.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use git2::{ErrorCode, ReflogEntry, Repository};

use super::checkout::CheckedOut;
use super::commit::{branch_not_found, commit_not_found, default_not_found, describe, find, id_of, sha_of};
use super::mirror::make_bare;
use super::{Commit, Error, Room, Want, checkout};
use crate::model::source::{Branch, CommitSha};

const HEADS: &str = "refs/heads/";
/// What a branch's log says where it was put back.
const STEP_BACK: &str = "its deployment failed";

/// A bare repository that users push to. Its HEAD names the branch that is deployed.
#[derive(Debug, Clone)]
pub struct HostedRepository {
    dir: PathBuf,
    is_branch_chosen: bool,
}

/// Where a branch stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchHead {
    /// Name without `refs/heads/`.
    pub branch: String,
    /// The newest commit.
    pub commit: CommitSha,
}

impl HostedRepository {
    /// Opens the repository in that directory, or makes an empty one whose HEAD is `main`. Unlike a mirror it holds what
    /// exists nowhere else, so a damaged one is an error.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        if !dir.join("HEAD").exists() {
            make_bare(dir)?;
        }
        Repository::open_bare(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            is_branch_chosen: false,
        })
    }

    /// The same with the branch that the app's settings say, if they say one.
    pub fn deploying(mut self, branch: Option<&Branch>) -> Result<Self, Error> {
        if let Some(branch) = branch {
            self.set_deploy_branch(branch)?;
            self.is_branch_chosen = true;
        }
        Ok(self)
    }

    /// Whether the app's settings say which branch is deployed; else the first push does.
    pub fn is_branch_chosen(&self) -> bool {
        self.is_branch_chosen
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// All branches, by name. Names are as git allows them, which is wider than [`Branch`].
    pub fn branches(&self) -> Result<Vec<BranchHead>, Error> {
        let repository = self.repository()?;
        let mut heads = Vec::new();
        for reference in repository.references_glob("refs/heads/*")? {
            let reference = reference?;
            let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
            // A branch that points to no commit cannot be deployed; git itself makes none.
            if let (Some(branch), Ok(commit)) = (name.strip_prefix(HEADS), reference.peel_to_commit()) {
                heads.push(BranchHead {
                    branch: branch.to_owned(),
                    commit: sha_of(commit.id())?,
                });
            }
        }
        heads.sort_by(|left, right| left.branch.cmp(&right.branch));
        Ok(heads)
    }

    /// The branch that is deployed, whether or not it exists yet.
    pub fn deploy_branch(&self) -> Result<String, Error> {
        let repository = self.repository()?;
        let head = repository.find_reference("HEAD")?;
        let target = head.symbolic_target()?.unwrap_or_default();
        Ok(target.strip_prefix(HEADS).unwrap_or(target).to_owned())
    }

    /// Makes another branch the one that is deployed, whether or not it exists yet.
    pub fn set_deploy_branch(&self, branch: &Branch) -> Result<(), Error> {
        if self.deploy_branch()? != branch.as_str() {
            self.repository()?.set_head(&format!("{HEADS}{branch}"))?;
        }
        Ok(())
    }

    /// Puts a branch, by default the deployed one, back to where it stood before it was moved to `commit`, so that the same
    /// push can be made again; one that was new goes away. One that has moved on since is left alone.
    pub fn step_back(&self, branch: Option<String>, commit: &CommitSha) -> Result<(), Error> {
        let (repository, id) = (self.repository()?, id_of(commit)?);
        let branch = branch.map_or_else(|| self.deploy_branch(), Ok)?;
        let name = format!("{HEADS}{branch}");
        let mut reference = match repository.find_reference(&name) {
            Ok(reference) if reference.target() == Some(id) => reference,
            Ok(_) => return Ok(()),
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let log = repository.reflog(&name)?;
        let is_push =
            |entry: &ReflogEntry<'_>| entry.id_new() == id && entry.message_bytes() != Some(STEP_BACK.as_bytes());
        match log.iter().find(is_push).map(|entry| entry.id_old()) {
            Some(before) if before.is_zero() => reference.delete()?,
            Some(before) => drop(repository.reference_matching(&name, before, true, id, STEP_BACK)?),
            None => {}
        }
        Ok(())
    }

    /// The commit that is wanted, without any network; `None` as branch is the one that is deployed.
    pub fn resolve(&self, want: &Want) -> Result<Commit, Error> {
        let repository = self.repository()?;
        let branch = match want {
            Want::Commit(prefix) => {
                let id = find(&repository, prefix)?.ok_or_else(|| commit_not_found(prefix))?;
                return describe(&repository, id, None);
            }
            Want::Branch(Some(branch)) => branch.to_string(),
            Want::Branch(None) => self.deploy_branch()?,
        };
        match repository.find_reference(&format!("{HEADS}{branch}")) {
            Ok(reference) => describe(&repository, reference.peel_to_commit()?.id(), Some(&branch)),
            Err(error) if error.code() == ErrorCode::NotFound => {
                let heads = self.branches()?;
                let names: Vec<&str> = heads.iter().map(|head| head.branch.as_str()).collect();
                Err(match want {
                    _ if names.is_empty() => Error::Empty,
                    Want::Branch(None) => default_not_found(&names),
                    _ => branch_not_found(&branch, &names),
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a commit's files into a directory that does not exist yet, or is empty.
    pub fn check_out(
        &self,
        commit: &CommitSha,
        into: &Path,
        room: &Room,
        cancelled: &AtomicBool,
    ) -> Result<CheckedOut, Error> {
        checkout::check_out(&self.repository()?, id_of(commit)?, into, room, cancelled)
    }

    pub(super) fn repository(&self) -> Result<Repository, Error> {
        Ok(Repository::open_bare(&self.dir)?)
    }
}
