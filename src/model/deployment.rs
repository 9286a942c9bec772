//! One attempt to make something live, and how it can end.

use super::ids::{AppId, DeploymentId, ReleaseId};
use super::source::{CommitPrefix, PulledImage};
use super::time::Timestamp;
use super::words::words;

words! {
    /// Why a deployment exists.
    Trigger {
        /// A person pressed Deploy.
        Manual = "manual",
        /// A forge sent a webhook.
        Webhook = "webhook",
        /// Somebody pushed to the repository that Dhow hosts.
        Push = "push",
        /// Variables or settings changed.
        Config = "config",
        /// An earlier release is wanted back.
        Rollback = "rollback",
        /// A program asked through the API.
        Api = "api",
        /// The same release once more.
        Restart = "restart",
    }
}

impl Trigger {
    /// Whether it may fetch and build; a rollback and a restart use what is there.
    pub const fn may_build(self) -> bool {
        !matches!(self, Self::Rollback | Self::Restart)
    }

    /// Whether a new request of this kind takes the place of a queued one of kind `queued`: what brings a commit
    /// replaces everything that waits; a restart or a change of settings must not swallow a push.
    pub const fn replaces(self, queued: Self) -> bool {
        match self {
            Self::Config | Self::Restart => matches!(queued, Self::Config | Self::Restart),
            Self::Manual | Self::Webhook | Self::Push | Self::Rollback | Self::Api => true,
        }
    }
}

/// What a request wants made live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// What the trigger stands for: the head of the branch, or for a change of settings and a restart what serves.
    Newest,
    /// The same, built with newer base images and without the build cache, whatever is there.
    Fresh,
    /// This commit.
    Commit(CommitPrefix),
    /// This release, as it was.
    Release(ReleaseId),
}

words! {
    /// How far a deployment is, coarsely; only the first two are not final.
    Status {
        /// Waits for its turn.
        Queued = "queued",
        /// The worker is on it.
        Running = "running",
        /// It is, or was, live.
        Succeeded = "succeeded",
        /// It ended with an error; what served before goes on serving.
        Failed = "failed",
        /// Somebody cancelled it.
        Cancelled = "cancelled",
        /// A newer request took its place.
        Superseded = "superseded",
    }
}

impl Status {
    /// Whether nothing more will happen.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

words! {
    /// Where a running deployment is.
    Step {
        /// Bring the exact commit.
        Fetch = "fetch",
        /// Make the image.
        Build = "build",
        /// Start the new instance beside the old one.
        Start = "start",
        /// See that it answers.
        Check = "check",
        /// Give it the traffic.
        Switch = "switch",
        /// Let the old one finish and remove it.
        Retire = "retire",
    }
}

impl Step {
    /// Whether traffic may already go to the new instance, so that only forward or back by the route is possible.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Switch | Self::Retire)
    }
}

words! {
    /// The stable kind of a deployment's error.
    ErrorKind {
        /// The Git server wants other credentials.
        GitAuth = "git_auth",
        /// The Git server does not answer, or may not be called.
        GitUnreachable = "git_unreachable",
        /// No such branch or commit.
        GitRefNotFound = "git_ref_not_found",
        /// The repository has no commit.
        GitEmpty = "git_empty",
        /// No Dockerfile at the given path.
        DockerfileMissing = "dockerfile_missing",
        /// A step of the build failed.
        BuildFailed = "build_failed",
        /// The build needed more memory than it may have.
        BuildOutOfMemory = "build_out_of_memory",
        /// The build took longer than it may.
        BuildTimedOut = "build_timed_out",
        /// Too little space is left.
        DiskFull = "disk_full",
        /// An image is not here and cannot be pulled.
        ImageNotFound = "image_not_found",
        /// The engine refused to start the container.
        StartFailed = "start_failed",
        /// It ran and ended.
        Exited = "exited",
        /// Nothing accepts connections on the port.
        PortNotListening = "port_not_listening",
        /// It answers, but wrongly.
        HealthCheckFailed = "health_check_failed",
        /// The release command ended with an error.
        ReleaseCommandFailed = "release_command_failed",
        /// The proxy did not take the new route.
        RouteFailed = "route_failed",
        /// The engine does not answer.
        DockerUnreachable = "docker_unreachable",
        /// A stored secret cannot be opened.
        SecretUnreadable = "secret_unreadable",
        /// A step took longer than it may.
        TimedOut = "timed_out",
        /// Dhow was ended twice in the same step.
        Interrupted = "interrupted",
        /// A fault of Dhow itself.
        Internal = "internal",
    }
}

/// The commit that a deployment is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    /// Full id, 40 hexadecimal digits.
    pub sha: String,
    /// First line of the message.
    pub message: String,
    /// Author's name.
    pub author: String,
}

impl CommitInfo {
    /// The beginning of its id, as people write it.
    pub fn short(&self) -> &str {
        self.sha.get(..7).unwrap_or(&self.sha)
    }
}

/// What the proxy counted around the switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwitchReport {
    /// The app's requests from the route's rename to the end of the drain.
    pub requests: i64,
    /// Those answered 502, 503 or 504 by the proxy.
    pub failed: i64,
    /// Milliseconds from the rename until the proxy used the new instance.
    pub millis: i64,
}

/// One attempt to make something live. Never edited once ended.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Row id, unique in the instance.
    pub id: DeploymentId,
    /// Whose it is.
    pub app_id: AppId,
    /// Counts from 1 in each app.
    pub number: i64,
    /// How far it is.
    pub status: Status,
    /// Where it is, or was when it ended.
    pub step: Option<Step>,
    /// Why it exists.
    pub trigger: Trigger,
    /// Commit asked for (a full id or a prefix); `None` means the head of the branch.
    pub wanted_commit: Option<String>,
    /// Release that a rollback brings back.
    pub wanted_release_id: Option<ReleaseId>,
    /// Whether it is built with newer base images and without the build cache.
    pub is_fresh: bool,
    /// Commit that was found.
    pub commit: Option<CommitInfo>,
    /// Ready image that was found.
    pub image: Option<PulledImage>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the worker took it (again).
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it failed: kind and a sentence to act on.
    pub error: Option<(ErrorKind, String)>,
    /// The release that it made or brings back.
    pub release_id: Option<ReleaseId>,
    /// That release's number in its app.
    pub release_number: Option<i64>,
    /// What the switch cost.
    pub switch: Option<SwitchReport>,
}

/// One step as it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepRun {
    /// Which one.
    pub step: Step,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took; `None` while it runs.
    pub millis: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_does_not_swallow_a_push() {
        assert!(!Trigger::Restart.replaces(Trigger::Push));
        assert!(!Trigger::Config.replaces(Trigger::Manual));
        assert!(Trigger::Config.replaces(Trigger::Restart));
        for newer in [
            Trigger::Manual,
            Trigger::Api,
            Trigger::Webhook,
            Trigger::Push,
            Trigger::Rollback,
        ] {
            assert!(Trigger::ALL.iter().all(|queued| newer.replaces(*queued)));
        }
    }

    #[test]
    fn words_come_back_from_their_text() {
        for kind in ErrorKind::ALL {
            assert_eq!(ErrorKind::parse(kind.as_str()), Ok(*kind));
        }
        assert_eq!(
            Status::parse("done").unwrap_err().0,
            "Use one of: queued running succeeded failed cancelled superseded."
        );
    }
}
