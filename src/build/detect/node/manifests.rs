//! What an install needs to see: manifests, the lock file, configuration, patches. They are copied before the rest, so
//! that a change of the sources alone installs nothing anew.

use super::super::{Reason, Tree, Undetected};
use super::manager::Manager;
use super::package::{FILE, Package, is_plain_path};
use super::prisma;
use super::script::{commands, without_prefix};
use super::workspaces::Workspaces;

/// Configuration of package managers, copied where it is there.
const CONFIGURATION: [&str; 7] = [
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    "bunfig.toml",
    "pnpm-workspace.yaml",
    ".pnpmfile.cjs",
    ".pnpmfile.mjs",
];
/// Directories that an install reads: yarn's releases, plugins and patches; patches of pnpm, Bun and patch-package.
const DIRECTORIES: [&str; 2] = [".yarn", "patches"];

/// What is copied before the dependencies are installed.
#[derive(Debug)]
pub enum Manifests {
    /// Files of the root, and further paths with the directories that they go into.
    Some {
        /// Files that go into the working directory.
        root: Vec<String>,
        /// From → to.
        others: Vec<(String, String)>,
    },
    /// Everything, since it cannot be told what is needed.
    Everything(Reason),
}

impl Manifests {
    /// Finds them.
    pub fn find(
        tree: &Tree,
        package: &Package,
        manager: &Manager,
        workspaces: &Workspaces,
    ) -> Result<Self, Undetected> {
        if let Some(reason) = needs_everything(package, FILE) {
            return Ok(Self::Everything(reason));
        }
        let mut root = vec![FILE.to_owned()];
        root.extend(manager.lock.map(str::to_owned));
        root.extend(
            CONFIGURATION
                .iter()
                .filter(|file| tree.has(file))
                .map(|file| (*file).to_owned()),
        );
        let directories = DIRECTORIES.iter().filter(|directory| tree.has_dir(directory));
        let mut others: Vec<(String, String)> = directories
            .map(|directory| ((*directory).to_owned(), format!("./{directory}")))
            .collect();
        for path in prisma::paths(tree, package)? {
            match tree.has_dir(&path) {
                true => others.push((path.clone(), format!("./{path}"))),
                false if path.contains('/') => others.push((path.clone(), format!("./{path}"))),
                false => root.push(path),
            }
        }
        match of_workspaces(tree, workspaces)? {
            Ok(manifests) => others.extend(manifests),
            Err(reason) => return Ok(Self::Everything(reason)),
        }
        Ok(Self::Some { root, others })
    }
}

/// The manifests of workspaces, from → to, or why they are not enough.
fn of_workspaces(tree: &Tree, workspaces: &Workspaces) -> Result<Result<Vec<(String, String)>, Reason>, Undetected> {
    let members = match workspaces {
        Workspaces::Members(members) => members,
        Workspaces::Unclear(reason) => return Ok(Err(reason.clone())),
    };
    let mut manifests = Vec::new();
    for member in members {
        let manifest = format!("{member}/{FILE}");
        if let Some(package) = Package::read_at(tree, &manifest)?
            && let Some(reason) = needs_everything(&package, &manifest)
        {
            return Ok(Err(reason));
        }
        manifests.push((manifest, format!("./{member}/")));
    }
    Ok(Ok(manifests))
}

/// Whether an install of this package runs or takes files that nothing names.
fn needs_everything(package: &Package, file: &str) -> Option<Reason> {
    for (name, text) in package.lifecycle_scripts() {
        if !commands(text).all(|words| is_self_sufficient(without_prefix(&words))) {
            let means = format!("scripts.{name} runs with the install, so all files are copied before it");
            return Some(Reason::new(file, means));
        }
    }
    let local = package.all_dependencies().find(|(_, version)| {
        ["file:", "portal:", "./", "../"]
            .iter()
            .any(|start| version.starts_with(start))
    });
    local.map(|_| {
        let means = "takes a dependency from a directory, so all files are copied before the install";
        Reason::new(file, means)
    })
}

/// Commands in lifecycle scripts that need nothing but what is copied anyhow.
fn is_self_sufficient(words: &[&str]) -> bool {
    is_idle(words)
        || matches!(
            words,
            ["patch-package", ..]
                | ["prisma", "generate", ..]
                | ["nuxt" | "nuxi", "prepare", ..]
                | ["svelte-kit", "sync", ..]
        )
}

/// Commands in lifecycle scripts that only serve whoever works on the app: they set up git's hooks, or ask a question.
pub fn is_idle(words: &[&str]) -> bool {
    let idle = [
        "husky",
        "is-ci",
        "simple-git-hooks",
        "only-allow",
        "echo",
        "true",
        "exit",
    ];
    words.first().is_none_or(|program| idle.contains(program))
}

/// Whether a path from `package.json` may be copied; the sentence names what is wrong with it.
pub fn plain_or_incomplete(path: &str, what: &str) -> Result<String, Undetected> {
    let path = path.trim().trim_start_matches("./").trim_end_matches('/');
    match is_plain_path(path) {
        true => Ok(path.to_owned()),
        false => Err(Undetected::Incomplete(format!(
            "{what} is \"{}\", which is no plain path below the root directory. Use letters, digits, dots, dashes and \
             slashes",
            super::package::shown(path)
        ))),
    }
}
