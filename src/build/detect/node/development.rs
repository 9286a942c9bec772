//! Whether what only development needs can be left out of the image that runs.

use super::super::{Reason, Wishes};
use super::manager::{Kind, Manager};
use super::package::{FILE, Package};
use super::start::Start;
use super::{native, prisma};

/// Programs that are not called like their packages.
const PROGRAMS: [(&str, &str); 10] = [
    ("nest", "@nestjs/cli"),
    ("tsc", "typescript"),
    ("ng", "@angular/cli"),
    ("react-router-serve", "@react-router/serve"),
    ("remix-serve", "@remix-run/serve"),
    ("babel-node", "@babel/node"),
    ("tsnd", "ts-node-dev"),
    ("sequelize", "sequelize-cli"),
    ("vue-cli-service", "@vue/cli-service"),
    ("eleventy", "@11ty/eleventy"),
];

/// What becomes of the packages that only development needs.
#[derive(Debug)]
pub enum Development {
    /// There are none.
    Absent,
    /// They are removed.
    Removed,
    /// They stay.
    Kept(Reason),
}

/// Decides. `loads` is a package that the framework needs to start, whoever it is for.
pub fn decide(
    package: &Package,
    manager: &Manager,
    start: Option<&Start>,
    loads: Option<&str>,
    wishes: &Wishes,
    has_workspaces: bool,
) -> Development {
    let names: Vec<&str> = package.dependencies("devDependencies").map(|(name, _)| name).collect();
    if names.is_empty() && !has_workspaces {
        return Development::Absent;
    }
    let kept = |why: String| {
        Development::Kept(Reason::new(
            FILE,
            format!("{why}, so devDependencies stay in the image"),
        ))
    };
    if wishes.has_start_command {
        return kept("the start command of the settings may need any package".to_owned());
    }
    let mut programs = start.map(|start| programs(&start.text)).unwrap_or_default();
    programs.extend(loads.map(str::to_owned));
    if let Some(name) = names
        .iter()
        .find(|name| programs.iter().any(|program| program == *name))
    {
        let name = super::package::shown(name);
        return kept(format!(
            "{name} is needed to start the app, and only in devDependencies"
        ));
    }
    if manager.prunes_without_scripts() {
        return Development::Removed;
    }
    let is_old = manager.kind == Kind::Berry && manager.version.starts_with(['2', '3']);
    let name = manager.name();
    if is_old {
        return kept(format!("{name} before version 4 cannot remove them by itself"));
    }
    let has_scripts = package.lifecycle_scripts().next().is_some();
    if has_scripts || prisma::is_used(package) || native::has_compiled(package) {
        return kept(format!(
            "removing them by {name} would run the install's scripts again or lose what they made"
        ));
    }
    Development::Removed
}

/// The packages whose programs or modules a text may name.
fn programs(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in text.split(|letter: char| letter.is_whitespace() || "&|;\"'()`=".contains(letter)) {
        let mut parts = word.split('/');
        let (first, second) = (parts.next().unwrap_or(""), parts.next());
        found.push(first.to_owned());
        if let Some(second) = second.filter(|_| first.starts_with('@')) {
            found.push(format!("{first}/{second}"));
        }
        let named = PROGRAMS.iter().filter(|(program, _)| *program == first);
        found.extend(named.map(|(_, package)| (*package).to_owned()));
    }
    found
}
