//! A look at an app's source before anybody deploys it: how would it be built? Nothing is built and nothing is kept but
//! the answer, and what was fetched for the first deployment.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::fetch::{Disk, remove_dir};
use super::source::{CancelOnDrop, Keys, pin_new};
use super::{Context, DeployError, plan, variables};
use crate::db;
use crate::git::{Commit, FetchLimits, HostedRepository, Mirror, Room, Want};
use crate::model::app::App;
use crate::model::build_plan::PlanOutcome;
use crate::model::ids::AppId;
use crate::model::source::Source;

/// Somebody waits before the page, and the app's first deployment waits for the look.
const WITHIN: Duration = Duration::from_secs(30);

/// Looks at an app's source and stores what was seen. A look that is given up is made again at the next start.
pub(super) async fn at_source(context: &Context, app: AppId, cancel: &CancellationToken) -> Result<(), DeployError> {
    let Some(app) = context.db.read(move |c| db::apps::find(c, app)).await? else {
        return Ok(());
    };
    let seen = tokio::select! {
        () = context.shutdown.cancelled() => return Ok(()),
        () = cancel.cancelled() => return Ok(()),
        seen = tokio::time::timeout(WITHIN, see(context, &app)) => seen,
    };
    let outcome = match seen {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => PlanOutcome::Failed {
            message: error.to_string(),
        },
        Err(_elapsed) => PlanOutcome::Failed {
            message: format!(
                "The repository could not be fetched within {} s. A deployment waits longer for it.",
                WITHIN.as_secs()
            ),
        },
    };
    plan::store(context, &app, &outcome).await
}

async fn see(context: &Context, app: &App) -> Result<PlanOutcome, DeployError> {
    let keys = Keys::load(context, app).await?;
    let host_keys = Arc::clone(&keys.host_keys);
    let is_cancelled = Arc::new(AtomicBool::new(false));
    let _guard = CancelOnDrop(Arc::clone(&is_cancelled));
    let dir = context.paths.looked_at(app.id);
    let work = Work {
        source: app.settings.source.clone(),
        mirror: context.paths.mirror(app.id),
        hosted: context.paths.hosted_repository(app.id),
        keys,
        dir: dir.clone(),
        disk: Disk::of(context),
        is_cancelled,
    };
    let fetched = tokio::task::spawn_blocking(move || work.run()).await;
    pin_new(context, &host_keys).await?;
    let commit = fetched.map_err(|error| DeployError::Internal(error.to_string()))??;
    let sealed = variables::now(context, app).await?;
    let decided = plan::decide(context, app, &sealed, &dir).await;
    let outcome = plan::outcome(&decided, &dir, commit.sha.as_str());
    let removed = tokio::task::spawn_blocking(move || remove_dir(&dir)).await;
    removed.map_err(|error| DeployError::Internal(error.to_string()))??;
    Ok(outcome)
}

/// What the blocking thread needs.
struct Work {
    source: Source,
    mirror: PathBuf,
    hosted: PathBuf,
    keys: Keys,
    dir: PathBuf,
    disk: Disk,
    is_cancelled: Arc<AtomicBool>,
}

impl Work {
    /// Lays the newest commit's files out; a look that was given up meanwhile leaves none.
    fn run(self) -> Result<Commit, DeployError> {
        remove_dir(&self.dir)?;
        let commit = self.lay_out();
        if commit.is_err() || self.is_cancelled.load(Ordering::Relaxed) {
            remove_dir(&self.dir)?;
        }
        commit
    }

    fn lay_out(&self) -> Result<Commit, DeployError> {
        let want = Want::Branch(self.source.branch().cloned());
        let Source::Git { url, .. } = &self.source else {
            let repository = HostedRepository::open(&self.hosted)?;
            let commit = repository.resolve(&want)?;
            let room = Room::new(self.disk.free()?);
            repository.check_out(&commit.sha, &self.dir, &room, &self.is_cancelled)?;
            return Ok(commit);
        };
        let access = self.keys.access(FetchLimits {
            pack_bytes: self.disk.free()?,
            ..FetchLimits::default()
        });
        let mirror = Mirror::open(&self.mirror)?;
        let commit = mirror.fetch(url, &want, access, &mut |_| {}, &self.is_cancelled)?;
        let room = Room::new(self.disk.free()?);
        mirror.check_out(&commit.sha, &self.dir, &room, &self.is_cancelled)?;
        Ok(commit)
    }
}
