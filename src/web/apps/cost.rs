//! What it costs to make something live, told before it happens.

use serde::Serialize;

use crate::actions::{Actions, Error};
use crate::db;
use crate::model::app::App;
use crate::model::deployment::{Step, StepRun};
use crate::model::ids::AppId;
use crate::web::moment::duration;

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

/// What an app's last deployments tell of the time that the next one takes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    /// Seconds until a release with an image serves.
    pub seconds_to_live: i64,
    /// Milliseconds of the last build that went live, if any did.
    pub last_build: Option<i64>,
}

impl Times {
    /// Reads them.
    pub fn of(c: &db::Tx, app: AppId) -> db::Result<Self> {
        Ok(Self {
            seconds_to_live: seconds_to_live(c, app)?,
            last_build: db::deployments::find_last_build(c, app)?,
        })
    }
}

/// What it takes to have a change applied.
pub fn in_words(needs_build: bool, is_stopped: bool, times: Times) -> String {
    let seconds = times.seconds_to_live;
    let build = times
        .last_build
        .map(|millis| format!(", last time {},", duration(millis)));
    let build = build.as_deref().unwrap_or(",");
    match (needs_build, is_stopped) {
        (true, false) => format!("Needs a build{build} then takes over without a gap."),
        (true, true) => format!("Needs a build{build} then starts the app."),
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
        let times = actions.db.read(move |c| Times::of(c, id)).await?;
        let is_stopped = app.stopped_at.is_some();
        Ok(Self {
            restart: in_words(false, is_stopped, times),
            build: in_words(true, is_stopped, times),
            needs_build,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    #[test]
    fn a_build_is_told_with_the_time_of_the_last_one() {
        let mut times = Times {
            seconds_to_live: 2,
            last_build: None,
        };
        assert_eq!(in_words(true, true, times), "Needs a build, then starts the app.");
        times.last_build = Some(190_000);
        assert_eq!(
            in_words(true, false, times),
            "Needs a build, last time 3 min 10 s, then takes over without a gap."
        );
        assert_eq!(
            in_words(false, false, times),
            "Restarts the app without a gap, about 2 s."
        );
    }

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
