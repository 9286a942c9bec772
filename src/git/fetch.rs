//! One fetch: what the server has, what of it is wanted, and how little of it must be moved.

use git2::{AutotagOption, Direction, FetchOptions, Oid, Remote, RemoteHead, RemoteRedirect, Repository};

use super::commit::{branch_not_found, commit_not_found, default_not_found, describe, find};
use super::door::Door;
use super::progress::Reporter;
use super::{Commit, Error, Want};
use crate::model::source::CommitPrefix;

const HEADS: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";
/// What libgit2 takes as "everything, and forget that it was shallow" (GIT_FETCH_DEPTH_UNSHALLOW).
const WHOLE_HISTORY: i32 = i32::MAX;

/// Everything that a fetch works with.
pub(super) struct Fetch<'a, 'b> {
    pub(super) repository: &'a Repository,
    pub(super) door: Door<'a>,
    pub(super) reporter: &'a Reporter<'b>,
    /// Whether a branch comes with its whole history.
    pub(super) is_whole: bool,
}

/// A branch or tag as the server names it.
struct Tip {
    name: String,
    id: Oid,
}

/// What the server has.
pub(super) struct Offer {
    tips: Vec<Tip>,
    default: Option<String>,
}

impl Fetch<'_, '_> {
    /// Fetches what is wanted.
    pub(super) fn run(&self, want: &Want) -> Result<Commit, Error> {
        self.door.open(
            |address| self.fetch_from(address, want),
            |remark| self.reporter.say(remark),
        )
    }

    fn fetch_from(&self, address: &str, want: &Want) -> Result<Commit, Error> {
        let mut remote = self.repository.remote_anonymous(address)?;
        let mut connection = remote
            .connect_auth(Direction::Fetch, Some(self.reporter.callbacks()), None)
            .map_err(|error| self.explain(&error))?;
        let offer = Offer::read(connection.list().map_err(|error| self.explain(&error))?);
        if offer.tips.is_empty() {
            return Err(Error::Empty);
        }
        let mut get = |tips: &[&Tip], depth| self.get(connection.remote(), tips, depth);
        match want {
            Want::Branch(branch) => {
                let branch = match branch {
                    Some(branch) => branch.to_string(),
                    None => offer.default_branch()?,
                };
                let tip = offer.find_branch(&branch)?;
                get(&[tip], if self.is_whole { WHOLE_HISTORY } else { 1 })?;
                describe(self.repository, tip.id, Some(&branch))
            }
            Want::Commit(wanted) => describe(self.repository, self.get_commit(&mut get, &offer, wanted)?, None),
        }
    }

    /// A commit at the head of something is fetched alone; so is one that the server gives out by name; for any other,
    /// everything is fetched.
    fn get_commit(
        &self,
        get: &mut impl FnMut(&[&Tip], i32) -> Result<(), Error>,
        offer: &Offer,
        wanted: &CommitPrefix,
    ) -> Result<Oid, Error> {
        let is_wanted = |tip: &&Tip| tip.id.to_string().starts_with(wanted.as_str());
        if let Some(tip) = offer.tips.iter().find(is_wanted) {
            get(&[tip], 1)?;
        } else if let Some(commit) = wanted.whole() {
            let alone = Tip {
                name: commit.to_string(),
                id: Oid::from_str(commit.as_str())?,
            };
            if let Err(error @ (Error::Cancelled | Error::NoSpace)) = get(&[&alone], 1) {
                return Err(error);
            }
        }
        if let Some(id) = find(self.repository, wanted)? {
            return Ok(id);
        }
        self.reporter.say(&format!(
            "Commit {wanted} is not the newest of a branch; fetching the whole history."
        ));
        let all: Vec<&Tip> = offer.tips.iter().collect();
        get(&all, WHOLE_HISTORY)?;
        find(self.repository, wanted)?.ok_or_else(|| commit_not_found(wanted))
    }

    /// Fetches these tips. Each is kept under its own id and not under its name, since names of branches clash with
    /// each other over time (`a`, then `a/b`).
    fn get(&self, remote: &mut Remote<'_>, tips: &[&Tip], depth: i32) -> Result<(), Error> {
        let specs: Vec<String> = tips
            .iter()
            .map(|tip| format!("+{}:refs/fetched/{}", tip.name, tip.id))
            .collect();
        match self.download(remote, &specs, depth) {
            Err(error) if error.message().contains("support shallow") => self.download(remote, &specs, 0),
            result => result,
        }
        .map_err(|error| self.explain(&error))
    }

    fn explain(&self, error: &git2::Error) -> Error {
        self.door.explain(error)
    }

    fn download(&self, remote: &mut Remote<'_>, specs: &[String], depth: i32) -> Result<(), git2::Error> {
        let mut options = FetchOptions::new();
        options
            .remote_callbacks(self.reporter.callbacks())
            .follow_redirects(RemoteRedirect::None)
            .download_tags(AutotagOption::None)
            .update_fetchhead(false)
            .depth(depth);
        // libgit2 hangs up afterwards and connects anew for the next fetch, which Git's own protocol needs.
        remote.fetch(specs, Some(&mut options), None)
    }
}

impl Offer {
    /// From the server's list.
    pub(super) fn read(heads: &[RemoteHead<'_>]) -> Self {
        let mut offer = Self {
            tips: Vec::new(),
            default: None,
        };
        for head in heads {
            let name = head.name();
            if name == "HEAD" {
                offer.default = head
                    .symref_target()
                    .and_then(|target| target.strip_prefix(HEADS))
                    .map(str::to_owned);
            }
            if name.starts_with(HEADS) || name.starts_with(TAGS) {
                // `^{}` marks the commit that an annotated tag stands for; fetching the tag brings it.
                let name = name.strip_suffix("^{}").unwrap_or(name);
                offer.tips.push(Tip {
                    name: name.to_owned(),
                    id: head.oid(),
                });
            }
        }
        offer
    }

    /// Names of all branches.
    pub(super) fn branches(&self) -> Vec<&str> {
        self.tips
            .iter()
            .filter_map(|tip| tip.name.strip_prefix(HEADS))
            .collect()
    }

    fn find_branch(&self, branch: &str) -> Result<&Tip, Error> {
        let name = format!("{HEADS}{branch}");
        self.tips
            .iter()
            .find(|tip| tip.name == name)
            .ok_or_else(|| branch_not_found(branch, &self.branches()))
    }

    /// The branch that HEAD names. Where HEAD names one that was never pushed, the only branch there is will be meant.
    pub(super) fn default_branch(&self) -> Result<String, Error> {
        match (&self.default, self.branches().as_slice()) {
            (Some(branch), _) => Ok(branch.clone()),
            (None, [only]) => Ok((*only).to_owned()),
            (None, branches) => Err(default_not_found(branches)),
        }
    }
}
