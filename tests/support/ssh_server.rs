//! The real sshd on a free port, with its own keys and nobody's settings.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use tempfile::TempDir;

const SSHD: &str = "/usr/sbin/sshd";
const LISTENS_WITHIN: Duration = Duration::from_secs(20);

/// A server that lets the tester's own user in with keys that were admitted; ends with the test.
pub struct SshServer {
    dir: TempDir,
    child: Child,
    log: Receiver<String>,
    seen: std::sync::Mutex<Vec<String>>,
    /// Where it listens.
    pub port: u16,
}

impl SshServer {
    /// Starts one on that port with a new host key.
    pub fn start(port: u16) -> Self {
        let dir = TempDir::new().unwrap();
        run(Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(dir.path().join("host")));
        std::fs::write(dir.path().join("admitted"), "").unwrap();
        // As root, sshd wants an empty directory here.
        let _ = std::fs::create_dir_all("/run/sshd");
        let at = |name: &str| dir.path().join(name).display().to_string();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile none\nAuthorizedKeysFile {}\nStrictModes no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nLogLevel VERBOSE\n",
            at("host"),
            at("admitted")
        );
        std::fs::write(dir.path().join("config"), config).unwrap();
        let mut child = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(dir.path().join("config"))
            .args(penalties())
            .stderr(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .expect("openssh-server is installed");
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, log) = mpsc::channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let server = Self {
            dir,
            child,
            log,
            seen: std::sync::Mutex::default(),
            port,
        };
        server.await_line("Server listening");
        server
    }

    fn await_line(&self, words: &str) {
        loop {
            let line = self.log.recv_timeout(LISTENS_WITHIN);
            let line = line.unwrap_or_else(|_| panic!("sshd does not say {words:?}: {:?}", self.log()));
            let is_it = line.contains(words);
            self.seen.lock().unwrap().push(line);
            if is_it {
                return;
            }
        }
    }

    /// Lets the owner of a public key in.
    pub fn admit(&self, public_key: &str) {
        std::fs::write(self.dir.path().join("admitted"), format!("{public_key}\n")).unwrap();
    }

    /// Makes an empty repository; answers its path on this machine, which is the one on the server.
    pub fn repository(&self, name: &str) -> PathBuf {
        let path = self.dir.path().join(format!("{name}.git"));
        run(Command::new("git")
            .args(["init", "-q", "--bare", "-b", "main"])
            .arg(&path));
        path
    }

    /// The address of a repository.
    pub fn address(&self, repository: &Path) -> String {
        format!("ssh://{}@127.0.0.1:{}{}", user(), self.port, repository.display())
    }

    /// What it has logged so far.
    pub fn log(&self) -> Vec<String> {
        let mut seen = self.seen.lock().unwrap();
        seen.extend(self.log.try_iter());
        seen.clone()
    }

    /// The fingerprint of its host key.
    pub fn fingerprint(&self) -> String {
        let public = self.dir.path().join("host.pub");
        let line = run(Command::new("ssh-keygen").arg("-lf").arg(public));
        line.split_whitespace().nth(1).unwrap().to_owned()
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// OpenSSH 9.8 and newer keep away whoever failed before, which here is every test.
fn penalties() -> &'static [&'static str] {
    const OFF: &[&str] = &["-o", "PerSourcePenalties=no"];
    let knows = Command::new(SSHD).args(["-G", "-f", "/dev/null"]).args(OFF).output();
    if knows.is_ok_and(|output| output.status.success()) {
        OFF
    } else {
        &[]
    }
}

fn user() -> String {
    run(Command::new("id").arg("-un")).trim().to_owned()
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
