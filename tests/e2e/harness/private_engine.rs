//! An engine of the test's own, which it may kill: in a network namespace of its own, where the whole test then is.

use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::process::Command;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tempfile::TempDir;

use super::docker::docker;
use super::process::{print_party, run_id};
use super::wait::{eventually, seconds};

/// A running engine; it ends with all its containers when it goes out of scope.
pub struct PrivateEngine {
    directory: TempDir,
    name: String,
}

impl PrivateEngine {
    /// Starts it with the images that apps and proxy need, and moves this thread, with all that it starts from now on,
    /// into its network. Only for tests on a runtime of one thread; needs root.
    pub fn enter() -> Self {
        let directory = tempfile::Builder::new().prefix("dhow-engine-").tempdir().unwrap();
        let this = Self {
            directory,
            name: format!("dhow-{}", run_id()),
        };
        this.start();
        this.script("load", &["busybox:1", "traefik:v3.7"]);
        let namespace = std::fs::File::open(format!("/run/netns/{}", this.name)).unwrap();
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
            .expect("root may enter the engine's network");
        this
    }

    /// The value of `--docker-host`.
    pub fn host(&self) -> String {
        format!("unix://{}", self.directory.path().join("docker.sock").display())
    }

    /// Runs docker on this engine.
    pub fn docker(&self, arguments: &[&str]) -> String {
        docker(&[&["--host", &self.host()], arguments].concat())
    }

    /// Sends its process a signal by name, and waits for its end.
    pub async fn end_by(&self, signal: &str) {
        let process = std::fs::read_to_string(self.directory.path().join("docker.pid")).unwrap();
        let process = process.trim();
        let sent = Command::new("kill").args(["-s", signal, process]).status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "the engine was sent {signal}"
        );
        let entry = PathBuf::from("/proc").join(process);
        eventually("the engine ends", seconds(60), || {
            std::future::ready(if entry.exists() {
                Err("it runs".to_owned())
            } else {
                Ok(())
            })
        })
        .await;
    }

    /// Starts it again, on the same data.
    pub fn start(&self) {
        self.script("start", &[&self.name]);
    }

    fn script(&self, verb: &str, arguments: &[&str]) {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/private-engine");
        let output = Command::new(script)
            .arg(verb)
            .arg(self.directory.path())
            .args(arguments)
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "private-engine {verb}: {words}");
    }
}

impl Drop for PrivateEngine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.directory.path().join("dockerd.log"));
            print_party("the private engine", &log.unwrap_or_default());
        }
        self.script("stop", &[]);
    }
}
