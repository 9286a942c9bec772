//! Python: dependencies go into a virtual environment in a stage with compilers, which a slim stage then takes over.
//! The server is the dependencies' own; one that they lack is installed, since the one that Django and Flask bring is
//! not for use, and refusing would help nobody.

mod dependencies;
mod django;
mod framework;
mod package;
mod stages;
mod version;

use toml::Table;

use self::dependencies::{Dependencies, Manager};
use self::framework::App;
use super::draft::Draft;
use super::{Detected, Tree, Undetected, Wishes, manifest};

/// The files that tell of Python.
pub const FILES: &[&str] = &[
    "requirements.txt",
    "pyproject.toml",
    "Pipfile",
    "setup.py",
    "manage.py",
    "main.py",
    "app.py",
];

const NO_DJANGO: &str = "manage.py is there, but nothing that names Django as a dependency. Add a requirements.txt, or \
                         a pyproject.toml with its uv.lock";

/// What is known of a source before its Dockerfile is written.
struct Plan {
    version: String,
    project: Option<Table>,
    dependencies: Dependencies,
    app: Option<App>,
}

/// Recognises Python.
pub fn detect(tree: &Tree, wishes: &Wishes) -> Result<Option<Detected>, Undetected> {
    if tree.first(FILES).is_none() && !tree.has("requirements/production.txt") {
        return Ok(None);
    }
    let project = manifest::toml(tree, "pyproject.toml")?;
    let pipfile = manifest::toml(tree, "Pipfile")?;
    let dependencies = dependencies::read(tree, project.as_ref(), pipfile.as_ref())?;
    if dependencies.manager == Manager::Nothing && tree.has("manage.py") {
        return Err(Undetected::Incomplete(NO_DJANGO.to_owned()));
    }
    let app = framework::find(tree, &dependencies);
    if is_beside_another(tree, &dependencies, app.as_ref()) {
        return Ok(None);
    }
    let mut draft = Draft::new(wishes);
    let (version, why) = version::choose(tree, project.as_ref(), pipfile.as_ref())?;
    draft.reasons.push(why);
    let mut plan = Plan {
        version,
        project,
        dependencies,
        app,
    };
    explain_dependencies(&mut draft, &plan.dependencies.manager);
    let told = draft.told_start(tree, wishes);
    if let Some(app) = &mut plan.app {
        if told.is_some() || wishes.publish_dir.is_some() {
            app.server = None;
        }
        explain_app(&mut draft, app, &plan.dependencies.manager, tree, told.is_none());
    }
    stages::build(&mut draft.dockerfile, &plan, tree, wishes);
    let summary = summary(&plan);
    if let Some(directory) = &wishes.publish_dir {
        return draft.into_site(summary, directory, tree, wishes).map(Some);
    }
    let found = plan.app.as_ref().map(|app| app.start.clone());
    let start = told.or(found).ok_or_else(|| Undetected::Incomplete(no_start(tree)))?;
    stages::server(&mut draft.dockerfile, &plan);
    Ok(Some(draft.into_server(summary, &start)))
}

/// Sources of other languages often have some Python: for a tool, for documentation, or settings of a linter.
fn is_beside_another(tree: &Tree, dependencies: &Dependencies, app: Option<&App>) -> bool {
    let has_framework = app.is_some_and(|app| app.framework.is_some()) || tree.has("manage.py");
    let is_tool = manifest::has_other(tree, FILES) && !has_framework;
    is_tool || (app.is_none() && !tree.has("manage.py") && dependencies.manager == Manager::Nothing)
}

fn summary(plan: &Plan) -> String {
    let manager = match &plan.dependencies.manager {
        Manager::Uv => ", uv",
        Manager::Poetry => ", Poetry",
        Manager::Pipenv => ", Pipenv",
        Manager::Pip(_) | Manager::Project(_) | Manager::Listed => ", pip",
        Manager::Nothing => "",
    };
    let framework = plan.app.as_ref().and_then(|app| app.framework);
    let framework = framework.map(|name| format!(", {name}")).unwrap_or_default();
    format!("Python {}{manager}{framework}", plan.version)
}

fn no_start(tree: &Tree) -> String {
    if tree.has("manage.py") {
        return "manage.py is there, but no wsgi.py of its project. Add one, or set a start command or the web line of \
                a Procfile"
            .to_owned();
    }
    "nothing tells what to start: no main.py or app.py is there, and no module makes a FastAPI, Starlette or Flask \
     app. Set a start command, or the web line of a Procfile"
        .to_owned()
}

fn explain_dependencies(draft: &mut Draft, manager: &Manager) {
    match manager {
        Manager::Uv => draft.because("uv.lock", "uv installs exactly these versions"),
        Manager::Poetry => draft.because("poetry.lock", "Poetry installs exactly these versions"),
        Manager::Pipenv => draft.because("Pipfile.lock", "Pipenv installs exactly these versions"),
        Manager::Pip(lists) => draft.because(&lists.join(", "), "pip installs what is listed"),
        Manager::Project(file) => draft.because(
            file,
            "pip installs the project with what it depends on; a uv.lock would fix the versions",
        ),
        Manager::Listed => draft.because(
            "pyproject.toml",
            "pip installs what it depends on; a uv.lock would fix the versions",
        ),
        Manager::Nothing => {}
    }
}

fn explain_app(draft: &mut Draft, app: &App, manager: &Manager, tree: &Tree, starts: bool) {
    if starts || app.framework.is_some() {
        draft.because(&app.file, app.means.as_str());
    }
    if let Some(server) = app.server {
        let file = match manager {
            Manager::Pip(lists) => &lists[0],
            Manager::Pipenv => "Pipfile",
            _ => "pyproject.toml",
        };
        let means = format!("names no server for it, so {server} is installed; add one to choose its version yourself");
        draft.because(file, means);
    }
    if app.build.is_some() {
        draft.because("manage.py", "collects static files, since STATIC_ROOT is set");
    }
    if tree.has("package.json") {
        draft.because(
            "package.json",
            "is not built, since this is a Python app; commit what it makes, or bring a Dockerfile",
        );
    }
}
