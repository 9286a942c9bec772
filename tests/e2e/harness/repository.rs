//! Git repositories that tests write, commit to and publish, by the git command with a clean environment.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The slow pages of a slow site, and of how many parts the longer one consists.
pub const SLOW: &str = "/slow";
pub const DOWNLOAD: &str = "/download";
pub const DOWNLOAD_PARTS: usize = 120;

/// A working copy and the bare repository that the server publishes.
pub struct Repository {
    pub url: String,
    work: PathBuf,
    bare: PathBuf,
}

/// The git command, with none of the tester's own settings; `home` stands for the home directory.
pub fn git(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home);
    command.envs([
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_TERMINAL_PROMPT", "0"),
    ]);
    for role in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{role}_NAME"), "Ada")
            .env(format!("GIT_{role}_EMAIL"), "ada@example.com");
    }
    command.args(arguments);
    command
}

impl Repository {
    /// An empty repository with the branch `main`: working copy below `works`, published below `root`.
    pub fn init(works: &Path, root: &Path, name: &str, url: String) -> Self {
        let this = Self::at(works, root, name, url);
        this.run_at(works, &["init", "--quiet", "--initial-branch=main", name]);
        this.run_at(
            root,
            &[
                "init",
                "--quiet",
                "--bare",
                "--initial-branch=main",
                &format!("{name}.git"),
            ],
        );
        this
    }

    /// One that was made before.
    pub fn at(works: &Path, root: &Path, name: &str, url: String) -> Self {
        Self {
            url,
            work: works.join(name),
            bare: root.join(format!("{name}.git")),
        }
    }

    fn run_at(&self, directory: &Path, arguments: &[&str]) -> String {
        let output = git(directory, arguments).current_dir(directory).output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {words}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Any git command in the working copy.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.run_at(&self.work, arguments)
    }

    /// The working copy, for commands that a test runs itself.
    pub fn directory(&self) -> &Path {
        &self.work
    }

    pub fn write(&self, path: &str, text: &str) {
        let file = self.work.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    /// Writes an app of `tests/fixtures/apps` into the working copy.
    pub fn write_sample(&self, name: &str) {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/apps")
            .join(name);
        self.write_directory(&sample, "");
    }

    fn write_directory(&self, from: &Path, to: &str) {
        let entries = std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        for entry in entries.map(Result::unwrap) {
            let path = format!("{to}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                self.write_directory(&entry.path(), &format!("{path}/"));
            } else {
                self.write(&path, &std::fs::read_to_string(entry.path()).unwrap());
            }
        }
    }

    /// Commits everything and publishes it on the current branch; answers the commit's id.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["push", "--quiet", "--force", &self.bare.to_string_lossy(), "HEAD"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Writes the Dockerfile of an app that serves `page`, with further build steps before it is done.
    pub fn write_app(&self, page: &str, steps: &str) {
        self.write("index.html", page);
        self.write(
            "Dockerfile",
            &format!(
                "FROM busybox:1\nWORKDIR /www\nCOPY index.html .\n{steps}\nCMD [\"sh\", \"-c\", \"exec httpd -f -p $PORT -h /www\"]\n"
            ),
        );
    }

    /// An app that serves `page`, committed; answers the commit's id.
    pub fn commit_app(&self, page: &str) -> String {
        self.write_app(page, "");
        self.commit(&format!("Serve {page}"))
    }

    /// A file that can be executed, as a script of the shell.
    pub fn write_script(&self, path: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        self.write(path, &format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(self.work.join(path), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A site that takes its time and bears load, by `slow_site.pl`: `/` is `page` at once, `SLOW` says it after two
    /// seconds, `DOWNLOAD` takes twelve. It ends at once on SIGTERM with every answer that it has begun, so what a switch
    /// cuts off is a failed request.
    pub fn write_slow_site(&self, page: &str) {
        self.write("slow_site.pl", include_str!("../../fixtures/slow_site.pl"));
        self.write(
            "Dockerfile",
            &format!(
                "FROM debian:bookworm-slim\nCOPY slow_site.pl .\nENV PAGE=\"{page}\" PARTS={DOWNLOAD_PARTS}\n\
                 CMD [\"perl\", \"slow_site.pl\"]\n"
            ),
        );
    }
}

/// The lines of a script that answers a request (RFC 3875).
pub fn plain_text(page: &str) -> String {
    format!("printf 'Content-Type: text/plain\\r\\n\\r\\n%s' '{page}'")
}
