//! The programs of a Cargo package or workspace: <https://doc.rust-lang.org/cargo/reference/cargo-targets.html>.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::super::{Tree, Undetected, manifest};

/// A program, by plain names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Program {
    /// The package that holds it.
    pub package: String,
    /// Its own name.
    pub name: String,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Programs {
    /// All of them.
    pub all: Vec<Program>,
    /// The one that `default-run` names.
    pub default: Option<Program>,
    /// Each dependency's name, of all packages.
    pub dependencies: BTreeSet<String>,
}

/// The programs of the root's package; of the workspace's members where it has none.
pub fn find(tree: &Tree, root: &Table) -> Result<Programs, Undetected> {
    let mut programs = Programs::default();
    add_package(tree, "", root, &mut programs);
    if !programs.all.is_empty() {
        return Ok(programs);
    }
    for directory in members(tree, root) {
        if let Some(member) = manifest::toml(tree, &format!("{directory}/Cargo.toml"))? {
            add_package(tree, &format!("{directory}/"), &member, &mut programs);
        }
    }
    if let Some(default) = programs
        .all
        .iter()
        .find(|program| Some(program.name.as_str()) == default_member(root))
    {
        programs.default.get_or_insert_with(|| default.clone());
    }
    Ok(programs)
}

/// The last part of the only default member.
fn default_member(root: &Table) -> Option<&str> {
    let members = root.get("workspace")?.get("default-members")?.as_array()?;
    let [only] = members.as_slice() else { return None };
    only.as_str()?.rsplit('/').next()
}

/// The members' directories; `*` stands for one name, as almost all workspaces use it.
fn members(tree: &Tree, root: &Table) -> Vec<String> {
    let listed = root
        .get("workspace")
        .and_then(|workspace| workspace.get("members")?.as_array());
    let patterns = listed.into_iter().flatten().filter_map(Value::as_str);
    let mut found = Vec::new();
    for pattern in patterns.map(|pattern| pattern.trim_start_matches("./").trim_end_matches('/')) {
        match pattern.strip_suffix('*').map(|parent| parent.trim_end_matches('/')) {
            Some("") => found.extend(tree.names("").into_iter().filter(|name| manifest::is_word(name))),
            Some(parent) if manifest::is_path(parent) => {
                let names = tree.names(parent).into_iter().filter(|name| manifest::is_word(name));
                found.extend(names.map(|name| format!("{parent}/{name}")));
            }
            None if manifest::is_path(pattern) => found.push(pattern.to_owned()),
            _ => {}
        }
    }
    found
}

fn add_package(tree: &Tree, prefix: &str, table: &Table, programs: &mut Programs) {
    let dependencies = table.get("dependencies").and_then(Value::as_table);
    programs
        .dependencies
        .extend(dependencies.into_iter().flatten().map(|(name, _)| name.clone()));
    let Some(package) = table.get("package") else {
        return;
    };
    let Some(name) = package
        .get("name")
        .and_then(Value::as_str)
        .filter(|name| manifest::is_word(name))
    else {
        return;
    };
    let names = names(tree, prefix, table, name);
    let made = |program: String| Program {
        package: name.to_owned(),
        name: program,
    };
    let is_named = |program: &String| manifest::is_word(program);
    let found: Vec<Program> = names.into_iter().filter(is_named).map(made).collect();
    let default = package.get("default-run").and_then(Value::as_str);
    if let Some(default) = found.iter().find(|program| Some(program.name.as_str()) == default) {
        programs.default = Some(default.clone());
    }
    programs.all.extend(found);
}

/// Names of a package's programs: those that `[[bin]]` lists, and those that Cargo finds by their place.
fn names(tree: &Tree, prefix: &str, table: &Table, package: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let listed = table.get("bin").and_then(Value::as_array);
    let listed: Vec<&Value> = listed.into_iter().flatten().collect();
    names.extend(
        listed
            .iter()
            .filter_map(|bin| bin.get("name")?.as_str().map(str::to_owned)),
    );
    let autobins = table
        .get("package")
        .and_then(|package| package.get("autobins")?.as_bool());
    if autobins != Some(false) {
        let is_taken = listed
            .iter()
            .any(|bin| bin.get("path").and_then(Value::as_str) == Some("src/main.rs"));
        if tree.has(&format!("{prefix}src/main.rs")) && !is_taken {
            names.insert(package.to_owned());
        }
        names.extend(in_bin(tree, &format!("{prefix}src/bin"), &listed));
    }
    names
}

/// `src/bin/a.rs` and `src/bin/a/main.rs`, unless a `[[bin]]` has them under another name.
fn in_bin(tree: &Tree, directory: &str, listed: &[&Value]) -> Vec<String> {
    let is_listed = |file: &str| {
        let mut paths = listed.iter().filter_map(|bin| bin.get("path")?.as_str());
        paths.any(|path| path.ends_with(&format!("src/bin/{file}")))
    };
    let names = tree.names(directory).into_iter();
    let programs = names.filter_map(|name| match name.strip_suffix(".rs") {
        Some(stem) if !is_listed(&name) => Some(stem.to_owned()),
        None if tree.has(&format!("{directory}/{name}/main.rs")) && !is_listed(&format!("{name}/main.rs")) => {
            Some(name)
        }
        _ => None,
    });
    programs.collect()
}
