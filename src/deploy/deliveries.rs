//! Deliveries that wait: whether a push is deployed depends on the files that differ between what serves and what was
//! pushed, and those are in the repository, not in the payload.
//!
//! The app's slot is held meanwhile, since its mirror is used. When the difference cannot be told, the push is deployed:
//! one that is lost costs more than one build.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::fetch::Disk;
use super::source::{CancelOnDrop, Keys, pin_new};
use super::{Context, DeployError, RequestError, queue, release};
use crate::db;
use crate::events::Event;
use crate::git::{self, Access, FetchLimits, Mirror, Want};
use crate::model::app::App;
use crate::model::delivery::{Decision, Delivery, Outcome, Push, Verdict, decide};
use crate::model::ids::AppId;
use crate::model::source::{CommitPrefix, CommitSha, GitUrl, Source, WatchPath, first_watched};
use crate::model::user::Actor;

/// Decides about everything that waits of an app, in the order in which it came.
pub async fn decide_all(context: &Context, id: AppId) -> Result<(), DeployError> {
    loop {
        let read = context.db.read(move |c| {
            if db::apps::is_deleting(c, id)? {
                return Ok((None, None));
            }
            let waiting = db::deliveries::list_undecided_of_app(c, id)?;
            Ok((db::apps::find(c, id)?, waiting.into_iter().next()))
        });
        let (Some(app), Some(delivery)) = read.await? else {
            return Ok(());
        };
        let judged = judge(context, &app, &delivery).await?;
        carry_out(context, id, delivery, judged).await?;
    }
}

/// What shall be deployed, if anything, and why.
type Judged = (Option<(Push, CommitSha)>, Verdict);

async fn judge(context: &Context, app: &App, delivery: &Delivery) -> Result<Judged, DeployError> {
    // The settings may have changed while it waited.
    match decide(&app.settings, &delivery.told()) {
        Outcome::Skip(verdict) => Ok((None, verdict)),
        Outcome::Deploy(push, commit, verdict) => Ok((Some((push, commit)), verdict)),
        Outcome::AskRepository(push, commit) => {
            let verdict = ask_repository(context, app, &commit).await?;
            let wanted = (verdict.decision == Decision::Deploy).then_some((push, commit));
            Ok((wanted, verdict))
        }
    }
}

async fn ask_repository(context: &Context, app: &App, commit: &CommitSha) -> Result<Verdict, DeployError> {
    let Source::Git { url, watch_paths, .. } = &app.settings.source else {
        return Ok(deploys(
            "watched paths",
            "Deploys: the app's source was changed meanwhile.".to_owned(),
        ));
    };
    let id = app.id;
    let queued = context
        .db
        .read(move |c| db::deployments::list_queued_of_app(c, id))
        .await?;
    if let Some(queued) = queued.last() {
        let reason = format!(
            "Deploys {}: deployment {} still waits, so what serves is no measure.",
            commit.short(),
            queued.number
        );
        return Ok(deploys("watched paths", reason));
    }
    let active = release::active(context, app.id)
        .await?
        .and_then(|release| release.commit);
    let Some(live) = active.and_then(|commit| CommitSha::parse(&commit.sha).ok()) else {
        let reason = format!(
            "Deploys {}: nothing is live yet that it could be compared with.",
            commit.short()
        );
        return Ok(deploys("watched paths", reason));
    };
    let comparison = Comparison {
        url: url.clone(),
        live,
        pushed: commit.clone(),
        watched: watch_paths.clone(),
    };
    match compare(context, app, comparison.clone()).await {
        Ok(found) => Ok(comparison.verdict(found)),
        Err(DeployError::Git(git::Error::Cancelled)) => Err(DeployError::Git(git::Error::Cancelled)),
        Err(error) => {
            let reason = format!("Deploys {}: what changed cannot be told. {error}", commit.short());
            Ok(deploys("watched paths", reason))
        }
    }
}

fn deploys(rule: impl Into<String>, reason: String) -> Verdict {
    Verdict {
        decision: Decision::Deploy,
        rule: rule.into(),
        reason,
    }
}

/// What serves, what was pushed, and what is looked for in between.
#[derive(Debug, Clone)]
struct Comparison {
    url: GitUrl,
    live: CommitSha,
    pushed: CommitSha,
    watched: Vec<WatchPath>,
}

/// The glob and the path that fits it.
type Found = Option<(String, String)>;

impl Comparison {
    fn run(&self, mirror: &Mirror, access: Access<'_>, is_cancelled: &AtomicBool) -> Result<Found, DeployError> {
        for commit in [&self.pushed, &self.live] {
            let want = Want::Commit(CommitPrefix::from(commit));
            mirror.fetch(&self.url, &want, access, &mut |_| {}, is_cancelled)?;
        }
        let fitting = |path: &str| {
            let watched = first_watched(&self.watched, path)?;
            Some((watched.to_string(), path.to_owned()))
        };
        Ok(mirror.find_changed(&self.live, &self.pushed, fitting)?)
    }

    fn verdict(&self, found: Found) -> Verdict {
        let (live, pushed) = (self.live.short(), self.pushed.short());
        match found {
            Some((watched, path)) => {
                let reason = format!("Deploys {pushed}: {path} differs from {live}, which is live.");
                deploys(format!("watch path {watched}"), reason)
            }
            None => Verdict {
                decision: Decision::NothingWatched,
                rule: "watched paths".to_owned(),
                reason: format!(
                    "No watched path changed: {pushed} differs from {live}, which is live, only elsewhere."
                ),
            },
        }
    }
}

async fn compare(context: &Context, app: &App, comparison: Comparison) -> Result<Found, DeployError> {
    let dir = context.paths.mirror(app.id);
    let limits = FetchLimits {
        pack_bytes: Disk::of(context).free()?,
        ..FetchLimits::default()
    };
    let keys = Keys::load(context, app).await?;
    let host_keys = Arc::clone(&keys.host_keys);
    let is_cancelled = Arc::new(AtomicBool::new(false));
    let _guard = CancelOnDrop(Arc::clone(&is_cancelled));
    let work = tokio::task::spawn_blocking(move || {
        let access = keys.access(limits);
        comparison.run(&Mirror::open(&dir)?, access, &is_cancelled)
    });
    let compared = tokio::select! {
        biased;
        () = context.shutdown.cancelled() => Err(DeployError::Git(git::Error::Cancelled)),
        compared = work => compared.map_err(|error| DeployError::Internal(error.to_string()))?,
    };
    pin_new(context, &host_keys).await?;
    compared
}

/// Stores the decision together with the deployment that it asks for.
async fn carry_out(context: &Context, app: AppId, delivery: Delivery, judged: Judged) -> Result<(), DeployError> {
    let id = delivery.id;
    let (wanted, verdict) = judged;
    let stored = context.db.write(move |tx| {
        let queued = match &wanted {
            Some((push, commit)) => Some(queue::put_push(tx, &Actor::webhook(app), app, push, commit)?),
            None => None,
        };
        let deployment = queued.as_ref().map(|queued| queued.deployment.id);
        db::deliveries::update_decided(tx, id, &verdict, deployment)?;
        Ok::<_, RequestError>(queued)
    });
    match stored.await {
        Ok(Some(queued)) => {
            for id in queued.changed() {
                context.events.announce(Event::Deployment(id, app));
            }
            Ok(())
        }
        // Gone meanwhile: its deliveries go with it.
        Ok(None) | Err(RequestError::AppGone) => Ok(()),
        Err(RequestError::Db(error)) => Err(error.into()),
    }
}
