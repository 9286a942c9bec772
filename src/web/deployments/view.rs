//! What a deployment's page shows of it: the strip of steps, the line that names it, how it ended.
//!
//! Each part prints itself and has one root with an id, so that the stream can replace it on an open page.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::model::app::App;
use crate::model::deployment::{CommitInfo, Deployment, Status, Step, StepRun, SwitchReport, Trigger};
use crate::web::moment::{Moment, duration};
use crate::web::status::StatusWord;

/// A commit as pages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitView {
    /// The beginning of its id.
    pub short: String,
    /// The first line of its message.
    pub subject: String,
    /// Who wrote it.
    pub author: String,
}

impl From<&CommitInfo> for CommitView {
    fn from(commit: &CommitInfo) -> Self {
        let short = commit.sha.chars().take(7).collect();
        Self {
            short,
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
            let took = run
                .and_then(|run| run.millis)
                .filter(|_| state != "pending")
                .map(duration);
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

fn step_state(deployment: &Deployment, step: Step, run: Option<&StepRun>) -> (&'static str, &'static str) {
    let is_here = deployment.step == Some(step);
    // What a first attempt did counts no more while a second one has not come so far.
    let is_ahead = deployment.step.is_none_or(|present| step > present) || deployment.status == Status::Queued;
    match deployment.status {
        Status::Queued | Status::Running if is_ahead && brings_no_commit(deployment.trigger, step) => {
            ("skipped", "not needed")
        }
        Status::Queued | Status::Running if is_ahead => ("pending", "to come"),
        Status::Running if is_here => ("current", "now"),
        Status::Failed if is_here => ("failed", "failed"),
        Status::Cancelled if is_here => ("skipped", "cancelled"),
        _ if run.is_some() => ("done", "done"),
        Status::Succeeded | Status::Running => ("skipped", "not needed"),
        _ => ("pending", "not reached"),
    }
}

const fn brings_no_commit(trigger: Trigger, step: Step) -> bool {
    matches!(trigger, Trigger::Rollback | Trigger::Restart) && matches!(step, Step::Fetch | Step::Build)
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

impl From<&Deployment> for DeploymentLine {
    fn from(deployment: &Deployment) -> Self {
        let (event, when) = match deployment.started_at {
            Some(started_at) => ("started", started_at),
            None => ("asked for", deployment.created_at),
        };
        let wanted = deployment
            .wanted_commit
            .as_ref()
            .filter(|_| deployment.commit.is_none());
        Self {
            status: deployment.status.into(),
            release: deployment.release_number,
            commit: deployment.commit.as_ref().map(CommitView::from),
            wanted: wanted.map(|commit| commit.chars().take(7).collect()),
            trigger: deployment.trigger.as_str(),
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
    switch: Option<String>,
    /// Whether visitors noticed the switch.
    has_losses: bool,
}

/// What it prints is made by its template, which escapes.
impl HtmlSafe for Outcome {}

impl Outcome {
    /// For a deployment of an app as it is now.
    pub fn of(app: &App, deployment: &Deployment) -> Self {
        Self::seen(app.active_release_number, deployment)
    }

    /// The same while this release serves.
    fn seen(active_release: Option<i64>, deployment: &Deployment) -> Self {
        let (kind, message) = deployment.error.clone().unzip();
        let serving = match active_release {
            Some(number) => format!("v{number} keeps serving."),
            None => "Nothing is live.".to_owned(),
        };
        Self {
            status: deployment.status,
            kind: kind.map_or("", |kind| kind.as_str()),
            message: message.unwrap_or_default(),
            serving,
            has_losses: deployment.switch.is_some_and(|switch| switch.failed > 0),
            switch: deployment.switch.map(switch_sentence),
        }
    }

    /// Whether there is nothing to tell.
    fn is_empty(&self) -> bool {
        match self.status {
            Status::Queued | Status::Running => true,
            Status::Succeeded => self.switch.is_none(),
            Status::Failed | Status::Cancelled | Status::Superseded => false,
        }
    }
}

fn switch_sentence(switch: SwitchReport) -> String {
    let took = duration(switch.millis);
    let requests = match switch.requests {
        0 => return format!("Switched in {took}. No request came meanwhile."),
        1 => "One request came".to_owned(),
        count => format!("{} requests came", grouped(count)),
    };
    let failed = match switch.failed {
        0 => "none failed".to_owned(),
        1 => "one failed".to_owned(),
        count => format!("{} failed", grouped(count)),
    };
    format!("Switched in {took}. {requests} meanwhile, {failed}.")
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
