//! A Dockerfile under way together with what led to it, and the two ways in which one ends: with the command of a
//! server, or as a site that is only served.

use super::{Detected, Dockerfile, PORT, Reason, Tree, Undetected, Wishes, manifest, procfile, site};

/// Who runs an app, by numbers: some images have no program that would give it a name.
const USER: &str = "1000:1000";
/// Gives that user a name and a home in Debian's images, and a directory for the app.
pub const ADD_USER: &str = "useradd --create-home --uid 1000 app && install -d -o app -g app /app";
/// Why the app's directory is given to its user, and nothing in it.
pub const OWN_DIRECTORY: &str = "The app may make files beside its own: the directory itself belongs to it";

/// What starts the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// A program and its arguments.
    Words(Vec<String>),
    /// A line for a shell, which knows `$PORT`.
    Shell(String),
    /// Set in the app's settings; the image has none.
    Elsewhere,
}

/// What is known so far of a source.
#[derive(Debug)]
pub struct Draft {
    /// The Dockerfile.
    pub dockerfile: Dockerfile,
    /// What led to it.
    pub reasons: Vec<Reason>,
}

impl Draft {
    /// An empty one.
    pub fn new(wishes: &Wishes) -> Self {
        Self {
            dockerfile: Dockerfile::new(wishes),
            reasons: Vec::new(),
        }
    }

    /// Notes what a file led to.
    pub fn because(&mut self, file: &str, means: impl Into<String>) {
        self.reasons.push(Reason::new(file, means));
    }

    /// What a `Procfile` starts, else the command of the app's settings.
    pub fn told_start(&mut self, tree: &Tree, wishes: &Wishes) -> Option<Start> {
        if wishes.has_start_command {
            return Some(Start::Elsewhere);
        }
        let command = procfile::web(tree)?;
        self.because(procfile::FILE, "its web line is what starts the app");
        Some(Start::Shell(command))
    }

    /// The last lines of a server's image: a user without rights, the port, the command.
    pub fn into_server(mut self, summary: String, start: &Start) -> Detected {
        self.dockerfile.line(&format!("ENV PORT={PORT}"));
        self.dockerfile.line(&format!("USER {USER}"));
        match start {
            Start::Words(words) => {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                self.dockerfile.cmd(&words);
            }
            Start::Shell(command) => {
                self.dockerfile.cmd_shell(command);
            }
            Start::Elsewhere => {}
        }
        Detected {
            summary,
            reasons: self.reasons,
            dockerfile: self.dockerfile.finish(),
            files: Vec::new(),
        }
    }

    /// The stage that serves a directory which the stage `build` left in `/app`.
    pub fn into_site(
        mut self,
        summary: String,
        directory: &str,
        tree: &Tree,
        wishes: &Wishes,
    ) -> Result<Detected, Undetected> {
        let directory = directory.trim_start_matches("./").trim_matches('/');
        let path = match directory {
            "" | "." => "/app".to_owned(),
            plain if manifest::is_path(plain) => format!("/app/{plain}"),
            _ => {
                return Err(Undetected::Incomplete(format!(
                    "the publish folder `{}` is no path in the source: write one such as `dist`",
                    manifest::shown(directory)
                )));
            }
        };
        let is_made = wishes.build_command.is_some() || tree.has_dir(directory);
        if !is_made {
            return Err(Undetected::Incomplete(format!(
                "the publish folder `{directory}` is not in the source, and nothing makes it: set the build command"
            )));
        }
        let content = site::Content::Stage { stage: "build", path };
        let served = site::serve(&mut self.dockerfile, &content, false, tree)?;
        self.reasons.extend(served.reasons);
        Ok(Detected {
            summary: format!("{summary}, served as a static site"),
            reasons: self.reasons,
            dockerfile: self.dockerfile.finish(),
            files: vec![served.file],
        })
    }
}
