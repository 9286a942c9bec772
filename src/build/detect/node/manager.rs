//! Which package manager installs what an app depends on. A lock file decides, `packageManager` where there are
//! several or none.

use super::super::versions::{BUN, PNPM, YARN, YARN_CLASSIC};
use super::super::{Cache, Reason, Tree, Undetected, manifest};
use super::package::{FILE, Package, shown};
use super::version::first_line;

/// Lock files and whose they are, most telling first.
const LOCKS: [(&str, Kind); 6] = [
    ("bun.lock", Kind::Bun),
    ("bun.lockb", Kind::Bun),
    ("pnpm-lock.yaml", Kind::Pnpm),
    ("yarn.lock", Kind::Yarn),
    ("npm-shrinkwrap.json", Kind::Npm),
    ("package-lock.json", Kind::Npm),
];
/// Where npm keeps what it loaded.
pub const NPM_CACHE: Cache = Cache::shared("/root/.npm");

/// The lock files of all package managers.
pub fn lock_files() -> [&'static str; 6] {
    LOCKS.map(|(file, _)| file)
}

/// A package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// npm.
    Npm,
    /// pnpm.
    Pnpm,
    /// yarn of the first version.
    Yarn,
    /// yarn from its second version on.
    Berry,
    /// Bun.
    Bun,
}

/// The chosen package manager.
#[derive(Debug)]
pub struct Manager {
    /// Which one.
    pub kind: Kind,
    /// Its version, as its package or image is tagged; nothing for npm, which comes with Node.js.
    pub version: String,
    /// The lock file that counts.
    pub lock: Option<&'static str>,
    /// What led to it.
    pub reasons: Vec<Reason>,
}

impl Manager {
    /// Chooses by lock files, `packageManager` and the managers' own configuration.
    pub fn choose(tree: &Tree, package: &Package) -> Result<Self, Undetected> {
        let named = named(package)?;
        let present: Vec<(&'static str, Kind)> = LOCKS.into_iter().filter(|(file, _)| tree.has(file)).collect();
        let by_name = named
            .as_ref()
            .and_then(|(kind, _)| present.iter().find(|(_, of)| of == kind));
        let lock = by_name.or(present.first()).copied();
        let kind = match (lock, &named) {
            (Some((_, kind)), _) => kind,
            (None, Some((kind, _))) => *kind,
            (None, None) if tree.has(".yarnrc.yml") => Kind::Yarn,
            (None, None) if tree.has("pnpm-workspace.yaml") => Kind::Pnpm,
            (None, None) => Kind::Npm,
        };
        let version = named
            .as_ref()
            .filter(|(of, _)| *of == kind)
            .map(|(_, version)| version.clone());
        let lock_text = lock.and_then(|(file, _)| tree.text(file)).unwrap_or_default();
        let (kind, version) = match kind {
            Kind::Npm => (Kind::Npm, String::new()),
            Kind::Pnpm => (Kind::Pnpm, version.unwrap_or_else(|| pnpm_of(&lock_text).to_owned())),
            Kind::Bun => (
                Kind::Bun,
                version.or_else(|| bun_version(tree)).unwrap_or_else(|| BUN.to_owned()),
            ),
            Kind::Yarn | Kind::Berry => yarn(tree, version, &lock_text),
        };
        let mut manager = Self {
            kind,
            version,
            lock: lock.map(|(file, _)| file),
            reasons: Vec::new(),
        };
        manager.explain(&present, named.map(|(kind, _)| kind));
        Ok(manager)
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Npm => "npm",
            Kind::Pnpm => "pnpm",
            Kind::Yarn | Kind::Berry => "yarn",
            Kind::Bun => "bun",
        }
    }

    /// The command that installs all dependencies, as the lock file has them where there is one.
    pub fn install(&self) -> &'static str {
        match (self.kind, self.lock.is_some()) {
            (Kind::Npm, true) => "npm ci",
            (Kind::Npm, false) => "npm install",
            (Kind::Pnpm, true) => "pnpm install --frozen-lockfile",
            (Kind::Pnpm, false) => "pnpm install",
            (Kind::Yarn, true) => "yarn install --frozen-lockfile",
            (Kind::Berry, true) => "yarn install --immutable",
            (Kind::Yarn | Kind::Berry, false) => "yarn install",
            (Kind::Bun, true) => "bun install --frozen-lockfile",
            (Kind::Bun, false) => "bun install",
        }
    }

    /// The command that removes what only development needs. Scripts of the app itself do not run again: they often
    /// need just what was removed. `has_hooks` says that there is one, for git's hooks.
    pub fn prune(&self, has_workspaces: bool, has_hooks: bool) -> String {
        let command = match (self.kind, has_workspaces) {
            (Kind::Npm, _) => "npm prune --omit=dev",
            (Kind::Pnpm, false) => "CI=true pnpm prune --prod --ignore-scripts",
            // `pnpm prune` empties the workspaces' own node_modules.
            (Kind::Pnpm, true) => {
                "CI=true pnpm install --prod --frozen-lockfile --ignore-scripts --config.modules-cache-max-age=0"
            }
            (Kind::Yarn, _) => "yarn install --production --frozen-lockfile --prefer-offline",
            (Kind::Berry, _) => "yarn workspaces focus --all --production",
            (Kind::Bun, _) => "rm -rf node_modules && bun install --frozen-lockfile --production",
        };
        match (self.kind, has_hooks) {
            // The final stage has the unchanged file.
            (Kind::Yarn, true) => format!("npm pkg delete scripts.prepare && {command}"),
            (Kind::Bun, true) => format!("{command} --ignore-scripts"),
            _ => command.to_owned(),
        }
    }

    /// The command that runs a script of `package.json`.
    pub fn run(&self, script: &str) -> String {
        format!("{} run {script}", self.name())
    }

    /// The command that runs a program of a dependency.
    pub fn execute(&self, command: &str) -> String {
        match self.kind {
            Kind::Npm => format!("npx {command}"),
            Kind::Pnpm => format!("pnpm exec {command}"),
            Kind::Yarn | Kind::Berry => format!("yarn run {command}"),
            Kind::Bun => format!("bunx {command}"),
        }
    }

    /// Where it keeps what it loaded.
    pub fn cache(&self) -> Cache {
        match self.kind {
            Kind::Npm => NPM_CACHE,
            Kind::Pnpm => Cache::shared("/root/.local/share/pnpm/store"),
            Kind::Yarn => Cache::exclusive("/usr/local/share/.cache/yarn"),
            Kind::Berry => Cache::shared("/usr/local/share/.cache/yarn"),
            Kind::Bun => Cache::shared("/root/.bun/install/cache"),
        }
    }

    fn explain(&mut self, present: &[(&'static str, Kind)], named: Option<Kind>) {
        let name = self.name();
        match (self.lock, named) {
            (Some(lock), _) => self
                .reasons
                .push(Reason::new(lock, format!("{name} installs the dependencies"))),
            (None, named) => {
                if named.is_some() {
                    self.reasons
                        .push(Reason::new(FILE, format!("packageManager names {name}")));
                }
                let means =
                    "brings no lock file: every build may get other versions. Commit one to make builds repeatable";
                self.reasons.push(Reason::new(FILE, means));
            }
        }
        let of = |kind| if kind == Kind::Berry { Kind::Yarn } else { kind };
        let Some(lock) = self.lock else { return };
        if named.is_some_and(|named| named != of(self.kind)) {
            let means =
                format!("packageManager names another package manager, but the lock file that is there counts: {lock}");
            self.reasons.push(Reason::new(FILE, means));
        }
        let remedy = "Remove the one that is out of date, or name its program in packageManager";
        for (file, kind) in present {
            if *kind != of(self.kind) {
                let means = format!("is not used, since {lock} counts. {remedy}");
                self.reasons.push(Reason::new(*file, means));
            }
        }
    }
}

/// What `packageManager` names: `pnpm@10.1.0+sha512.…`.
fn named(package: &Package) -> Result<Option<(Kind, String)>, Undetected> {
    let Some(text) = package.string(&["packageManager"]) else {
        return Ok(None);
    };
    let (name, version) = text.trim().split_once('@').unwrap_or((text.trim(), ""));
    let version = version.split('+').next().unwrap_or("");
    let kind = match name {
        "npm" => Kind::Npm,
        "pnpm" => Kind::Pnpm,
        "yarn" => Kind::Yarn,
        "bun" => Kind::Bun,
        _ => return Err(unclear(text)),
    };
    if !is_version(version) {
        return Err(unclear(text));
    }
    Ok(Some((kind, version.to_owned())))
}

fn unclear(text: &str) -> Undetected {
    Undetected::Incomplete(format!(
        "{FILE} has packageManager \"{}\", which is none of npm, pnpm, yarn and bun with a version. Write it like \
         pnpm@10.1.0",
        shown(text)
    ))
}

/// A version that may stand behind `@` and in the tag of an image.
fn is_version(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-');
    text.len() <= 40 && text.starts_with(|letter: char| letter.is_ascii_digit()) && text.chars().all(is_plain)
}

/// The version that a `.bun-version` file or asdf's names.
fn bun_version(tree: &Tree) -> Option<String> {
    let version = tree
        .text(".bun-version")
        .as_deref()
        .and_then(first_line)
        .map(str::to_owned);
    let version = version.or_else(|| manifest::tool_version(tree, &["bun"]))?;
    Some(version.trim_start_matches('v').to_owned()).filter(|version| is_version(version))
}

/// The pnpm whose lock files have this format (pnpm writes the format's version into each).
fn pnpm_of(lock: &str) -> &'static str {
    let line = lock.lines().find_map(|line| line.strip_prefix("lockfileVersion:"));
    let format = line.unwrap_or("").trim().trim_matches(['\'', '"']);
    match format {
        "5.4" => "7",
        format if format.starts_with("6.") => "8",
        format if format.starts_with("5.") => "6",
        _ => PNPM,
    }
}

fn yarn(tree: &Tree, version: Option<String>, lock: &str) -> (Kind, String) {
    if let Some(version) = version {
        let is_classic = version.starts_with("1.") || version == "1";
        return (if is_classic { Kind::Yarn } else { Kind::Berry }, version);
    }
    let Some(metadata) = lock.split("__metadata:").nth(1) else {
        let is_berry = lock.is_empty() && tree.has(".yarnrc.yml");
        return match is_berry {
            true => (Kind::Berry, YARN.to_owned()),
            false => (Kind::Yarn, YARN_CLASSIC.to_owned()),
        };
    };
    let format = metadata.lines().find_map(|line| line.trim().strip_prefix("version:"));
    match format.unwrap_or("").trim() {
        "4" | "5" | "6" | "7" => (Kind::Berry, "3".to_owned()),
        _ => (Kind::Berry, YARN.to_owned()),
    }
}
