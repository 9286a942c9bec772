//! Apps that answer requests themselves, by their framework's server or their own.

use super::super::{Detected, Dockerfile, Undetected};
use super::development::{self, Development};
use super::framework::{self, Output};
use super::manager::Kind;
use super::package::{FILE, is_plain_path, shown};
use super::recipe::{Build, Recipe, Runtime};
use super::start::{self, Command, Start};
use super::version::NodeVersion;
use super::{App, version};

/// Writes the Dockerfile of a server.
pub fn detect(app: &App<'_>, output: &Output) -> Result<Detected, Undetected> {
    let build = app.build();
    let start = started(app, output, &build)?;
    let runs_bun = start.as_ref().is_some_and(Start::runs_bun);
    let runtime = if runs_bun { Runtime::Bun } else { Runtime::Node };
    let node = version::choose(app.tree, app.package)?;
    let development = development::decide(app, start.as_ref());
    let prunes = matches!(development, Development::Removed);
    let manifests = app.manifests()?;
    let recipe = app.recipe(&node, &manifests, runtime, prunes, build)?;
    let mut reasons = app.framework_reasons();
    reasons.extend(start.as_ref().map(|start| start.reason.clone()));
    reasons.extend(app.reasons(&node, &recipe));
    let mut dockerfile = Dockerfile::new(app.wishes);
    let copies_modules = match output {
        Output::Bundle {
            copies, needs_modules, ..
        } => {
            write_bundle(app, &mut dockerfile, &recipe, copies, *needs_modules, start.as_ref());
            *needs_modules
        }
        _ => {
            write_app(app, &mut dockerfile, &recipe, start.as_ref());
            recipe.has_dependencies
        }
    };
    if let (Development::Kept(reason), true) = (development, copies_modules) {
        reasons.push(reason);
    }
    Ok(Detected {
        summary: summary(app, &node, &recipe),
        reasons,
        dockerfile: dockerfile.finish(),
        files: Vec::new(),
    })
}

/// The start command; none only where the settings have one.
fn started(app: &App<'_>, output: &Output, build: &Build) -> Result<Option<Start>, Undetected> {
    let has_build = !matches!(build, Build::None);
    if app.start.is_some() || app.wishes.has_start_command {
        if let Some(missing) = app
            .start
            .as_ref()
            .filter(|_| !has_build)
            .and_then(|start| missing_file(app, start))
        {
            return Err(missing);
        }
        return Ok(app.start.clone());
    }
    if let (Output::App { command } | Output::Bundle { command, .. }, Some(framework)) = (output, &app.framework) {
        if !has_build {
            return Err(Undetected::Incomplete(format!(
                "{FILE} has no scripts.build, which {} needs. Add it, or set a build command",
                framework.name
            )));
        }
        return Ok(Some(Start::known(command, framework)));
    }
    let is_bun = app.manager.kind == Kind::Bun;
    if let Some(start) = start::entry(app.tree, app.package, has_build, is_bun) {
        return Ok(Some(start));
    }
    let more = match (app.workspaces.has_some(), has_build) {
        (true, _) => " that starts one of the workspaces",
        (false, true) => ", or the publish folder if the build makes a static site",
        (false, false) => "",
    };
    Err(Undetected::Incomplete(format!(
        "{FILE} has no scripts.start, and there is neither a main file nor a server.js: nothing tells how to start the \
         app. Add scripts.start, or set a start command{more}"
    )))
}

/// A file that is started and that nothing makes: somebody forgot the build script.
fn missing_file(app: &App<'_>, start: &Start) -> Option<Undetected> {
    let Command::Words(words) = &start.command else {
        return None;
    };
    let [program, path] = words.as_slice() else {
        return None;
    };
    let path = path.trim_start_matches("./").trim_end_matches('/');
    let is_built = ["dist", "build", "out"]
        .iter()
        .any(|top| path.split('/').next() == Some(top));
    let mut files = ["", ".js", "/index.js", "/index.mjs", "/package.json"]
        .iter()
        .map(|end| format!("{path}{end}"));
    let is_there = files.any(|file| app.tree.has(&file)) || app.package.lifecycle_scripts().next().is_some();
    (program == "node" && is_built && is_plain_path(path) && !is_there).then(|| {
        Undetected::Incomplete(format!(
            "the app is started by node {}, which is not in the repository, and {FILE} has no scripts.build that makes \
             it. Add the script, or set a build command",
            shown(path)
        ))
    })
}

fn write_bundle(
    app: &App<'_>,
    dockerfile: &mut Dockerfile,
    recipe: &Recipe<'_>,
    copies: &[(String, String)],
    needs_modules: bool,
    start: Option<&Start>,
) {
    if recipe.has_dependencies {
        recipe.write_dependencies(dockerfile);
    }
    recipe.write_build(dockerfile);
    let modules = (needs_modules && recipe.has_dependencies).then(|| recipe.write_production(dockerfile));
    recipe.begin_final(dockerfile, start, app.framework.as_ref());
    if let Some(stage) = modules {
        recipe.copy_from(dockerfile, stage, "/app/node_modules", "./node_modules", false);
    }
    for (from, to) in copies {
        recipe.copy_from(dockerfile, "build", &format!("/app/{from}"), to, app.writes());
    }
    recipe.end_final(dockerfile, start);
}

fn write_app(app: &App<'_>, dockerfile: &mut Dockerfile, recipe: &Recipe<'_>, start: Option<&Start>) {
    let has_build = !matches!(recipe.build, Build::None);
    if recipe.has_dependencies {
        recipe.write_dependencies(dockerfile);
    }
    if has_build {
        recipe.write_build(dockerfile);
    }
    if has_build && recipe.has_dependencies {
        let cache = app.framework.as_ref().and_then(|framework| framework.build_cache);
        recipe.write_app(dockerfile, cache);
    }
    let modules = recipe.has_dependencies.then(|| recipe.write_production(dockerfile));
    recipe.begin_final(dockerfile, start, app.framework.as_ref());
    if let Some(stage) = modules {
        recipe.copy_from(dockerfile, stage, "/app", "./", false);
    }
    match (has_build, recipe.has_dependencies) {
        (true, true) => recipe.copy_from(dockerfile, "app", "/app", "./", app.writes()),
        (true, false) => recipe.copy_from(dockerfile, "build", "/app", "./", app.writes()),
        (false, _) => {
            dockerfile.copy(&["."], ".");
        }
    }
    recipe.end_final(dockerfile, start);
}

fn summary(app: &App<'_>, node: &NodeVersion, recipe: &Recipe<'_>) -> String {
    let mut words = match recipe.runtime {
        Runtime::Node => vec![format!("Node.js {}", node.tag), app.manager.name().to_owned()],
        Runtime::Bun => vec![format!("Bun {}", recipe.bun_version())],
    };
    let name = app.framework.as_ref().map(|framework| framework.name);
    words.extend(name.or(framework::server_library(app.package)).map(str::to_owned));
    words.join(", ")
}
