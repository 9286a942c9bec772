//! How a deployment can fail: one variant a cause, each with a stable kind and one sentence to act on.

use crate::build::PlanError;
use crate::build::detect::Undetected;
use crate::docker::{self, BuildError, RegistryError};
use crate::model::deployment::ErrorKind;
use crate::{db, git, secrets, traefik};

/// Why a deployment failed. The text is the last line of its log.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The commit could not be had.
    #[error("{0}")]
    Git(#[from] git::Error),
    /// The checkout cannot be built as the settings say.
    #[error("{0}. {way_out}", way_out = way_out(.0))]
    Plan(#[from] PlanError),
    /// A step of the Dockerfile failed.
    #[error("The build failed: {message}")]
    BuildFailed {
        /// BuildKit's last words.
        message: String,
    },
    /// The build was ended for taking too long.
    #[error("The build took longer than {minutes} minutes. Make it shorter, or raise --build-timeout.")]
    BuildTimedOut {
        /// The limit.
        minutes: u64,
    },
    /// Too little space is left to begin.
    #[error("Only {free} of disk space is free; deployments stop below {floor}. Free some space, then deploy again.")]
    DiskFull {
        /// What is left.
        free: String,
        /// The floor.
        floor: String,
    },
    /// The disk became full on the way.
    #[error("The server's disk is full. Free some space, then deploy again.")]
    NoSpace,
    /// An image that the deployment needs is gone.
    #[error("{0}")]
    ImageNotFound(String),
    /// The image that the app runs could not be had from its registry.
    #[error("{0}")]
    Pull(RegistryError),
    /// Pulling the image was ended for taking too long.
    #[error("Pulling the image took longer than {minutes} minutes. Try again, or raise --build-timeout.")]
    PullTimedOut {
        /// The limit.
        minutes: u64,
    },
    /// The engine refused to start the container.
    #[error("The container could not be started: {0}")]
    StartFailed(String),
    /// The engine gave the container another value than it was told.
    #[error(
        "The variable {key} did not reach the container as it is set, so the new version does not serve. Deploy again; \
         if this comes back, set {key} anew and check the Docker engine."
    )]
    VariableDiffers {
        /// Which one.
        key: String,
    },
    /// The new instance ended.
    #[error("The app ended {when}: {reason} See its last output in the log.")]
    Exited {
        /// In which phase.
        when: &'static str,
        /// Exit code in words, or lack of memory, to a full stop.
        reason: String,
    },
    /// Nothing accepts connections at the port.
    #[error("Nothing answered on port {port} of the container within {seconds} s ({found}). {hint}")]
    PortNotListening {
        /// The port that was tried.
        port: u16,
        /// How long.
        seconds: u32,
        /// How the last attempt ended, and at which address.
        found: String,
        /// The likely fix.
        hint: String,
    },
    /// The health path was answered wrongly.
    #[error(
        "{path} on port {port} answered {answer} until the time of {seconds} s was over; 200 to 399 is good. {hint}"
    )]
    HealthCheckFailed {
        /// The path.
        path: String,
        /// The port that was asked.
        port: u16,
        /// The last answer.
        answer: String,
        /// How long.
        seconds: u32,
        /// The likely fix.
        hint: String,
    },
    /// The image's own HEALTHCHECK said `unhealthy`.
    #[error(
        "The image's own health check (HEALTHCHECK) says that the app is unhealthy: {said}. See both outputs in the log."
    )]
    Unhealthy {
        /// Its last words.
        said: String,
    },
    /// The release command ended with an error.
    #[error("The release command failed: {reason} See its output in the log; the new version was not started.")]
    ReleaseCommandFailed {
        /// Exit code in words, or why it could not be run, to a full stop.
        reason: String,
    },
    /// The proxy did not take the new route.
    #[error("The traffic could not be switched: {0}. The version before goes on serving.")]
    RouteFailed(#[from] traefik::Error),
    /// The engine does not answer.
    #[error("{0}")]
    DockerUnreachable(String),
    /// A stored variable cannot be opened.
    #[error("The variable {key} cannot be opened with this server's secret.key. Set it again, or restore the key.")]
    SecretUnreadable {
        /// Which one.
        key: String,
    },
    /// The credential of the app's source cannot be opened.
    #[error(
        "The credential of the source cannot be opened with this server's secret.key. Store it again on the app's \
         source page, or restore the key."
    )]
    CredentialUnreadable,
    /// A password or key of a domain cannot be opened.
    #[error(
        "The passwords or the key of the domain {0} cannot be opened with this server's secret.key. Set them again, or \
         restore the key."
    )]
    DomainUnreadable(String),
    /// Dhow ended twice in the same step.
    #[error(
        "Dhow was ended twice during this step, so the deployment was given up. Look at Dhow's own log, then deploy again."
    )]
    Interrupted,
    /// A fault of Dhow itself or of its machine.
    #[error("Dhow met a fault of its own: {0}. Look at Dhow's own log.")]
    Internal(String),
}

impl DeployError {
    /// The stable kind.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Git(error) => git_kind(error),
            Self::Plan(PlanError::DockerfileMissing { .. } | PlanError::Undetected(Undetected::Nothing { .. })) => {
                ErrorKind::DockerfileMissing
            }
            Self::Plan(_) | Self::BuildFailed { .. } => ErrorKind::BuildFailed,
            Self::BuildTimedOut { .. } => ErrorKind::BuildTimedOut,
            Self::DiskFull { .. } | Self::NoSpace => ErrorKind::DiskFull,
            Self::ImageNotFound(_) | Self::Pull(_) => ErrorKind::ImageNotFound,
            Self::PullTimedOut { .. } => ErrorKind::TimedOut,
            Self::StartFailed(_) | Self::VariableDiffers { .. } => ErrorKind::StartFailed,
            Self::Exited { .. } => ErrorKind::Exited,
            Self::PortNotListening { .. } => ErrorKind::PortNotListening,
            Self::HealthCheckFailed { .. } | Self::Unhealthy { .. } => ErrorKind::HealthCheckFailed,
            Self::ReleaseCommandFailed { .. } => ErrorKind::ReleaseCommandFailed,
            Self::RouteFailed(_) => ErrorKind::RouteFailed,
            Self::DockerUnreachable(_) => ErrorKind::DockerUnreachable,
            Self::SecretUnreadable { .. } | Self::CredentialUnreadable | Self::DomainUnreadable(_) => {
                ErrorKind::SecretUnreadable
            }
            Self::Interrupted => ErrorKind::Interrupted,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    /// Whether a credential is missing, or is not the right one.
    pub const fn is_of_credential(&self) -> bool {
        match self {
            Self::Git(error) => matches!(error, git::Error::Auth(_)),
            Self::Pull(error) => matches!(error, RegistryError::Denied(_)),
            Self::CredentialUnreadable => true,
            _ => false,
        }
    }

    /// A fault of the machine below: a full disk is told as such.
    pub fn of_io(error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::StorageFull {
            return Self::NoSpace;
        }
        Self::Internal(error.to_string())
    }
}

const fn way_out(error: &PlanError) -> &'static str {
    match error {
        PlanError::Undetected(Undetected::Nothing { .. }) => {
            "Add a Dockerfile to the repository, or check the app's folder in its settings."
        }
        PlanError::Undetected(_) => "See the app's build settings, or add a Dockerfile to the repository.",
        _ => "Check context and Dockerfile in the app's settings.",
    }
}

const fn git_kind(error: &git::Error) -> ErrorKind {
    match error {
        git::Error::Auth(_) => ErrorKind::GitAuth,
        git::Error::RefNotFound(_) | git::Error::CommitNotFound(_) => ErrorKind::GitRefNotFound,
        git::Error::Empty => ErrorKind::GitEmpty,
        git::Error::NoSpace | git::Error::NoRoom(_) => ErrorKind::DiskFull,
        git::Error::Unreachable(_) | git::Error::RepositoryNotFound(_) | git::Error::Refused(_) => {
            ErrorKind::GitUnreachable
        }
        git::Error::Cancelled | git::Error::Other(_) => ErrorKind::Internal,
    }
}

impl From<db::Error> for DeployError {
    fn from(error: db::Error) -> Self {
        match error {
            db::Error::DiskFull => Self::NoSpace,
            error => Self::Internal(error.to_string()),
        }
    }
}

impl From<docker::Error> for DeployError {
    fn from(error: docker::Error) -> Self {
        match error {
            docker::Error::Unreachable(text) | docker::Error::TooOld(text) => Self::DockerUnreachable(text),
            docker::Error::NoSpace(_) => Self::NoSpace,
            docker::Error::NotFound(text) | docker::Error::Conflict(text) | docker::Error::Refused(text) => {
                Self::StartFailed(text)
            }
        }
    }
}

impl From<RegistryError> for DeployError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Engine(error) => error.into(),
            error => Self::Pull(error),
        }
    }
}

impl From<BuildError> for DeployError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Failed { message, .. } => Self::BuildFailed { message },
            BuildError::FrontendTooOld(message) => Self::BuildFailed { message },
            error @ (BuildError::SecretMissing { .. }
            | BuildError::SecretUnnameable { .. }
            | BuildError::ArgumentsTooLong { .. }) => Self::BuildFailed {
                message: format!("{error}."),
            },
            BuildError::Engine(error) => match error.into() {
                Self::StartFailed(message) => Self::BuildFailed { message },
                other => other,
            },
        }
    }
}

impl DeployError {
    /// For `map_err` when a variable is opened.
    pub fn unreadable(key: &str) -> impl FnOnce(secrets::Error) -> Self + use<> {
        let key = key.to_owned();
        move |_| Self::SecretUnreadable { key }
    }
}
