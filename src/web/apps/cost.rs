//! What it costs to make something live, told before it happens.

use serde::Serialize;

use crate::actions::{Actions, Error};
use crate::db;
use crate::model::app::App;
use crate::model::deployment::{Step, StepRun};
use crate::model::ids::AppId;

const SECOND: i64 = 1_000;

/// Seconds until a release with an image serves, as long as the last one needed; a trivial app's where none is known.
pub fn seconds_to_live(c: &db::Tx, app: AppId) -> db::Result<i64> {
    let runs = match db::apps::find_active(c, app)? {
        Some((_, deployment)) => db::deployments::list_steps(c, deployment)?,
        None => Vec::new(),
    };
    Ok(seconds(&runs))
}

fn seconds(runs: &[StepRun]) -> i64 {
    const UNKNOWN: i64 = 2;
    let is_counted = |run: &&StepRun| matches!(run.step, Step::Start | Step::Check | Step::Switch);
    let millis: i64 = runs.iter().filter(is_counted).filter_map(|run| run.millis).sum();
    if millis == 0 {
        return UNKNOWN;
    }
    (millis + SECOND - 1) / SECOND
}

/// What it takes to have a change applied.
pub fn in_words(needs_build: bool, is_stopped: bool, seconds: i64) -> String {
    match (needs_build, is_stopped) {
        (true, false) => "Needs a build, then takes over without a gap.".to_owned(),
        (true, true) => "Needs a build, then starts the app.".to_owned(),
        (false, false) => format!("Restarts the app without a gap, about {seconds} s."),
        (false, true) => format!("Starts the app, about {seconds} s."),
    }
}

/// What it takes to have another ready image run.
pub const fn of_another_image(is_stopped: bool) -> &'static str {
    if is_stopped {
        "Pulls the image, then starts the app."
    } else {
        "Pulls the image, then takes over without a gap."
    }
}

/// What applying costs either way, for an editor that does not know yet what will change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Costs {
    restart: String,
    build: String,
    /// Whether what was saved before and is not live yet needs a build.
    needs_build: bool,
}

impl Costs {
    /// The costs of an app; `needs_build` tells of what was saved before.
    pub async fn load(actions: &Actions, app: &App, needs_build: bool) -> Result<Self, Error> {
        let id = app.id;
        let seconds = actions.db.read(move |c| seconds_to_live(c, id)).await?;
        let is_stopped = app.stopped_at.is_some();
        Ok(Self {
            restart: in_words(false, is_stopped, seconds),
            build: in_words(true, is_stopped, seconds),
            needs_build,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    #[test]
    fn building_and_draining_do_not_count() {
        let run = |step, millis| StepRun {
            step,
            started_at: Timestamp::from_millis(0),
            millis,
        };
        assert_eq!(seconds(&[]), 2);
        assert_eq!(seconds(&[run(Step::Start, None)]), 2);
        let all = [
            run(Step::Fetch, Some(9_000)),
            run(Step::Build, Some(90_000)),
            run(Step::Start, Some(700)),
            run(Step::Check, Some(2_000)),
            run(Step::Switch, Some(400)),
            run(Step::Retire, Some(5_000)),
        ];
        assert_eq!(seconds(&all), 4);
    }
}
