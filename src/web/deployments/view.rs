//! What a deployment's page shows of it: the strip of steps, the line that names it, how it ended.
//!
//! Each part prints itself and has one root with an id, so that the stream can replace it on an open page.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::model::app::App;
use crate::model::deployment::{CommitInfo, Deployment, ErrorKind, Status, Step, StepRun, SwitchReport, Trigger};
use crate::model::release::Release;
use crate::model::source::PulledImage;
use crate::model::time::Timestamp;
use crate::web::moment::{Moment, duration};
use crate::web::status::StatusWord;

/// A commit, or a ready image, as pages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitView {
    /// The beginning of its id; an image's name.
    pub short: String,
    /// The first line of its message; the beginning of an image's digest.
    pub subject: String,
    /// Who wrote it.
    pub author: String,
}

impl CommitView {
    /// What something was made of: the one of the two that is there.
    pub fn of(commit: Option<&CommitInfo>, image: Option<&PulledImage>) -> Option<Self> {
        commit.map(Self::from).or_else(|| image.map(Self::from))
    }
}

impl From<&PulledImage> for CommitView {
    fn from(image: &PulledImage) -> Self {
        Self {
            short: image.name.clone(),
            subject: image.short().to_owned(),
            author: String::new(),
        }
    }
}

impl From<&CommitInfo> for CommitView {
    fn from(commit: &CommitInfo) -> Self {
        Self {
            short: commit.short().to_owned(),
            subject: commit.message.clone(),
            author: commit.author.clone(),
        }
    }
}

/// The six steps.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "deployments/_steps.html")]
pub struct Steps {
    steps: Vec<StepView>,
}

/// What it prints is made by its template, which escapes.
impl HtmlSafe for Steps {}

#[derive(Debug, Clone, PartialEq, Eq)]
struct StepView {
    name: &'static str,
    /// As in the stylesheet.
    state: &'static str,
    /// The state for those who do not see it.
    word: &'static str,
    took: Option<String>,
}

impl Steps {
    /// The steps of a deployment as they went so far.
    pub fn of(deployment: &Deployment, runs: &[StepRun]) -> Self {
        let view = |step: &Step| {
            let run = runs.iter().find(|run| run.step == *step);
            let (state, word) = step_state(deployment, *step, run);
            let took = match state {
                "pending" => None,
                "current" => run.and_then(so_far),
                _ => run.and_then(|run| run.millis).map(duration),
            };
            StepView {
                name: step.as_str(),
                state,
                word,
                took,
            }
        };
        Self {
            steps: Step::ALL.iter().map(view).collect(),
        }
    }
}

/// How long a step has taken so far, in whole seconds.
fn so_far(run: &StepRun) -> Option<String> {
    const SECOND: i64 = 1_000;
    match Timestamp::now().millis_since(run.started_at) / SECOND {
        ..1 => None,
        seconds @ 1..60 => Some(format!("{seconds} s")),
        seconds => Some(duration(seconds * SECOND)),
    }
}

fn step_state(deployment: &Deployment, step: Step, run: Option<&StepRun>) -> (&'static str, &'static str) {
    let is_here = deployment.step == Some(step);
    // What a first attempt did counts no more while a second one has not come so far.
    let is_ahead = deployment.step.is_none_or(|present| step > present) || deployment.status == Status::Queued;
    let is_built = matches!(step, Step::Fetch | Step::Build);
    let needs_no_build = step == Step::Build && deployment.image.is_some();
    let brings_release = matches!(deployment.trigger, Trigger::Rollback | Trigger::Restart);
    match deployment.status {
        _ if needs_no_build || (is_built && brings_release) => ("skipped", "not needed"),
        Status::Running if is_here => ("current", "now"),
        Status::Failed if is_here => ("failed", "failed"),
        Status::Cancelled if is_here => ("skipped", "cancelled"),
        _ if !is_ahead && run.is_some() => ("done", "done"),
        Status::Succeeded => ("skipped", "not needed"),
        _ if !is_ahead => ("skipped", "not needed"),
        Status::Queued | Status::Running if is_built && deployment.trigger == Trigger::Config => {
            ("pending", "only if needed")
        }
        Status::Queued | Status::Running => ("pending", "to come"),
        Status::Failed | Status::Cancelled | Status::Superseded => ("pending", "not reached"),
    }
}

/// Why a deployment exists, in words.
pub const fn trigger_words(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Manual => "manual",
        Trigger::Webhook => "webhook",
        Trigger::Push => "push",
        Trigger::Config => "settings applied",
        Trigger::Rollback => "rollback",
        Trigger::Api => "API",
        Trigger::Restart => "restart",
    }
}

/// The line under a deployment's heading.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "deployments/_line.html")]
pub struct DeploymentLine {
    status: StatusWord,
    release: Option<i64>,
    commit: Option<CommitView>,
    /// A commit that was asked for and not found yet.
    wanted: Option<String>,
    trigger: &'static str,
    when: Moment,
    /// What happened at `when`.
    event: &'static str,
    took: Option<String>,
}

/// What it prints is made by its template, which escapes.
impl HtmlSafe for DeploymentLine {}

impl DeploymentLine {
    /// For a deployment; `release` is the one that it is to bring back.
    pub fn of(deployment: &Deployment, release: Option<&Release>) -> Self {
        let (event, when) = match deployment.started_at {
            Some(started_at) => ("started", started_at),
            None => ("asked for", deployment.created_at),
        };
        let of_release = || release.and_then(|release| CommitView::of(release.commit.as_ref(), release.image.as_ref()));
        let commit = CommitView::of(deployment.commit.as_ref(), deployment.image.as_ref()).or_else(of_release);
        let wanted = deployment
            .wanted_commit
            .as_ref()
            .filter(|_| deployment.commit.is_none());
        Self {
            status: deployment.status.into(),
            release: deployment
                .release_number
                .or_else(|| release.map(|release| release.number)),
            commit,
            wanted: wanted.map(|commit| commit.chars().take(7).collect()),
            trigger: trigger_words(deployment.trigger),
            when: Moment::of(when),
            event,
            took: took(deployment),
        }
    }
}

/// How long a deployment took, from the worker's hand to the end.
pub fn took(deployment: &Deployment) -> Option<String> {
    let (started_at, finished_at) = deployment.started_at.zip(deployment.finished_at)?;
    Some(duration(finished_at.millis_since(started_at)))
}

/// How a deployment ended, and what that means for what serves. Empty while it has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "deployments/_outcome.html")]
pub struct Outcome {
    status: Status,
    kind: &'static str,
    message: String,
    /// What serves now, in words.
    serving: String,
    has_begun: bool,
    switch: Option<String>,
    /// Whether visitors noticed the switch.
    has_losses: bool,
    /// What a queued one waits for.
    waits_for: Option<String>,
    /// The commit to build again where an image is gone.
    rebuild: Option<Rebuild>,
}

/// A commit that can be built again.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rebuild {
    slug: String,
    sha: String,
    short: String,
}

/// What it prints is made by its template, which escapes.
impl HtmlSafe for Outcome {}

impl Outcome {
    /// For a deployment of an app as it is now; `release` is the one that it was to bring back, `waits_for` is told
    /// while it is queued.
    pub fn of(app: &App, deployment: &Deployment, release: Option<&Release>, waits_for: Option<String>) -> Self {
        let is_gone = deployment
            .error
            .as_ref()
            .is_some_and(|(kind, _)| *kind == ErrorKind::ImageNotFound);
        let commit = release.filter(|_| is_gone).and_then(|release| release.commit.as_ref());
        Self {
            waits_for,
            rebuild: commit.map(|commit| Rebuild {
                slug: app.slug.to_string(),
                sha: commit.sha.clone(),
                short: CommitView::from(commit).short,
            }),
            ..Self::seen(app.active_release_number, app.stopped_at.is_some(), deployment)
        }
    }

    /// The same while this release serves, or would if the app were not stopped.
    fn seen(active_release: Option<i64>, is_stopped: bool, deployment: &Deployment) -> Self {
        let (kind, message) = deployment.error.clone().unzip();
        let serving = match active_release {
            Some(_) if is_stopped => "The app stays stopped.".to_owned(),
            Some(number) => format!("v{number} keeps serving."),
            None => "Nothing is live.".to_owned(),
        };
        Self {
            status: deployment.status,
            kind: kind.map_or("", |kind| kind.as_str()),
            message: message.unwrap_or_default(),
            serving,
            has_begun: deployment.started_at.is_some(),
            has_losses: deployment.switch.is_some_and(|switch| switch.failed > 0),
            switch: deployment.switch.map(switch_sentence),
            waits_for: None,
            rebuild: None,
        }
    }

    /// Whether there is nothing to tell.
    fn is_empty(&self) -> bool {
        match self.status {
            Status::Queued => self.waits_for.is_none(),
            Status::Running => true,
            Status::Succeeded => self.switch.is_none(),
            Status::Failed | Status::Cancelled | Status::Superseded => false,
        }
    }
}

fn switch_sentence(switch: SwitchReport) -> String {
    let hundredths = (switch.millis + 5) / 10;
    let took = format!("{}.{:02} s", hundredths / 100, hundredths % 100);
    if switch.requests == 0 {
        return format!("Switched in {took}; no request came in meanwhile.");
    }
    let (failed, requests) = (grouped(switch.failed), grouped(switch.requests));
    format!("{failed} of {requests} requests failed, switched in {took}.")
}

/// 1204 as "1,204".
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
