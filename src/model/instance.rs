//! What the instance of an app's active release does, judged from what the engine says of its container and the time.
//!
//! The engine forgets at a start how the run before ended, and Docker 20.10 now and then misses that memory ran out:
//! for these two facts alone, what its events told is asked as well.

use super::container::ContainerState;
use super::ids::DeploymentId;
use super::time::Timestamp;
use super::words::words;

/// Time up after which the engine itself forgets earlier restarts (moby, `restartmanager`), in milliseconds.
const STEADY_AFTER: i64 = 10_000;
/// Longest time seen between an end and the event that tells why, with a margin, in milliseconds.
const OUT_OF_MEMORY_NEAR: i64 = 5_000;
/// 128 + SIGKILL, which is how the kernel ends what used too much memory.
const KILLED: i64 = 137;

words! {
    /// What an instance does.
    InstanceState {
        /// It runs.
        Running = "running",
        /// The engine has started it again lately, or is about to.
        Restarting = "restarting",
        /// It ended, and the engine does not start it again by itself.
        Exited = "exited",
        /// Its container is gone.
        Missing = "missing",
    }
}

/// An app's instance as last seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instance {
    /// The deployment that made it.
    pub deployment_id: DeploymentId,
    /// What it does.
    pub state: InstanceState,
    /// Since when: its start while it runs, its last end, or when it was first missed.
    pub since: Timestamp,
    /// Exit code of its last end, unless it runs steadily.
    pub exit_code: Option<i64>,
    /// Whether its last end was for lack of memory.
    pub was_out_of_memory: bool,
    /// Whether the image's own HEALTHCHECK fails.
    pub is_unhealthy: bool,
    /// How often the engine has started it again since somebody last did.
    pub restarts: i64,
}

/// What events told of an instance since it was last seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    /// Exit code of its last end.
    pub exit_code: Option<i64>,
    /// When memory last ran out.
    pub out_of_memory_at: Option<Timestamp>,
}

impl Instance {
    /// Judges a container (`None` when it is gone) at a moment; `before` is how the app's instance was seen last.
    pub fn judge(
        deployment_id: DeploymentId,
        container: Option<&ContainerState>,
        told: Told,
        before: Option<&Self>,
        now: Timestamp,
    ) -> Self {
        let before = before.filter(|before| before.deployment_id == deployment_id);
        let Some(container) = container else {
            return Self::missing(deployment_id, before, now);
        };
        let state = state_of(container, now);
        let mut seen = Self {
            deployment_id,
            state,
            since: container.started_at.unwrap_or(now),
            exit_code: None,
            was_out_of_memory: false,
            is_unhealthy: container.is_running && container.health.as_deref() == Some("unhealthy"),
            restarts: container.restart_count,
        };
        if state != InstanceState::Running {
            seen.note_end(container, told, before, now);
        }
        seen
    }

    fn missing(deployment_id: DeploymentId, before: Option<&Self>, now: Timestamp) -> Self {
        let since = before.filter(|before| before.state == InstanceState::Missing);
        Self {
            deployment_id,
            state: InstanceState::Missing,
            since: since.map_or(now, |before| before.since),
            exit_code: None,
            was_out_of_memory: false,
            is_unhealthy: false,
            restarts: 0,
        }
    }

    fn note_end(&mut self, container: &ContainerState, told: Told, before: Option<&Self>, now: Timestamp) {
        let before = before.filter(|before| before.state == self.state);
        // One that could never be started has not ended either.
        let ended_at = container
            .finished_at
            .or(before.map(|before| before.since))
            .unwrap_or(now);
        let same_end = before.filter(|before| before.since == ended_at);
        self.since = ended_at;
        self.exit_code = if container.is_running {
            told.exit_code.or(same_end.and_then(|before| before.exit_code))
        } else {
            Some(container.exit_code)
        };
        let is_near = |at: Timestamp| (at.as_millis() - ended_at.as_millis()).abs() <= OUT_OF_MEMORY_NEAR;
        let is_told = self.exit_code == Some(KILLED) && told.out_of_memory_at.is_some_and(is_near);
        self.was_out_of_memory = is_told
            || (container.was_out_of_memory && !container.is_running)
            || same_end.is_some_and(|before| before.was_out_of_memory);
    }
}

fn state_of(container: &ContainerState, now: Timestamp) -> InstanceState {
    let up = container
        .started_at
        .map_or(0, |started_at| now.millis_since(started_at));
    if container.is_restarting || (container.is_running && container.restart_count > 0 && up < STEADY_AFTER) {
        InstanceState::Restarting
    } else if container.is_running {
        InstanceState::Running
    } else {
        InstanceState::Exited
    }
}

#[cfg(test)]
mod tests;
