//! Fetch: bring the exact commit and lay its files out.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::job::Job;
use super::order::{self, History};
use super::source::{CancelOnDrop, Keys, pin_new};
use super::{Context, DeployError};
use crate::db;
use crate::git::{
    Access, Commit, Credential, FetchLimits, HostedRepository, LargeFiles, Mirror, Pointer, Room, Submodules, Want,
};
use crate::model::delivery::Turn;
use crate::model::deployment::CommitInfo;
use crate::model::source::{Branch, CommitPrefix, GitUrl, Source};
use crate::model::text::shown_path;
use crate::secrets::Redaction;

/// The files of a commit.
pub struct Checkout {
    /// Where they are.
    pub dir: PathBuf,
    /// Which commit.
    pub commit: CommitInfo,
}

/// What came of the step.
pub enum Fetched {
    /// The files are there.
    Checkout(Checkout),
    /// A newer commit of the branch was asked for; why, in a sentence.
    Overtaken(String),
}

/// Fetches and checks out, `pinned` or else what was asked for.
pub async fn run(job: &Job, pinned: Option<&CommitInfo>) -> Result<Fetched, DeployError> {
    let disk = Disk::of(&job.context);
    disk.free()?;
    let dir = job.context.paths.checkout(job.app.id, job.deployment.id);
    let want = want(job, pinned)?;
    let keys = Keys::load(&job.context, &job.app).await?;
    let hidden = keys.credential.as_ref().map(Credential::texts_to_hide);
    job.log.redact(Redaction::of(hidden.unwrap_or_default()));
    let host_keys = Arc::clone(&keys.host_keys);
    let is_cancelled = Arc::new(AtomicBool::new(false));
    let _guard = CancelOnDrop(Arc::clone(&is_cancelled));
    let work = Work {
        source: job.app.settings.source.clone(),
        mirror: job.context.paths.mirror(job.app.id),
        hosted: job.context.paths.hosted_repository(job.app.id),
        keys,
        dir: dir.clone(),
        log: job.log.clone(),
        want,
        turn: order::turn(job).await?,
        disk,
        is_cancelled,
    };
    let fetched = tokio::task::spawn_blocking(move || work.run()).await;
    pin_new(&job.context, &host_keys).await?;
    let commit = match fetched.map_err(|error| DeployError::Internal(error.to_string()))?? {
        Found::Commit(commit) => commit,
        Found::Overtaken(why) => return Ok(Fetched::Overtaken(why)),
    };
    let info = CommitInfo {
        sha: commit.sha.to_string(),
        message: commit.message,
        author: commit.author,
    };
    job.log.line(&format!(
        "Commit {} “{}” by {}",
        commit.sha.short(),
        info.message,
        info.author
    ));
    remember(job, &info, commit.branch).await?;
    Ok(Fetched::Checkout(Checkout { dir, commit: info }))
}

/// What the blocking thread needs.
struct Work {
    source: Source,
    mirror: PathBuf,
    hosted: PathBuf,
    keys: Keys,
    dir: PathBuf,
    log: super::job::JobLog,
    want: Want,
    turn: Option<Turn>,
    disk: Disk,
    is_cancelled: Arc<AtomicBool>,
}

/// What the blocking thread answers.
enum Found {
    Commit(Commit),
    Overtaken(String),
}

impl Work {
    /// Fetches; a step that was given up meanwhile leaves no files, whenever the thread notices.
    fn run(self) -> Result<Found, DeployError> {
        let fetched = self.fetch();
        if self.is_cancelled.load(Ordering::Relaxed) {
            remove_dir(&self.dir)?;
        }
        fetched
    }

    fn fetch(&self) -> Result<Found, DeployError> {
        remove_dir(&self.dir)?;
        match &self.source {
            Source::Git {
                url,
                branch,
                submodules,
                ..
            } => {
                let has_token = matches!(self.keys.credential, Some(Credential::Token { .. }));
                self.log.line(&format!("Fetching {}", url.shown(has_token)));
                let access = self.keys.access(FetchLimits {
                    pack_bytes: self.disk.free()?,
                    ..FetchLimits::default()
                });
                let mirror = Mirror::open(&self.mirror)?;
                let mut progress = |line: &str| self.log.line(line);
                let commit = mirror.fetch(url, &self.want, access, &mut progress, &self.is_cancelled)?;
                if let Some(why) = self.overtaken(&mirror, url, branch.as_ref(), access)? {
                    return Ok(Found::Overtaken(why));
                }
                // The fetch took some of it.
                let room = Room::new(self.disk.free()?);
                let found = mirror.check_out(&commit.sha, &self.dir, &room, &self.is_cancelled)?;
                let large_files = LargeFiles::new(access, &room, &self.is_cancelled);
                large_files.fill(url, &self.dir, &found.lfs_pointers, &mut progress)?;
                if *submodules {
                    Submodules::new(access, large_files, &room, &mut progress, &self.is_cancelled).fill(
                        &mirror,
                        url,
                        &commit.sha,
                        &self.dir,
                        &found,
                    )?;
                }
                Ok(Found::Commit(commit))
            }
            Source::Push { .. } => {
                let repository = HostedRepository::open(&self.hosted)?;
                let commit = repository.resolve(&self.want)?;
                let found = repository.check_out(
                    &commit.sha,
                    &self.dir,
                    &Room::new(self.disk.free()?),
                    &self.is_cancelled,
                )?;
                self.tell_pointers(&found.lfs_pointers);
                Ok(Found::Commit(commit))
            }
            Source::Image { .. } => Err(DeployError::Internal("a ready image has no commit".into())),
        }
    }

    /// Why a push is not deployed after all, if a newer one was asked for.
    fn overtaken(
        &self,
        mirror: &Mirror,
        url: &GitUrl,
        branch: Option<&Branch>,
        access: Access<'_>,
    ) -> Result<Option<String>, DeployError> {
        let Some(turn) = &self.turn else { return Ok(None) };
        let history = History {
            mirror,
            url,
            branch,
            access,
            log: &self.log,
            is_cancelled: &self.is_cancelled,
        };
        let newer = history.overtaking(turn)?;
        Ok(newer.map(|newer| {
            format!(
                "Commit {} comes before {}, which deployment {} was asked for: there is nothing to go back for.",
                turn.own.commit.short(),
                newer.commit.short(),
                newer.number
            )
        }))
    }

    /// A build would take the pointers for the files and break far from here. Who pushes here has no other server that
    /// has the contents.
    fn tell_pointers(&self, pointers: &[(PathBuf, Pointer)]) {
        if let Some((first, _)) = pointers.first() {
            self.log.line(&format!(
                "Warning: {} is a pointer of Git LFS (files in all: {}), whose contents cannot be pushed to Dhow; the \
                 build gets the pointers.",
                shown_path(first),
                pointers.len()
            ));
        }
    }
}

/// Removes a directory of a former attempt.
pub(super) fn remove_dir(dir: &std::path::Path) -> Result<(), DeployError> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(DeployError::of_io(&error)),
        _ => Ok(()),
    }
}

/// The commit that was asked for. One that was found in a former attempt stays the one.
fn want(job: &Job, pinned: Option<&CommitInfo>) -> Result<Want, DeployError> {
    let found = pinned
        .or(job.deployment.commit.as_ref())
        .map(|commit| commit.sha.as_str());
    if let Some(commit) = found.or(job.deployment.wanted_commit.as_deref()) {
        let prefix = CommitPrefix::parse(commit).map_err(|error| DeployError::Internal(error.to_string()))?;
        return Ok(Want::Commit(prefix));
    }
    Ok(Want::Branch(job.app.settings.source.branch().cloned()))
}

/// Stores what was found: the commit, and the branch that a blank setting turned out to mean.
pub async fn remember(job: &Job, commit: &CommitInfo, branch: Option<String>) -> Result<(), DeployError> {
    let (id, app, commit) = (job.deployment.id, job.app.id, commit.clone());
    let branch = branch.and_then(|name| Branch::parse(&name).ok());
    job.context
        .db
        .write(move |tx| {
            if let Some(branch) = &branch {
                db::deployments::update_branch(tx, id, branch.as_str())?;
                db::apps::update_branch(tx, app, branch)?;
            }
            db::deployments::update_commit(tx, id, &commit)
        })
        .await?;
    job.announce();
    Ok(())
}

/// The disk that repositories and checkouts are on, and how many of its bytes are left alone.
pub(super) struct Disk {
    dir: PathBuf,
    floor: u64,
}

impl Disk {
    pub(super) fn of(context: &Context) -> Self {
        Self {
            dir: context.paths.data_dir().to_owned(),
            floor: context.config.disk_floor,
        }
    }

    /// How many bytes may be written; fails where there is no room at all.
    pub(super) fn free(&self) -> Result<u64, DeployError> {
        let disk = rustix::fs::statvfs(&self.dir).map_err(|error| DeployError::of_io(&error.into()))?;
        let free = disk.f_bavail * disk.f_frsize;
        if free < self.floor {
            return Err(DeployError::DiskFull {
                free: in_words(free),
                floor: in_words(self.floor),
            });
        }
        Ok(free - self.floor)
    }
}

/// Bytes for people, in the units of `df -h`.
fn in_words(bytes: u64) -> String {
    let mib = bytes >> 20;
    if mib < 1024 {
        format!("{mib} MiB")
    } else {
        format!("{:.1} GiB", mib as f64 / 1024.0)
    }
}
