//! What a Python source depends on, and which program installs it. Names are compared as PEP 503 writes them.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::super::{Tree, Undetected, manifest};
use super::package::is_only_listed;

/// Where to look for a list of requirements, most usual first.
const REQUIREMENTS: [&str; 4] = [
    "requirements.txt",
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements/base.txt",
];

/// So many lists may include each other; each is read on top of the one before.
const MAX_LISTS: usize = 50;

/// What installs the dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manager {
    /// `uv.lock`.
    Uv,
    /// `poetry.lock`.
    Poetry,
    /// `Pipfile.lock`.
    Pipenv,
    /// pip, by a list and the lists that it includes; the first is the one to install.
    Pip(Vec<String>),
    /// pip, by the project's own manifest.
    Project(&'static str),
    /// pip, by what `pyproject.toml` lists: the project itself is no package that could be installed.
    Listed,
    /// There are none.
    Nothing,
}

/// What was found out.
#[derive(Debug)]
pub struct Dependencies {
    /// What installs them.
    pub manager: Manager,
    /// Whether something is installed from the source itself, which has to be there first.
    pub needs_source: bool,
    names: BTreeSet<String>,
}

impl Dependencies {
    /// Whether a package is among those that are asked for by name.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

/// Reads the manifests.
pub fn read(tree: &Tree, project: Option<&Table>, pipfile: Option<&Table>) -> Result<Dependencies, Undetected> {
    let mut names = BTreeSet::new();
    project.into_iter().for_each(|project| add_project(project, &mut names));
    if let Some(packages) = pipfile.and_then(|pipfile| pipfile.get("packages")?.as_table()) {
        packages
            .iter()
            .for_each(|(name, value)| add(name, extras(value), &mut names));
    }
    let mut needs_source = false;
    let manager = if project.is_some() && tree.has("uv.lock") {
        needs_source = project.is_some_and(has_local_sources);
        Manager::Uv
    } else if project.is_some() && tree.has("poetry.lock") {
        needs_source = tree
            .text("poetry.lock")
            .is_some_and(|text| text.contains("type = \"directory\""));
        Manager::Poetry
    } else if tree.has("Pipfile.lock") {
        Manager::Pipenv
    } else if let Some(list) = tree.first(&REQUIREMENTS) {
        let mut lists = Vec::new();
        needs_source = add_list(tree, list, &mut lists, &mut names)?;
        Manager::Pip(lists)
    } else if pipfile.is_some() {
        return Err(Undetected::Incomplete(
            "Pipfile has no Pipfile.lock beside it: run `pipenv lock` and commit the file".to_owned(),
        ));
    } else if project.is_some_and(|project| is_only_listed(tree, project)) {
        Manager::Listed
    } else if project.is_some_and(|project| project.contains_key("project") || project.contains_key("build-system")) {
        Manager::Project("pyproject.toml")
    } else if tree.has("setup.py") {
        Manager::Project("setup.py")
    } else {
        Manager::Nothing
    };
    Ok(Dependencies {
        manager,
        needs_source,
        names,
    })
}

fn add(name: &str, extras: &str, names: &mut BTreeSet<String>) {
    let name = name.to_ascii_lowercase().replace(['_', '.'], "-");
    // FastAPI's extras bring the server.
    if name == "fastapi" && (extras.contains("standard") || extras.contains("all")) {
        names.insert("uvicorn".to_owned());
    }
    names.insert(name);
}

fn extras(value: &Value) -> &str {
    let extras = value.get("extras").and_then(Value::as_array);
    extras.and_then(|extras| extras.first()?.as_str()).unwrap_or_default()
}

/// One requirement as PEP 508 writes it: `name[extra] >= 1; marker`.
fn add_requirement(text: &str, names: &mut BTreeSet<String>) {
    let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '.' | '_' | '-'));
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    if !name.is_empty() {
        let extras = rest
            .trim_start()
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next());
        add(name, extras.unwrap_or_default(), names);
    }
}

fn add_project(project: &Table, names: &mut BTreeSet<String>) {
    let listed = project
        .get("project")
        .and_then(|project| project.get("dependencies")?.as_array());
    for requirement in listed.into_iter().flatten().filter_map(Value::as_str) {
        add_requirement(requirement.trim(), names);
    }
    let poetry = || project.get("tool")?.get("poetry")?.get("dependencies")?.as_table();
    for (name, value) in poetry().into_iter().flatten() {
        add(name, extras(value), names);
    }
}

fn has_local_sources(project: &Table) -> bool {
    let uv = project.get("tool").and_then(|tool| tool.get("uv"));
    let sources = uv.and_then(|uv| uv.get("sources")?.as_table());
    let is_local = |source: &Value| source.get("path").is_some() || source.get("workspace").is_some();
    let is_workspace = uv.is_some_and(|uv| uv.get("workspace").is_some());
    is_workspace || sources.is_some_and(|sources| sources.values().any(is_local))
}

/// Reads a list and those that it includes; whether one of them installs from the source.
fn add_list(
    tree: &Tree,
    list: &str,
    lists: &mut Vec<String>,
    names: &mut BTreeSet<String>,
) -> Result<bool, Undetected> {
    if lists.len() == MAX_LISTS {
        return Err(Undetected::Incomplete(format!(
            "requirements.txt includes more than {MAX_LISTS} others: join some of them"
        )));
    }
    lists.push(list.to_owned());
    let mut needs_source = false;
    let text = tree.text(list).unwrap_or_default();
    for line in text.lines().map(str::trim) {
        if let Some(included) = included(line) {
            let directory = list.rsplit_once('/').map(|(directory, _)| format!("{directory}/"));
            let path = resolved(&format!("{}{included}", directory.unwrap_or_default()));
            let Some(path) = path.filter(|path| tree.has(path)) else {
                return Err(Undetected::Incomplete(format!(
                    "{list} includes `{}`, which is no file with a plain name in the source: correct that line",
                    manifest::shown(included)
                )));
            };
            if !lists.contains(&path) {
                needs_source |= add_list(tree, &path, lists, names)?;
            }
        } else if line.starts_with("-e ") || line.starts_with("--editable") || line.starts_with('.') {
            needs_source = true;
        } else if !line.starts_with(['-', '#']) {
            needs_source |= line.contains("@ file:");
            add_requirement(line, names);
        }
    }
    Ok(needs_source)
}

/// The file of a line that includes one, or bounds by one.
fn included(line: &str) -> Option<&str> {
    let options = ["-r", "-c", "--requirement", "--constraint"];
    options.iter().find_map(|option| {
        let rest = line.strip_prefix(option)?;
        let is_option = option.len() == 2 || rest.starts_with([' ', '=']);
        is_option.then(|| {
            rest.trim_start_matches('=')
                .split(" #")
                .next()
                .unwrap_or_default()
                .trim()
        })
    })
}

/// A path without `.` and `..`, of plain names only.
fn resolved(path: &str) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    let path = names.join("/");
    manifest::is_path(&path).then_some(path)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{add_requirement, included, resolved};

    #[test]
    fn names_of_requirements_are_compared_in_one_spelling() {
        for (line, expected) in [
            ("Django>=5,<6", vec!["django"]),
            ("django_redis==5 ; python_version > '3'", vec!["django-redis"]),
            ("fastapi[standard]", vec!["fastapi", "uvicorn"]),
            ("zope.interface @ git+https://example.com/x", vec!["zope-interface"]),
            ("", vec![]),
            ("$(id)", vec![]),
        ] {
            let mut names = BTreeSet::new();
            add_requirement(line, &mut names);
            assert_eq!(names.into_iter().collect::<Vec<_>>(), expected, "{line}");
        }
    }

    #[test]
    fn included_lists_are_found_and_stay_inside() {
        assert_eq!(included("-r base.txt"), Some("base.txt"));
        assert_eq!(included("--requirement=base.txt # x"), Some("base.txt"));
        assert_eq!(included("-c../c.txt"), Some("../c.txt"));
        assert_eq!(included("--require-hashes"), None);
        assert_eq!(included("requests"), None);
        assert_eq!(resolved("requirements/../a.txt").as_deref(), Some("a.txt"));
        assert_eq!(resolved("../a.txt"), None);
        assert_eq!(resolved("a b.txt"), None);
    }
}
