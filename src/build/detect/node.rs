//! Apps with a `package.json`: Node.js, and Bun where the scripts run it. A framework's own output is preferred to its
//! start script, an app's own start script to everything else.

mod config;
mod development;
mod framework;
mod manager;
mod manifests;
mod native;
mod package;
mod prisma;
mod recipe;
mod script;
mod start;
mod version;
mod workspaces;

pub use manager::lock_files;
pub use manifests::plain_or_incomplete;
pub use package::{Package, is_plain_path, shown};
pub use script::plain_words;
pub use start::Command;
pub use version::{first_line, plain, tool_version};

use super::site::{self, Content};
use super::{Detected, Dockerfile, Reason, Tree, Undetected, Wishes};
use development::Development;
use framework::{Framework, Output};
use manager::{Kind, Manager};
use manifests::Manifests;
use package::FILE;
use recipe::{Build, Recipe, Runtime};
use start::Start;
use workspaces::Workspaces;

/// Recognises an app by its `package.json`.
pub fn detect(tree: &Tree, wishes: &Wishes) -> Result<Option<Detected>, Undetected> {
    let Some(package) = Package::read(tree)? else {
        return Ok(None);
    };
    let app = App::read(tree, wishes, &package)?;
    match app.output()? {
        Output::Site {
            directory,
            is_single_page,
        } => app.site(&directory, is_single_page),
        output => app.server(&output),
    }
    .map(Some)
}

/// What was found out before anything is decided.
struct App<'a> {
    tree: &'a Tree,
    wishes: &'a Wishes,
    package: &'a Package,
    manager: Manager,
    workspaces: Workspaces,
    framework: Option<Framework>,
    /// The start command that the app itself brings.
    start: Option<Start>,
}

impl<'a> App<'a> {
    fn read(tree: &'a Tree, wishes: &'a Wishes, package: &'a Package) -> Result<Self, Undetected> {
        let framework = framework::recognise(tree, package);
        let workspaces = Workspaces::find(tree, package);
        if let Some((name, _)) = package
            .all_dependencies()
            .find(|(_, version)| version.starts_with("workspace:"))
            && !workspaces.has_some()
        {
            return Err(Undetected::Incomplete(format!(
                "{FILE} takes {} from a workspace outside of the root directory. Set the root directory to that of the \
                 monorepo, and a start command for this app",
                shown(name)
            )));
        }
        Ok(Self {
            start: start::own(tree, package, framework.as_ref()),
            manager: Manager::choose(tree, package)?,
            tree,
            wishes,
            package,
            workspaces,
            framework,
        })
    }

    /// What the build makes, as far as wishes and the app's own start command leave it to the framework.
    fn output(&self) -> Result<Output, Undetected> {
        if let Some(directory) = &self.wishes.publish_dir {
            let is_single_page = matches!(
                self.framework.as_ref().map(|framework| &framework.output),
                Some(Output::Site {
                    is_single_page: true,
                    ..
                })
            );
            return Ok(Output::Site {
                directory: plain_or_incomplete(directory, "the publish directory")?,
                is_single_page,
            });
        }
        if self.wishes.has_start_command || self.start.is_some() {
            return Ok(Output::Unknown);
        }
        match self.framework.as_ref().map(|framework| framework.output.clone()) {
            Some(Output::Nothing(why)) => Err(Undetected::Incomplete(why)),
            Some(Output::Bundle {
                command,
                needs_modules: true,
                ..
            }) if self.workspaces.has_some() => Ok(Output::App { command }),
            Some(output) => Ok(output),
            None => Ok(Output::Unknown),
        }
    }

    fn build(&self) -> Build {
        match (&self.wishes.build_command, self.package.script("build")) {
            (Some(command), _) => Build::Typed(command.clone()),
            (None, Some(_)) => Build::Script(self.manager.run("build")),
            (None, None) => Build::None,
        }
    }

    fn build_reason(&self, build: &Build) -> Option<Reason> {
        let script = self.package.script("build")?;
        matches!(build, Build::Script(_))
            .then(|| Reason::new(FILE, format!("scripts.build builds it: {}", shown(script))))
    }

    /// A site of files.
    fn site(&self, directory: &str, is_single_page: bool) -> Result<Detected, Undetected> {
        let build = self.build();
        let mut dockerfile = Dockerfile::new(self.wishes.has_ca);
        let is_plain = matches!(build, Build::None);
        let directory = if directory == "." { "" } else { directory };
        if is_plain && !self.tree.has_dir(directory) {
            return Err(Undetected::Incomplete(format!(
                "{FILE} has no scripts.build, and the site's directory {directory} is not in the repository. Add the \
                 script, or set a build command"
            )));
        }
        let mut reasons = self.framework_reasons();
        if self.wishes.publish_dir.is_some() {
            reasons.insert(
                0,
                Reason::new(directory, "the publish directory of the settings: a static site"),
            );
        }
        let mut summary = Vec::new();
        let content = if is_plain {
            Content::Context(directory.to_owned())
        } else {
            let node = version::choose(self.tree, self.package)?;
            let manifests = self.manifests()?;
            let recipe = self.recipe(&node, &manifests, Runtime::Node, false, build)?;
            summary.push(format!("Node.js {}", node.tag));
            summary.push(self.manager.name().to_owned());
            reasons.extend(self.reasons(&node, &recipe));
            if recipe.has_dependencies {
                recipe.write_dependencies(&mut dockerfile);
            }
            recipe.write_build(&mut dockerfile);
            Content::Stage {
                stage: "build",
                path: format!("/app/{directory}").trim_end_matches('/').to_owned(),
            }
        };
        summary.extend(self.framework.as_ref().map(|framework| framework.name.to_owned()));
        summary.push("static site".to_owned());
        let served = site::serve(&mut dockerfile, &content, is_single_page, self.tree, self.wishes)?;
        reasons.extend(served.reasons);
        Ok(Detected {
            summary: summary.join(", "),
            reasons,
            dockerfile: dockerfile.finish(),
            files: vec![served.file],
        })
    }

    /// A server.
    fn server(&self, output: &Output) -> Result<Detected, Undetected> {
        let build = self.build();
        let start = self.started(output, &build)?;
        let runs_bun = start.as_ref().is_some_and(Start::runs_bun);
        let runtime = if runs_bun { Runtime::Bun } else { Runtime::Node };
        let node = version::choose(self.tree, self.package)?;
        let has_workspaces = self.workspaces.has_some();
        let loads = self.framework.as_ref().and_then(|framework| framework.loads);
        let (package, manager) = (self.package, &self.manager);
        let development = development::decide(package, manager, start.as_ref(), loads, self.wishes, has_workspaces);
        let prunes = matches!(development, Development::Removed);
        let manifests = self.manifests()?;
        let recipe = self.recipe(&node, &manifests, runtime, prunes, build)?;
        let mut reasons = self.framework_reasons();
        reasons.extend(start.as_ref().map(|start| start.reason.clone()));
        reasons.extend(self.reasons(&node, &recipe));
        if let Development::Kept(reason) = development
            && recipe.has_dependencies
            && !matches!(
                output,
                Output::Bundle {
                    needs_modules: false,
                    ..
                }
            )
        {
            reasons.push(reason);
        }
        let mut dockerfile = Dockerfile::new(self.wishes.has_ca);
        match output {
            Output::Bundle {
                copies, needs_modules, ..
            } => self.write_bundle(&mut dockerfile, &recipe, copies, *needs_modules, start.as_ref()),
            _ => self.write_app(&mut dockerfile, &recipe, start.as_ref()),
        }
        Ok(Detected {
            summary: self.summary(&node, runtime),
            reasons,
            dockerfile: dockerfile.finish(),
            files: Vec::new(),
        })
    }

    /// The start command; none only where the settings have one.
    fn started(&self, output: &Output, build: &Build) -> Result<Option<Start>, Undetected> {
        if self.start.is_some() || self.wishes.has_start_command {
            return Ok(self.start.clone());
        }
        if let (Output::App { command } | Output::Bundle { command, .. }, Some(framework)) = (output, &self.framework) {
            let is_missing = matches!(build, Build::None) && matches!(output, Output::Bundle { .. });
            if is_missing {
                return Err(Undetected::Incomplete(format!(
                    "{FILE} has no scripts.build, which {} needs. Add it, or set a build command",
                    framework.name
                )));
            }
            return Ok(Some(Start::known(command, framework)));
        }
        let has_build = !matches!(build, Build::None);
        let is_bun = self.manager.kind == Kind::Bun;
        if let Some(start) = start::entry(self.tree, self.package, has_build, is_bun) {
            return Ok(Some(start));
        }
        let workspaces = match self.workspaces.has_some() {
            true => " that starts one of the workspaces",
            false => "",
        };
        Err(Undetected::Incomplete(format!(
            "{FILE} has no scripts.start, and there is neither a main file nor a server.js: nothing tells how to start \
             the app. Add scripts.start, or set a start command{workspaces}"
        )))
    }

    fn write_bundle(
        &self,
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
        recipe.begin_final(dockerfile, start, self.variables());
        if let Some(stage) = modules {
            recipe.copy_from(dockerfile, stage, "/app/node_modules", "./node_modules", false);
        }
        let is_owned = self
            .framework
            .as_ref()
            .is_some_and(|framework| framework.writes.is_some());
        for (from, to) in copies {
            recipe.copy_from(dockerfile, "build", &format!("/app/{from}"), to, is_owned);
        }
        recipe.end_final(dockerfile, start);
    }

    fn write_app(&self, dockerfile: &mut Dockerfile, recipe: &Recipe<'_>, start: Option<&Start>) {
        let has_build = !matches!(recipe.build, Build::None);
        if recipe.has_dependencies {
            recipe.write_dependencies(dockerfile);
        }
        if has_build {
            recipe.write_build(dockerfile);
        }
        if has_build && recipe.has_dependencies {
            let cache = self.framework.as_ref().and_then(|framework| framework.build_cache);
            recipe.write_app(dockerfile, cache);
        }
        let modules = recipe.has_dependencies.then(|| recipe.write_production(dockerfile));
        recipe.begin_final(dockerfile, start, self.variables());
        if let Some(stage) = modules {
            recipe.copy_from(dockerfile, stage, "/app", "./", false);
        }
        let is_owned = self
            .framework
            .as_ref()
            .is_some_and(|framework| framework.writes.is_some());
        match (has_build, recipe.has_dependencies) {
            (true, true) => recipe.copy_from(dockerfile, "app", "/app", "./", is_owned),
            (true, false) => recipe.copy_from(dockerfile, "build", "/app", "./", is_owned),
            (false, _) => {
                dockerfile.copy(&["."], ".");
            }
        }
        recipe.end_final(dockerfile, start);
    }

    fn manifests(&self) -> Result<Manifests, Undetected> {
        Manifests::find(self.tree, self.package, &self.manager, &self.workspaces)
    }

    fn recipe<'b>(
        &'b self,
        node: &'b version::NodeVersion,
        manifests: &'b Manifests,
        runtime: Runtime,
        prunes: bool,
        build: Build,
    ) -> Result<Recipe<'b>, Undetected> {
        let has_dependencies = self.package.all_dependencies().next().is_some()
            || self.workspaces.has_some()
            || self.package.lifecycle_scripts().next().is_some();
        Ok(Recipe {
            manager: &self.manager,
            manifests,
            node,
            runtime,
            is_full: native::needs_full_image(self.tree, self.package, &self.manager).is_some(),
            has_prisma: prisma::is_used(self.package),
            generates_prisma: prisma::needs_generate(self.tree, self.package)?,
            has_dependencies,
            has_workspaces: self.workspaces.has_some(),
            prunes,
            build,
        })
    }

    fn variables(&self) -> &'static [(&'static str, &'static str)] {
        self.framework.as_ref().map_or(&[], |framework| framework.variables)
    }

    fn framework_reasons(&self) -> Vec<Reason> {
        self.framework
            .iter()
            .flat_map(|framework| framework.reasons.clone())
            .collect()
    }

    /// The reasons that every kind of output has.
    fn reasons(&self, node: &version::NodeVersion, recipe: &Recipe<'_>) -> Vec<Reason> {
        let mut reasons: Vec<Reason> = self.build_reason(&recipe.build).into_iter().collect();
        if recipe.has_dependencies {
            reasons.extend(self.manager.reasons.iter().cloned());
        }
        if recipe.runtime == Runtime::Node {
            reasons.extend(node.reasons.iter().cloned());
        }
        if recipe.has_dependencies {
            reasons.extend(native::needs_full_image(self.tree, self.package, &self.manager));
            if let Manifests::Everything(reason) = recipe.manifests {
                reasons.push(reason.clone());
            }
        }
        reasons
    }

    fn summary(&self, node: &version::NodeVersion, runtime: Runtime) -> String {
        let mut words = match runtime {
            Runtime::Node => vec![format!("Node.js {}", node.tag), self.manager.name().to_owned()],
            Runtime::Bun => vec!["Bun".to_owned()],
        };
        let name = self.framework.as_ref().map(|framework| framework.name);
        words.extend(name.or(framework::server_library(self.package)).map(str::to_owned));
        words.join(", ")
    }
}

#[cfg(test)]
mod tests;
