//! What starts an app, as close to the program itself as its scripts let it be: a package manager in between costs
//! memory and passes signals on badly.

use super::super::{Dockerfile, Reason, Tree, procfile};
use super::framework::Framework;
use super::package::{FILE, Package, shown};
use super::script::{called_script, commands, giving_way, is_assignment, is_single, plain_words, without_prefix};

/// Scripts that start an app where it is meant to run, most telling first.
const SCRIPTS: [&str; 2] = ["start:prod", "start"];
/// What `node` is given where nothing says it.
const ENTRIES: [&str; 4] = ["server.js", "server.mjs", "index.js", "app.js"];
/// What `bun` is given, besides.
const BUN_ENTRIES: [&str; 6] = [
    "index.ts",
    "index.tsx",
    "server.ts",
    "src/index.ts",
    "src/index.tsx",
    "src/server.ts",
];
/// Longer scripts are called by their names.
const MAX_SHELL_LETTERS: usize = 300;
/// How many scripts may call one another before it is no use to follow.
const MAX_CALLS: usize = 5;

/// The command of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Words that need no shell.
    Words(Vec<String>),
    /// A text for a shell.
    Shell(String),
    /// A script of `package.json`, by its name.
    Script(String),
}

impl Command {
    /// Writes `CMD`.
    pub fn write(&self, dockerfile: &mut Dockerfile, runner: &str) {
        match self {
            Self::Words(words) => dockerfile.cmd(&words.iter().map(String::as_str).collect::<Vec<_>>()),
            Self::Shell(text) if is_single(text) => dockerfile.cmd_shell(text),
            Self::Shell(text) => dockerfile.cmd(&["/bin/sh", "-c", &giving_way(text)]),
            Self::Script(name) => dockerfile.cmd(&[runner, "run", name]),
        };
    }
}

/// A found start command.
#[derive(Debug, Clone)]
pub struct Start {
    /// What runs.
    pub command: Command,
    /// All that it runs, scripts that it calls included, to find the programs in.
    pub text: String,
    /// Who says so.
    pub reason: Reason,
}

impl Start {
    /// A command that a framework is known to be started by.
    pub fn known(words: &[String], framework: &Framework) -> Self {
        let text = words.join(" ");
        Self {
            command: Command::Words(words.to_owned()),
            reason: Reason::new(FILE, format!("{} is started by {text}", framework.name)),
            text,
        }
    }

    /// Whether it runs Bun itself.
    pub fn runs_bun(&self) -> bool {
        let is_bun = |words: Vec<&str>| matches!(without_bare_prefix(&words), ["bun" | "bunx", ..]);
        commands(&self.text).any(is_bun)
    }

    /// Whether it calls one of these package managers.
    pub fn calls(&self, manager: &str) -> bool {
        let of_command = match &self.command {
            Command::Words(words) => words.join(" "),
            Command::Shell(text) => text.clone(),
            Command::Script(_) => String::new(),
        };
        [of_command.as_str(), &self.text]
            .iter()
            .any(|text| text.split_whitespace().any(|word| word == manager))
    }

    /// Whether the programs of dependencies have to be found by their names.
    pub fn needs_path(&self) -> bool {
        match &self.command {
            Command::Words(words) => !matches!(words[0].as_str(), "node" | "bun" | "npm" | "npx"),
            Command::Shell(_) => true,
            Command::Script(_) => false,
        }
    }
}

/// The start command that the app itself brings: its `Procfile`'s, else a script that is more than the framework's own.
pub fn own(tree: &Tree, package: &Package, framework: Option<&Framework>) -> Option<Start> {
    if let Some(text) = procfile::web(tree) {
        let reason = Reason::new(procfile::FILE, format!("web starts the app: {}", shown(&text)));
        return Some(from_text(package, &text, reason, 0));
    }
    let name = SCRIPTS.iter().find(|name| package.script(name).is_some())?;
    let text = package.script(name)?;
    if framework.is_some_and(|framework| framework.is_own_start(text)) {
        return None;
    }
    Some(from_script(package, name, text, 0))
}

/// The file that `node` or `bun` runs where no script says so.
pub fn entry(tree: &Tree, package: &Package, has_build: bool, is_bun: bool) -> Option<Start> {
    let main = package
        .string(&["main"])
        .map(|main| main.trim_start_matches("./"))
        .filter(|main| super::package::is_plain_path(main));
    let is_built = |main: &&str| {
        has_build
            && ["dist/", "build/", "out/", "lib/"]
                .iter()
                .any(|start| main.starts_with(start))
    };
    let is_script = |main: &&str| !main.ends_with(".ts") || is_bun;
    let main = main.filter(|main| is_script(main) && (tree.has(main) || is_built(main)));
    let bun_entries = BUN_ENTRIES.iter().filter(|_| is_bun);
    let mut entries = ENTRIES.iter().chain(bun_entries).copied();
    let (file, means) = match main {
        Some(main) => (main, "main is what starts"),
        None => (
            entries.find(|entry| tree.has(entry))?,
            "no script starts the app, so this file does",
        ),
    };
    let program = if is_bun { "bun" } else { "node" };
    Some(Start {
        command: Command::Words(vec![program.to_owned(), file.to_owned()]),
        text: format!("{program} {file}"),
        reason: Reason::new(if main.is_some() { FILE } else { file }, means),
    })
}

fn from_script(package: &Package, name: &str, text: &str, calls: usize) -> Start {
    let reason = Reason::new(FILE, format!("scripts.{} starts the app: {}", shown(name), shown(text)));
    let has_others = ["pre", "post"]
        .iter()
        .any(|when| package.script(&format!("{when}{name}")).is_some());
    let needs_npm = text.contains("npm_") || text.chars().count() > MAX_SHELL_LETTERS || text.contains(['\n', '\r']);
    let followed = from_text(package, text, reason, calls);
    let is_followed = matches!(&followed.command, Command::Words(_)) || !runs_others(text);
    if has_others || needs_npm || !is_followed {
        let command = Command::Script(name.to_owned());
        let before = package.script(&format!("pre{name}")).unwrap_or("");
        let text = format!("{before}\n{}", followed.text);
        return Start {
            command,
            text,
            ..followed
        };
    }
    followed
}

fn from_text(package: &Package, text: &str, reason: Reason, calls: usize) -> Start {
    if let Some(words) = plain_words(text) {
        let borrowed: Vec<&str> = words.iter().map(String::as_str).collect();
        let words = without_environment(&borrowed);
        let called = called_script(&words).filter(|_| calls < MAX_CALLS && words.len() <= 3);
        if let Some((name, script)) = called.and_then(|name| Some((name, package.script(name)?))) {
            let followed = from_script(package, name, script, calls + 1);
            return Start { reason, ..followed };
        }
        return Start {
            text: everything(package, text),
            command: Command::Words(words.into_iter().map(str::to_owned).collect()),
            reason,
        };
    }
    Start {
        command: Command::Shell(text.trim().to_owned()),
        text: everything(package, text),
        reason,
    }
}

/// Words without what the container has anyhow; other variables are set by `env`.
fn without_environment<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let words = if words[0] == "cross-env" { &words[1..] } else { words };
    let count = words.iter().take_while(|word| is_assignment(word)).count();
    let (assignments, command) = words.split_at(count);
    let kept: Vec<&str> = assignments
        .iter()
        .copied()
        .filter(|word| *word != "NODE_ENV=production")
        .collect();
    let start = if kept.is_empty() { None } else { Some("env") };
    let all: Vec<&str> = start.into_iter().chain(kept).chain(command.iter().copied()).collect();
    if command.is_empty() { words.to_vec() } else { all }
}

/// Whether a text goes on to scripts by a package manager.
fn runs_others(text: &str) -> bool {
    text.split(|letter: char| !letter.is_ascii_alphanumeric())
        .any(|word| matches!(word, "npm" | "yarn" | "pnpm"))
}

/// A text with those of all scripts that it calls.
fn everything(package: &Package, text: &str) -> String {
    let mut whole = text.to_owned();
    let mut seen: Vec<String> = Vec::new();
    let mut rest = vec![text.to_owned()];
    while let Some(text) = rest.pop() {
        for words in commands(&text) {
            let called = called_script(without_bare_prefix(&words)).filter(|name| !seen.iter().any(|one| one == name));
            let Some((name, script)) = called.and_then(|name| Some((name, package.script(name)?))) else {
                continue;
            };
            seen.push(name.to_owned());
            whole.push('\n');
            whole.push_str(script);
            rest.push(script.to_owned());
        }
    }
    whole
}

fn without_bare_prefix<'a, 'b>(words: &'b [&'a str]) -> &'b [&'a str] {
    match without_prefix(words) {
        [] => words,
        _ if words[0] == "bunx" => words,
        rest => rest,
    }
}
