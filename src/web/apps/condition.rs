//! What is wrong with an app's instance, in words.

use crate::model::app::{App, AppStatus};
use crate::model::instance::{Instance, InstanceState};
use crate::web::moment::Moment;

/// What is wrong: "Crashed: exit code 1, restarted 4 times, last" and the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// In one word.
    pub word: &'static str,
    /// What is known of it, up to the moment.
    pub facts: String,
    /// When it happened last.
    pub at: Moment,
}

impl Condition {
    /// Of an app whose instance does not run as it should; none while a deployment is about to replace it.
    pub fn of(app: &App) -> Option<Self> {
        let instance = app.instance.as_ref()?;
        let (word, facts) = match app.status {
            AppStatus::Crashed => ("crashed", crash(instance)),
            AppStatus::Running if instance.is_unhealthy => {
                ("unhealthy", "the image's own health check fails, started".to_owned())
            }
            _ => return None,
        };
        Some(Self {
            word,
            facts,
            at: Moment::of(instance.since),
        })
    }
}

fn crash(instance: &Instance) -> String {
    let reason = match (instance.state, instance.exit_code) {
        (InstanceState::Missing, _) => "its container was removed".to_owned(),
        _ if instance.was_out_of_memory => "it used more memory than it may".to_owned(),
        (_, Some(code)) => format!("exit code {code}"),
        (_, None) => "it ended by itself".to_owned(),
    };
    match (instance.state, instance.restarts) {
        (InstanceState::Restarting, 1) => format!("{reason}, restarted"),
        (InstanceState::Restarting, times) => format!("{reason}, restarted {times} times, last"),
        _ => format!("{reason},"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::DeploymentId;
    use crate::model::time::Timestamp;

    #[test]
    fn a_crash_is_told_by_its_reason() {
        let restarting = Instance {
            deployment_id: DeploymentId(1),
            state: InstanceState::Restarting,
            since: Timestamp::now(),
            exit_code: Some(3),
            was_out_of_memory: false,
            is_unhealthy: false,
            restarts: 4,
        };
        let once = Instance {
            restarts: 1,
            ..restarting
        };
        let out_of_memory = Instance {
            exit_code: Some(137),
            was_out_of_memory: true,
            ..restarting
        };
        let unknown = Instance {
            exit_code: None,
            ..restarting
        };
        let ended = Instance {
            state: InstanceState::Exited,
            exit_code: Some(137),
            ..restarting
        };
        let missing = Instance {
            state: InstanceState::Missing,
            exit_code: None,
            restarts: 0,
            ..restarting
        };
        let cases = [
            (restarting, "exit code 3, restarted 4 times, last"),
            (once, "exit code 3, restarted"),
            (
                out_of_memory,
                "it used more memory than it may, restarted 4 times, last",
            ),
            (unknown, "it ended by itself, restarted 4 times, last"),
            (ended, "exit code 137,"),
            (missing, "its container was removed,"),
        ];
        for (instance, words) in cases {
            assert_eq!(crash(&instance), words);
        }
    }
}
