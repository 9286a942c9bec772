//! What it costs to make something live, told before it happens.

use crate::db;
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
