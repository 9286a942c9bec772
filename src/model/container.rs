//! What a container shall be, as plain data: made by whoever knows what is wanted (the deployment engine, the
//! proxy's module) and carried out by `docker`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::ids::DeploymentId;
use super::time::Timestamp;

/// The identity under which Dhow marks what it makes in Docker. An object is Dhow's own only with both labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// Value of `dhow.instance`, also the prefix of every name.
    pub instance: String,
    /// Value of `dhow.owner`: random, made once, kept in the database.
    pub owner: String,
}

impl Ownership {
    /// The label that holds the instance's name.
    pub const INSTANCE_LABEL: &'static str = "dhow.instance";
    /// The label that holds the owner's random identity.
    pub const OWNER_LABEL: &'static str = "dhow.owner";

    /// Both labels, to be put on a new object or to filter by.
    pub fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            (Self::INSTANCE_LABEL.to_owned(), self.instance.clone()),
            (Self::OWNER_LABEL.to_owned(), self.owner.clone()),
        ])
    }

    /// The name of a deployment's image. Whatever has such a name has it from Dhow, labels or not: a part of the random
    /// identity keeps other people's names out of the way.
    pub fn image_name(&self, app: &str, deployment: DeploymentId) -> String {
        format!("{}/{app}:{deployment}-{}", self.instance, self.owner_part())
    }

    /// The app's slug and the deployment in the name of an image, if it is one of ours.
    pub fn parse_image_name<'a>(&self, name: &'a str) -> Option<(&'a str, DeploymentId)> {
        let (app, tag) = name.strip_prefix(&self.instance)?.strip_prefix('/')?.split_once(':')?;
        let deployment = tag.strip_suffix(self.owner_part())?.strip_suffix('-')?;
        Some((app, DeploymentId(deployment.parse().ok()?)))
    }

    fn owner_part(&self) -> &str {
        self.owner.get(..6).unwrap_or(&self.owner)
    }
}

/// The label that says what a container is for (`app`, `proxy` or `job`).
pub const KIND_LABEL: &str = "dhow.kind";
/// Label of app containers and images: the project's slug.
pub const PROJECT_LABEL: &str = "dhow.project";
/// Label of app containers and images: the app's slug.
pub const APP_LABEL: &str = "dhow.app";
/// Label of app containers and images: the id of the deployment that made them.
pub const DEPLOYMENT_LABEL: &str = "dhow.deployment";
/// Label of app containers and images: the number of the release in its app.
pub const RELEASE_LABEL: &str = "dhow.release";

/// Whether the engine starts a container again by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RestartPolicy {
    /// Never: an exit stays visible with its code.
    No,
    /// After an exit and after a reboot, until somebody stops it.
    UnlessStopped,
}

/// A port of the container that the host forwards to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PublishedPort {
    /// TCP port inside the container.
    pub container_port: u16,
    /// Address on the host, as `0.0.0.0` or `127.0.0.1`.
    pub host_address: String,
    /// Port on the host; `None` lets the engine choose a free one.
    pub host_port: Option<u16>,
}

/// A directory of the host that the container sees.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BindMount {
    /// Absolute path on the host.
    pub host_path: PathBuf,
    /// Absolute path in the container.
    pub container_path: String,
    /// Whether the container may only read it.
    pub is_read_only: bool,
}

/// Everything that the engine needs to make a container. Labels of ownership are added by `docker`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContainerSpec {
    /// Unique name on the engine.
    pub name: String,
    /// Image reference or id.
    pub image: String,
    /// Replaces the image's entry point when given; an empty list clears it.
    pub entrypoint: Option<Vec<String>>,
    /// Replaces the image's command when given.
    pub command: Option<Vec<String>>,
    /// Environment, passed byte for byte.
    pub env: Vec<(String, String)>,
    /// Labels besides those of ownership.
    pub labels: BTreeMap<String, String>,
    /// The one network that it starts in.
    pub network: String,
    /// Ports forwarded by the host.
    pub ports: Vec<PublishedPort>,
    /// Directories of the host.
    pub binds: Vec<BindMount>,
    /// Memory limit in bytes.
    pub memory_bytes: Option<i64>,
    /// CPU limit in billionths of a core.
    pub nano_cpus: Option<i64>,
    /// Most processes and threads.
    pub pids_limit: Option<i64>,
    /// Time between SIGTERM and SIGKILL, kept in the container so that the engine's own stops obey it.
    pub stop_timeout: Duration,
    /// What the engine does after an exit.
    pub restart: RestartPolicy,
    /// Whether an init process forwards signals and reaps children (needed by programs that ignore SIGTERM as PID 1).
    pub has_init: bool,
}

/// One run of an image's own HEALTHCHECK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheckRun {
    /// Exit code of its command; negative when that could not be run or took too long.
    pub exit_code: i64,
    /// What it printed; the engine keeps 4 KiB.
    pub output: String,
}

/// A container's condition as the engine reports it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerState {
    /// The engine's id.
    pub id: String,
    /// Its name, without the leading slash.
    pub name: String,
    /// Id of the image that it runs (`sha256:…`).
    pub image_id: String,
    /// Labels, ownership included.
    pub labels: BTreeMap<String, String>,
    /// Whether its process runs now.
    pub is_running: bool,
    /// Whether it runs, but all its processes are frozen.
    pub is_paused: bool,
    /// Whether it has ended and the engine waits before it starts it again.
    pub is_restarting: bool,
    /// When it was last started.
    pub started_at: Option<Timestamp>,
    /// When it last ended.
    pub finished_at: Option<Timestamp>,
    /// Exit code of the last run; 0 while running.
    pub exit_code: i64,
    /// Whether the kernel ended it for lack of memory. Docker 20.10 misses that about 1 time in 24 (exit code 137 stays).
    pub was_out_of_memory: bool,
    /// How often the engine started it again.
    pub restart_count: i64,
    /// The image's own HEALTHCHECK result (`starting`, `healthy`, `unhealthy`), if it has one.
    pub health: Option<String>,
    /// The HEALTHCHECK's last run.
    pub last_health_check: Option<HealthCheckRun>,
    /// PID of its first process on the host, 0 when not running.
    pub pid: i64,
    /// Address on each network it is in, by network name.
    pub addresses: BTreeMap<String, String>,
    /// Published ports: container port → host port.
    pub host_ports: BTreeMap<u16, u16>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_image_is_read_back_and_nobody_elses_is() {
        let ownership = Ownership {
            instance: "dhow".to_owned(),
            owner: "abcdef0123".to_owned(),
        };
        let name = ownership.image_name("web", DeploymentId(12));
        assert_eq!(name, "dhow/web:12-abcdef");
        assert_eq!(ownership.parse_image_name(&name), Some(("web", DeploymentId(12))));
        for other in [
            "dhow/web:12-fedcba",
            "dhow/web:12",
            "dhow/web:x-abcdef",
            "dhow2/web:12-abcdef",
            "example.com/dhow/web:12-abcdef",
            "web:12-abcdef",
        ] {
            assert_eq!(ownership.parse_image_name(other), None, "{other}");
        }
    }
}
