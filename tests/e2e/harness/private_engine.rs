//! An engine of a story's own, which the story may kill, in a network namespace of its own.
//!
//! Dhow, the git server and whoever visits have to be in that namespace too. So the test starts the engine and then runs
//! its own program again inside, for that one test, which finds the engine there and tells the story.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::process::{Process, run_id, succeed};
use super::wait::{eventually, seconds};

/// Says that the story is told inside, and where the engine is.
const INSIDE: &str = "DHOW_E2E_PRIVATE_ENGINE";
/// Images that stories need.
const IMAGES: [&str; 2] = ["busybox:1", "traefik:v3.7"];

/// The engine, seen from inside.
pub struct PrivateEngine {
    directory: PathBuf,
}

/// The engine, seen from outside; it ends with the test.
struct Started(tempfile::TempDir);

impl PrivateEngine {
    /// Tells a story. `test` is the whole name of the test that calls this.
    pub fn tell<Story: Future<Output = ()>>(test: &str, within: Duration, story: impl FnOnce(Self) -> Story) {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.enable_all().build().unwrap();
        if let Some(directory) = std::env::var_os(INSIDE) {
            let directory = directory.into();
            return runtime.block_on(story(Self { directory }));
        }
        let engine = Started::new();
        let program = std::env::current_exe().unwrap();
        let inside = format!("{INSIDE}={}", engine.0.path().display());
        let mut command = script("run", engine.0.path());
        command
            .args(["env", &inside])
            .arg(program)
            .args(["--exact", test, "--nocapture"]);
        let mut inside = Process::start(test, &mut command);
        let (status, _) = runtime.block_on(inside.ended(within));
        let words = inside.lines.text();
        println!("{words}");
        assert!(
            status.success() && words.contains("1 passed"),
            "the story inside failed, see above"
        );
    }

    /// SIGKILL to dockerd; containers are left as it happens.
    pub async fn kill(&self) {
        self.end_by("KILL").await;
    }

    /// SIGTERM to dockerd, as the service manager does.
    pub async fn terminate(&self) {
        self.end_by("TERM").await;
    }

    async fn end_by(&self, signal: &str) {
        let pid = std::fs::read_to_string(self.directory.join("docker.pid")).unwrap();
        succeed(Command::new("kill").args(["-s", signal, pid.trim()]));
        let process = Path::new("/proc").join(pid.trim());
        eventually("the engine ends", seconds(60), || async {
            if process.exists() {
                Err("it runs".to_owned())
            } else {
                Ok(())
            }
        })
        .await;
    }

    pub fn start_again(&self) {
        let name = std::fs::read_to_string(self.directory.join("netns")).unwrap();
        succeed(script("start", &self.directory).arg(name.trim()));
    }
}

impl Started {
    fn new() -> Self {
        // A short path: the engine's socket is in it.
        let this = Self(tempfile::Builder::new().prefix("dhow-e2e-pe-").tempdir().unwrap());
        succeed(script("start", this.0.path()).arg(format!("dhow-{}", run_id())));
        succeed(script("load", this.0.path()).args(IMAGES));
        this
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Err(error) = script("stop", self.0.path()).status() {
            eprintln!("the private engine is left: {error}");
        }
    }
}

fn script(verb: &str, directory: &Path) -> Command {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/testbed/private-engine"));
    command.arg(verb).arg(directory);
    command
}
