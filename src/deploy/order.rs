//! Pushes that overtake each other: a commit that is an ancestor of one already asked for does not go live after it.
//!
//! History is fetched only where what the forge says does not tell which push is the newer one.

use std::sync::atomic::AtomicBool;

use super::DeployError;
use super::job::{Job, JobLog};
use crate::db;
use crate::git::{Access, Mirror};
use crate::model::delivery::{Asked, Turn};
use crate::model::deployment::Trigger;
use crate::model::source::{Branch, GitUrl};

/// How many requests are looked at; more do not overtake each other.
const NEWEST: u32 = 50;

/// The place of a deployment among the pushes to its branch; `None` where nobody can have overtaken it.
pub async fn turn(job: &Job) -> Result<Option<Turn>, DeployError> {
    if job.deployment.trigger != Trigger::Webhook {
        return Ok(None);
    }
    let (app, id) = (job.app.id, job.deployment.id);
    let asked = job
        .context
        .db
        .read(move |c| match db::deployments::find_branch(c, id)? {
            Some(branch) => db::deployments::list_asked(c, app, &branch, NEWEST),
            None => Ok(Vec::new()),
        });
    let (own, others): (Vec<Asked>, _) = asked.await?.into_iter().partition(|asked| asked.deployment == id);
    Ok(own.into_iter().next().map(|own| Turn { own, others }))
}

/// The repository in which the order is looked up.
pub struct History<'a> {
    pub mirror: &'a Mirror,
    pub url: &'a GitUrl,
    pub branch: Option<&'a Branch>,
    pub access: Access<'a>,
    pub log: &'a JobLog,
    pub is_cancelled: &'a AtomicBool,
}

impl History<'_> {
    /// The request for a newer commit, if there is one.
    pub fn overtaking<'t>(&self, turn: &'t Turn) -> Result<Option<&'t Asked>, DeployError> {
        let rivals = turn.rivals();
        let mut is_whole = self.branch.is_none();
        for rival in rivals {
            if !is_whole && self.mirror.is_ancestor(&turn.own.commit, &rival.commit)?.is_none() {
                is_whole = true;
                self.fetch()?;
            }
            if self.mirror.is_ancestor(&turn.own.commit, &rival.commit)? == Some(true) && !self.was_reset(turn)? {
                return Ok(Some(rival));
            }
        }
        Ok(None)
    }

    /// Whether the branch was set back to the commit: forges that do not tell of forced pushes tell where it was before.
    fn was_reset(&self, turn: &Turn) -> Result<bool, DeployError> {
        match &turn.own.before {
            Some(before) => Ok(self.mirror.is_ancestor(&turn.own.commit, before)? == Some(true)),
            None => Ok(false),
        }
    }

    fn fetch(&self) -> Result<(), DeployError> {
        let Some(branch) = self.branch else { return Ok(()) };
        self.log.line(&format!(
            "Fetching the history of {branch}: pushes may have overtaken each other"
        ));
        let mut progress = |line: &str| self.log.line(line);
        let fetched = self
            .mirror
            .fetch_history(self.url, branch, self.access, &mut progress, self.is_cancelled);
        Ok(fetched?)
    }
}
