//! Whether what only development needs can be left out of the image that runs.

use super::super::Reason;
use super::manager::{Kind, Manager};
use super::manifests::is_idle;
use super::package::{FILE, Package, shown};
use super::script::{commands, without_prefix};
use super::start::Start;
use super::{App, native, prisma};

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

/// Decides.
pub fn decide(app: &App<'_>, start: Option<&Start>) -> Development {
    let package = app.package;
    let names: Vec<&str> = package.dependencies("devDependencies").map(|(name, _)| name).collect();
    if names.is_empty() && !app.workspaces.has_some() {
        return Development::Absent;
    }
    let kept = |why: &str| {
        let means = format!("{why}, so devDependencies stay in the image");
        Development::Kept(Reason::new(FILE, means))
    };
    if app.wishes.has_start_command {
        return kept("the start command of the settings may need any package");
    }
    let mut needed = start.map(|start| programs(&start.text)).unwrap_or_default();
    let loads = app.framework.as_ref().and_then(|framework| framework.loads);
    needed.extend(loads.map(str::to_owned));
    if let Some(name) = names.iter().find(|name| needed.iter().any(|one| one == *name)) {
        return kept(&format!(
            "{} is needed to start the app, and only in devDependencies",
            shown(name)
        ));
    }
    match why_not_removable(package, &app.manager) {
        Some(why) => kept(&why),
        None => Development::Removed,
    }
}

/// Why a package manager cannot remove them without harm.
fn why_not_removable(package: &Package, manager: &Manager) -> Option<String> {
    match manager.kind {
        Kind::Npm | Kind::Pnpm => return None,
        Kind::Berry if manager.version.starts_with(['2', '3']) => {
            return Some("yarn before version 4 cannot remove them by itself".to_owned());
        }
        Kind::Yarn | Kind::Berry | Kind::Bun => {}
    }
    let is_lost = prisma::is_used(package) || native::has_compiled(package);
    let has_trusted = manager.kind == Kind::Bun && package.value(&["trustedDependencies"]).is_some();
    let has_scripts = package.lifecycle_scripts().next().is_some();
    let runs_again = has_scripts && (has_trusted || !has_only_hooks(package));
    let name = manager.name();
    (is_lost || runs_again).then(|| format!("{name} would run the install's scripts again or lose what they made"))
}

/// Whether the app's install scripts are a `prepare` that sets up git's hooks, and nothing else.
pub fn has_only_hooks(package: &Package) -> bool {
    let is_hook = |words: Vec<&str>| is_idle(without_prefix(&words));
    let mut scripts = package.lifecycle_scripts().peekable();
    scripts.peek().is_some() && scripts.all(|(name, text)| name == "prepare" && commands(text).all(is_hook))
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
