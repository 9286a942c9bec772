//! Apps with a `package.json`: Node.js, and Bun where the scripts run it. A framework's own output is preferred to its
//! start script, an app's own start script to everything else.

mod config;
mod development;
mod framework;
mod manager;
mod manifests;
mod native;
mod package;
mod pages;
mod prisma;
mod recipe;
mod script;
mod server;
mod start;
mod version;
mod workspaces;

pub use manager::lock_files;
pub use manifests::plain_or_incomplete;
pub use package::{Package, is_plain_path, shown};
pub use script::plain_words;
pub use start::Command;
pub use version::{first_line, plain};

use super::{Detected, Reason, Tree, Undetected, Wishes};
use framework::{Framework, Output};
use manager::Manager;
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
    if app.is_page_with_tools() {
        return Ok(None);
    }
    match app.output()? {
        Output::Site {
            directory,
            is_single_page,
        } => pages::detect(&app, &directory, is_single_page),
        output => server::detect(&app, &output),
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
        if let Some(name) = foreign_workspace(package).filter(|_| !workspaces.has_some()) {
            return Err(Undetected::Incomplete(format!(
                "{FILE} takes {name} from a workspace outside of the root directory. Set the root directory to that of \
                 the monorepo, and a start command for this app"
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

    /// Whether there is a finished page, and `package.json` only names tools to work on it.
    fn is_page_with_tools(&self) -> bool {
        let is_told = self.wishes.publish_dir.is_some() || self.wishes.has_start_command || self.start.is_some();
        let has_build = !matches!(self.build(), Build::None);
        let is_server = || start::entry(self.tree, self.package, false, false).is_some();
        !is_told && !has_build && self.framework.is_none() && self.tree.has("index.html") && !is_server()
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
                directory: plain_or_incomplete(directory, "the publish folder")?,
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
            names_database: prisma::has_configuration(self.tree, self.package),
            build_names_database: prisma::is_generated_by_build(self.tree, self.package),
            has_dependencies,
            has_workspaces: self.workspaces.has_some(),
            has_hooks: development::has_only_hooks(self.package),
            prunes,
            build,
        })
    }

    /// Whether the framework's server writes below its own directory.
    fn writes(&self) -> bool {
        self.framework.as_ref().is_some_and(|framework| framework.writes)
    }

    fn framework_reasons(&self) -> Vec<Reason> {
        self.framework
            .iter()
            .flat_map(|framework| framework.reasons.clone())
            .collect()
    }

    /// The reasons that every kind of output has.
    fn reasons(&self, node: &version::NodeVersion, recipe: &Recipe<'_>) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if let (Build::Script(_), Some(script)) = (&recipe.build, self.package.script("build")) {
            reasons.push(Reason::new(FILE, format!("scripts.build builds it: {}", shown(script))));
        }
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
}

/// A dependency that only the monorepo around the app has.
fn foreign_workspace(package: &Package) -> Option<String> {
    let mut dependencies = package.all_dependencies();
    let found = dependencies.find(|(_, version)| version.starts_with("workspace:"));
    found.map(|(name, _)| shown(name))
}

#[cfg(test)]
mod tests;
