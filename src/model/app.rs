//! An app and its settings.

use serde::{Deserialize, Serialize};

use super::Invalid;
use super::ids::{AppId, ProjectId, ReleaseId};
use super::instance::Instance;
use super::slug::{AppSlug, ProjectSlug};
use super::source::{RelativePath, Source};
use super::text::{ContainerCommand, Name};
use super::time::Timestamp;
use super::words::words;

/// A named group of apps that share one private network.
#[derive(Debug, Clone)]
pub struct Project {
    /// Row id.
    pub id: ProjectId,
    /// Its name in URLs.
    pub slug: ProjectSlug,
    /// Its name for people.
    pub name: Name,
    /// When it was made.
    pub created_at: Timestamp,
}

words! {
    /// How an image is made from a source.
    Builder {
        /// The repository's own Dockerfile; where it has none, one that is written for what its files say it is.
        Auto = "auto",
        /// The repository's own Dockerfile.
        Dockerfile = "dockerfile",
        /// A directory of files, made by a build or there already, behind a small web server.
        Static = "static",
    }
}

words! {
    /// An app's condition in one word.
    AppStatus {
        /// Never deployed.
        New = "new",
        /// A deployment waits or runs.
        Deploying = "deploying",
        /// Its active release serves.
        Running = "running",
        /// Somebody stopped it.
        Stopped = "stopped",
        /// Its instance ended, was started again only lately, or is gone.
        Crashed = "crashed",
        /// No release is active and the last deployment failed.
        Failed = "failed",
    }
}

/// How the image is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildSettings {
    /// Which way.
    pub builder: Builder,
    /// Directory that the Dockerfile can copy from, relative to the source's root.
    pub context: RelativePath,
    /// The Dockerfile, relative to the source's root.
    pub dockerfile: RelativePath,
    /// Stage to build; the last one when `None`.
    pub target: Option<BuildTarget>,
    /// Replaces the build's command in a Dockerfile that Dhow writes.
    pub build_command: Option<ContainerCommand>,
    /// The directory that is the finished site, relative to the source's root.
    pub publish_dir: Option<RelativePath>,
}

/// The name of a stage in a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildTarget(String);

impl BuildTarget {
    /// Accepts what the Dockerfile reference allows as a stage's name, or a stage's number.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let is_valid = (1..=100).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(is_allowed);
        if !is_valid {
            return Err(Invalid::new(
                "Use a stage's name: up to 100 letters, digits, and - _ . inside it.",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How Dhow finds out whether an instance is good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Path to ask by HTTP; `None` means that the port accepts a TCP connection.
    pub path: Option<HealthPath>,
    /// Seconds until a start counts as failed.
    pub timeout_s: u32,
}

impl Health {
    /// Seconds allowed when nothing is said.
    pub const DEFAULT_TIMEOUT_S: u32 = 60;
    /// Longest wait in seconds.
    pub const MAX_TIMEOUT_S: u32 = 1_800;
}

/// An absolute path with an optional query, as sent in an HTTP request line (RFC 9112 §3.2.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HealthPath(String);

impl HealthPath {
    /// Accepts `/…` in visible ASCII, 500 bytes at most.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let is_allowed = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}#".contains(c);
        if !text.starts_with('/') || text.starts_with("//") || text.len() > 500 || !text.chars().all(is_allowed) {
            return Err(Invalid::new(
                "Use a path such as /healthz: it begins with one / and holds no spaces, no # and only ASCII (é is %C3%A9).",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The first page.
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What an instance may use.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Resources {
    /// Memory in MiB; no limit when `None`.
    pub memory_mb: Option<u32>,
    /// Processor cores; no limit when `None`.
    pub cpus: Option<f64>,
}

impl Resources {
    /// Smallest memory limit in MiB that the engine accepts (Docker docs, "Resource constraints").
    pub const MIN_MEMORY_MB: u32 = 6;
    /// Largest memory limit in MiB that makes sense on one server.
    pub const MAX_MEMORY_MB: u32 = 4_194_304;

    /// Memory in bytes for the engine.
    pub fn memory_bytes(self) -> Option<i64> {
        self.memory_mb.map(|mb| i64::from(mb) * 1_048_576)
    }

    /// Cores in billionths for the engine.
    pub fn nano_cpus(self) -> Option<i64> {
        // Validated to 0.01..=1024 cores, far inside i64.
        self.cpus.map(|cpus| (cpus * 1e9) as i64)
    }
}

/// A TCP port, 1 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Port(u16);

impl Port {
    /// The port that is told to an app first whose owner has chosen none.
    pub const DEFAULT: Self = Self(3000);

    /// Accepts 1 to 65535.
    pub fn parse(number: i64) -> Result<Self, Invalid> {
        match u16::try_from(number) {
            Ok(port) if port > 0 => Ok(Self(port)),
            _ => Err(Invalid::new("Use a port from 1 to 65535.")),
        }
    }

    /// The port as a number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// What a release freezes besides its image and variables: how its instances run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSettings {
    /// The port it listens on, told to it in `PORT`.
    pub port: Port,
    /// How it is checked.
    pub health: Health,
    /// What it may use.
    pub resources: Resources,
    /// Replaces the image's command.
    pub start_command: Option<ContainerCommand>,
    /// Runs once in the new image before the first instance starts.
    pub release_command: Option<ContainerCommand>,
    /// Seconds between SIGTERM and SIGKILL when an instance is stopped.
    pub stop_timeout_s: u32,
}

impl RunSettings {
    /// Seconds until SIGKILL when nothing is said, as the engine's own default.
    pub const DEFAULT_STOP_TIMEOUT_S: u32 = 10;
    /// Longest time until SIGKILL in seconds.
    pub const MAX_STOP_TIMEOUT_S: u32 = 600;

    /// Every setting by its name in the API, as text; one that is not set is empty.
    pub fn named(&self) -> [(&'static str, String); 8] {
        fn text<T>(value: Option<T>, to_text: impl Fn(T) -> String) -> String {
            value.map(to_text).unwrap_or_default()
        }
        let command = |command: &ContainerCommand| command.as_str().to_owned();
        [
            ("port", self.port.get().to_string()),
            (
                "health.path",
                text(self.health.path.as_ref(), |path| path.as_str().to_owned()),
            ),
            ("health.timeout_s", self.health.timeout_s.to_string()),
            (
                "resources.memory_mb",
                text(self.resources.memory_mb, |mb| mb.to_string()),
            ),
            ("resources.cpus", text(self.resources.cpus, |cpus| cpus.to_string())),
            ("build.start_command", text(self.start_command.as_ref(), command)),
            ("build.release_command", text(self.release_command.as_ref(), command)),
            ("stop_timeout_s", self.stop_timeout_s.to_string()),
        ]
    }
}

/// Everything about an app that its owner types.
#[derive(Debug, Clone)]
pub struct AppSettings {
    /// Its name for people.
    pub name: Name,
    /// Where its code comes from.
    pub source: Source,
    /// How its image is made.
    pub build: BuildSettings,
    /// How its instances run.
    pub run: RunSettings,
    /// Whether nobody has chosen the port: what it is then, Dhow has found, and it follows what is found next.
    pub is_port_guessed: bool,
    /// Whether webhooks deploy it.
    pub auto_deploy: bool,
}

/// One deployable.
#[derive(Debug, Clone)]
pub struct App {
    /// Row id.
    pub id: AppId,
    /// Its project.
    pub project_id: ProjectId,
    /// Its project's slug.
    pub project_slug: ProjectSlug,
    /// Its name in URLs and hosts.
    pub slug: AppSlug,
    /// What its owner typed.
    pub settings: AppSettings,
    /// Its condition.
    pub status: AppStatus,
    /// The release that serves.
    pub active_release_id: Option<ReleaseId>,
    /// That release's number.
    pub active_release_number: Option<i64>,
    /// What the instance that serves does, once it was seen.
    pub instance: Option<Instance>,
    /// Since when somebody wants it not to run.
    pub stopped_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl App {
    /// Seconds that the instance of an app which was just stopped may still take to end; `None` once it must have.
    pub fn stops_within(&self, now: Timestamp) -> Option<i64> {
        let seconds = now.millis_since(self.stopped_at?) / 1_000;
        Some(i64::from(self.settings.run.stop_timeout_s) - seconds).filter(|left| *left > 0)
    }
}
