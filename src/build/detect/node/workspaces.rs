//! The packages of a monorepo, found by the patterns that npm, yarn, pnpm and Bun share: `packages/*`.

use super::super::{Reason, Tree};
use super::package::{FILE, Package, is_plain_path};

/// pnpm's own file for the patterns.
const PNPM_FILE: &str = "pnpm-workspace.yaml";
/// A line in the Dockerfile each: with more of them, nobody reads it.
const MAX_MEMBERS: usize = 40;
/// Patterns; honest packages have a few.
const MAX_PATTERNS: usize = 100;
/// A pattern may lead through so many directories; each costs a look at the disk.
const MAX_DIRECTORIES: usize = 500;

/// The packages beside the root's.
#[derive(Debug)]
pub enum Workspaces {
    /// Their directories, sorted; none in an ordinary app.
    Members(Vec<String>),
    /// There are some, but not all can be listed.
    Unclear(Reason),
}

impl Workspaces {
    /// Finds them.
    pub fn find(tree: &Tree, package: &Package) -> Self {
        let in_pnpm = tree
            .text(PNPM_FILE)
            .map(|text| pnpm_patterns(&text))
            .unwrap_or_default();
        let (file, patterns): (_, Vec<String>) = match in_pnpm.is_empty() {
            true => (FILE, package.workspaces().into_iter().map(str::to_owned).collect()),
            false => (PNPM_FILE, in_pnpm),
        };
        if patterns.len() > MAX_PATTERNS {
            return unclear(file, "has very many patterns of workspaces");
        }
        let mut members = Vec::new();
        for pattern in patterns.iter().filter(|pattern| !pattern.starts_with('!')) {
            let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
            if pattern.contains("**") || !is_plain_path(&pattern.replace('*', "x")) {
                return unclear(file, "has a pattern of workspaces that cannot be listed");
            }
            match expand(tree, pattern) {
                Some(found) => members.extend(found),
                None => return unclear(file, "has workspaces among very many directories"),
            }
        }
        members.sort_unstable();
        members.dedup();
        if !members.iter().all(|member| is_plain_path(member)) || members.len() > MAX_MEMBERS {
            return unclear(file, "has workspaces that are many, or have unusual names");
        }
        Self::Members(members)
    }

    /// Whether the app is a monorepo.
    pub fn has_some(&self) -> bool {
        !matches!(self, Self::Members(members) if members.is_empty())
    }
}

fn unclear(file: &str, why: &str) -> Workspaces {
    Workspaces::Unclear(Reason::new(
        file,
        format!("{why}, so all files are copied before the install"),
    ))
}

/// The directories that hold a package and match, a part of the path after the other; `None` when there are too many.
fn expand(tree: &Tree, pattern: &str) -> Option<Vec<String>> {
    let mut found = vec![String::new()];
    for part in pattern.split('/').filter(|part| *part != ".") {
        found = found
            .iter()
            .flat_map(|directory| children(tree, directory, part))
            .take(MAX_DIRECTORIES + 1)
            .collect();
        if found.len() > MAX_DIRECTORIES {
            return None;
        }
    }
    found.retain(|directory| !directory.is_empty() && tree.has(&format!("{directory}/{FILE}")));
    Some(found)
}

fn children(tree: &Tree, directory: &str, part: &str) -> Vec<String> {
    let below = |name: &str| match directory {
        "" => name.to_owned(),
        directory => format!("{directory}/{name}"),
    };
    let Some((start, end)) = part.split_once('*') else {
        return vec![below(part)];
    };
    let names = tree.names(directory).into_iter().filter(|name| {
        let is_match = name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end);
        is_match && name != "node_modules" && !name.starts_with('.')
    });
    let paths = names.map(|name| below(&name));
    paths.filter(|path| tree.has_dir(path)).collect()
}

/// The list below `packages:`, in YAML's plain form.
fn pnpm_patterns(text: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| !line.starts_with("packages:")).skip(1);
    lines
        .map(|line| line.split(" #").next().unwrap_or("").trim())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map_while(|line| line.strip_prefix('-'))
        .map(|entry| entry.trim().trim_matches(['"', '\'']).to_owned())
        .collect()
}
