//! Child processes of a test: their lines as they appear, signals by process id, and an end that is awaited.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::wait::eventually;

/// Everything a process has printed so far, on both streams, a line an item.
#[derive(Default)]
pub struct Lines(Mutex<Vec<String>>);

impl Lines {
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub fn text(&self) -> String {
        self.all().join("\n")
    }

    fn collect(self: &Arc<Self>, stream: impl Read + Send + 'static) -> std::thread::JoinHandle<()> {
        let lines = Arc::clone(self);
        std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                lines.0.lock().unwrap().push(text);
                line.clear();
            }
        })
    }
}

/// A running child that is killed, by its own id, when it goes out of scope.
pub struct Process {
    name: String,
    child: Child,
    readers: Vec<std::thread::JoinHandle<()>>,
    pub lines: Arc<Lines>,
}

impl Process {
    pub fn start(name: &str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error} ({command:?})"));
        let lines = Arc::new(Lines::default());
        let readers = vec![
            lines.collect(child.stdout.take().unwrap()),
            lines.collect(child.stderr.take().unwrap()),
        ];
        Self {
            name: name.to_owned(),
            child,
            readers,
            lines,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The first value that `read` finds in a printed line; fails at once when the process ends without one.
    pub async fn line<T>(&mut self, expectation: &str, within: Duration, read: impl Fn(&str) -> Option<T>) -> T {
        let name = self.name.clone();
        let lines = Arc::clone(&self.lines);
        eventually(&format!("{name} prints {expectation}"), within, || {
            let ended = self.child.try_wait().unwrap();
            let found = lines.all().iter().find_map(|line| read(line));
            assert!(
                found.is_some() || ended.is_none(),
                "{name} ended ({ended:?}) before it printed {expectation}:\n{}",
                lines.text()
            );
            std::future::ready(found.ok_or_else(|| lines.text()))
        })
        .await
    }

    /// Sends a signal by name ("TERM", "KILL", "STOP") to this process alone.
    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args(["-s", signal, &self.id().to_string()])
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "cannot send {signal} to {} ({})",
            self.name,
            self.id()
        );
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for the end; answers the status and how long it took from now.
    pub async fn ended(&mut self, within: Duration) -> (ExitStatus, Duration) {
        let began = Instant::now();
        let name = self.name.clone();
        let status = eventually(&format!("{name} ends"), within, || {
            let status = self.child.try_wait().unwrap();
            std::future::ready(status.ok_or_else(|| "still running".to_owned()))
        })
        .await;
        let took = began.elapsed();
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        (status, took)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            print_party(&self.name, &self.lines.text());
        }
    }
}

/// What a command did: for commands that end by themselves.
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a short command that must end well.
#[track_caller]
pub fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {words}");
}

/// Runs a command to its end, away from the async threads.
pub async fn run(mut command: Command, input: &str) -> Outcome {
    let input = input.to_owned();
    tokio::task::spawn_blocking(move || run_blocking(&mut command, &input))
        .await
        .unwrap()
}

fn run_blocking(command: &mut Command, input: &str) -> Outcome {
    use std::io::Write;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    // A command that refuses its arguments ends without reading: that is its answer, not an error of the test.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Command lines of this machine's processes that hold `text`, whoever started them.
pub fn commands_with(text: &str) -> Vec<String> {
    let all = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    let lines = all.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(text)).collect()
}

/// One party's words on a failure.
pub fn print_party(name: &str, words: &str) {
    eprintln!("\n===== {name} =====\n{words}\n===== end of {name} =====");
}

/// Eight hexadecimal digits that no other run has.
pub fn run_id() -> String {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).unwrap();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
