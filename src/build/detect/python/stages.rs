//! The stages of a Python image.

use super::super::{Cache, Dockerfile, Tree, Wishes, apt, draft, manifest, versions};
use super::Plan;
use super::dependencies::Manager;
use super::package::has_package;

const PIP_CACHE: Cache = Cache::shared("/root/.cache/pip");
const UV_CACHE: Cache = Cache::shared("/root/.cache/uv");
const POETRY_CACHE: Cache = Cache::shared("/root/.cache/pypoetry");
const PIPENV_CACHE: Cache = Cache::shared("/root/.cache/pipenv");
/// Packages whose wheels are built here, with the library that they load at run time as Debian calls it.
const LIBRARIES: [(&str, &str); 4] = [
    ("psycopg2", "libpq5"),
    ("psycopg", "libpq5"),
    ("mysqlclient", "libmariadb3"),
    ("pyodbc", "unixodbc"),
];

/// Installs the dependencies, lock files first, and runs what prepares the app.
pub fn build(dockerfile: &mut Dockerfile, plan: &Plan, tree: &Tree, wishes: &Wishes) {
    let dependencies = &plan.dependencies;
    dockerfile.from(&format!("python:{}", plan.version), Some("build"));
    dockerfile.line("ENV PIP_DISABLE_PIP_VERSION_CHECK=1");
    prepare(dockerfile, &dependencies.manager);
    dockerfile.line("WORKDIR /app");
    if dependencies.needs_source {
        dockerfile.comment("Some of the dependencies are in the source itself");
        dockerfile.copy(&["."], "./");
    }
    install(dockerfile, plan);
    let app = plan.app.as_ref();
    if !dependencies.needs_source {
        dockerfile.copy(&["."], "./");
    }
    install_project(dockerfile, plan, tree);
    match (&wishes.build_command, app.and_then(|app| app.build.as_deref())) {
        (Some(command), _) => dockerfile.run_typed(command, &[PIP_CACHE]),
        (None, Some(command)) => dockerfile.run(command, &[]),
        (None, None) => dockerfile,
    };
}

/// Takes over what was installed and the source.
pub fn server(dockerfile: &mut Dockerfile, plan: &Plan) {
    dockerfile.from(&format!("python:{}-slim", plan.version), None);
    dockerfile.line("ENV PATH=/venv/bin:$PATH \\");
    dockerfile.line("    PYTHONUNBUFFERED=1 \\");
    dockerfile.line("    PYTHONDONTWRITEBYTECODE=1 \\");
    if plan.app.as_ref().is_some_and(|app| app.is_in_src) {
        dockerfile.line("    PYTHONPATH=/app/src \\");
    }
    // gunicorn and uvicorn believe none but the local host otherwise, and make `http` of every address.
    dockerfile.line("    FORWARDED_ALLOW_IPS=*");
    let has = |package: &str| plan.dependencies.has(package);
    let libraries: Vec<&str> = LIBRARIES
        .iter()
        .filter(|(package, _)| has(package))
        .map(|(_, name)| *name)
        .collect();
    if !libraries.is_empty() {
        dockerfile.run_online(&apt::install(&libraries), &[]);
    }
    dockerfile.run(draft::ADD_USER, &[]);
    dockerfile.line("WORKDIR /app");
    dockerfile.line("COPY --from=build /venv /venv");
    dockerfile.line("COPY --from=build --chown=app:app /app ./");
}

/// The manager itself, and the virtual environment.
fn prepare(dockerfile: &mut Dockerfile, manager: &Manager) {
    let program = match manager {
        Manager::Uv => Some(versions::UV),
        Manager::Poetry => Some(versions::POETRY),
        Manager::Pipenv => Some(versions::PIPENV),
        Manager::Pip(_) | Manager::Project(_) | Manager::Listed | Manager::Nothing => None,
    };
    if let Some(program) = program {
        dockerfile.run_online(&format!("pip install {program}"), &[PIP_CACHE]);
    }
    if *manager != Manager::Uv {
        dockerfile.run("python -m venv /venv", &[]);
    }
    dockerfile.line("ENV VIRTUAL_ENV=/venv \\");
    match manager {
        Manager::Uv => {
            dockerfile.line("    UV_PROJECT_ENVIRONMENT=/venv \\");
            dockerfile.line("    UV_PYTHON=/usr/local/bin/python \\");
            dockerfile.line("    UV_PYTHON_DOWNLOADS=never \\");
            dockerfile.line("    UV_LINK_MODE=copy \\");
            dockerfile.line("    UV_COMPILE_BYTECODE=1 \\");
        }
        Manager::Poetry => {
            dockerfile.line("    POETRY_NO_INTERACTION=1 \\");
        }
        _ => {}
    }
    dockerfile.line("    PATH=/venv/bin:$PATH");
}

/// What does not change with the source, with the server that it lacks.
fn install(dockerfile: &mut Dockerfile, plan: &Plan) {
    let dependencies = &plan.dependencies;
    let (command, files, cache) = match &dependencies.manager {
        Manager::Uv if dependencies.needs_source => ("uv sync --locked --no-dev".to_owned(), Vec::new(), UV_CACHE),
        Manager::Uv => (
            "uv sync --frozen --no-dev --no-install-project".to_owned(),
            vec!["pyproject.toml", "uv.lock"],
            UV_CACHE,
        ),
        Manager::Poetry => (
            "poetry install --only main --no-root".to_owned(),
            vec!["pyproject.toml", "poetry.lock"],
            POETRY_CACHE,
        ),
        Manager::Pipenv => ("pipenv sync".to_owned(), vec!["Pipfile", "Pipfile.lock"], PIPENV_CACHE),
        Manager::Pip(lists) => (
            format!("pip install -r {}", lists[0]),
            lists.iter().map(String::as_str).collect(),
            PIP_CACHE,
        ),
        Manager::Listed => (list_dependencies(&plan.version), vec!["pyproject.toml"], PIP_CACHE),
        Manager::Project(_) | Manager::Nothing => return,
    };
    if !dependencies.needs_source {
        copy_lists(dockerfile, files);
    }
    let pip = match dependencies.manager {
        Manager::Uv => "uv pip install --python /venv",
        _ => "pip install",
    };
    let server = plan.app.as_ref().and_then(|app| app.server);
    let server = server.map(|server| format!(" && {pip} {server}")).unwrap_or_default();
    dockerfile.run_online(&format!("{command}{server}"), &[cache]);
}

/// pip installs a project or a list, but not what a project lists.
fn list_dependencies(version: &str) -> String {
    // Before 3.11, pip's own copy of the reader is the one that is there.
    let is_old = manifest::numbers(version).is_some_and(|numbers| numbers.as_slice() < [3, 11].as_slice());
    let reader = if is_old {
        "from pip._vendor import tomli as tomllib"
    } else {
        "import tomllib"
    };
    format!(
        "python -c \"{reader}; print(*tomllib.load(open('pyproject.toml', 'rb'))['project'].get('dependencies', []), \
         sep='\\n')\" > /tmp/dependencies.txt \\\n    && pip install -r /tmp/dependencies.txt"
    )
}

/// `COPY` flattens, so that each directory's files go by their own line.
fn copy_lists(dockerfile: &mut Dockerfile, mut left: Vec<&str>) {
    while let Some(first) = left.first() {
        let directory = directory_of(first);
        let (together, others): (Vec<&str>, Vec<&str>) = left.iter().partition(|list| directory_of(list) == directory);
        dockerfile.copy(&together, &format!("./{directory}"));
        left = others;
    }
}

fn directory_of(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..=slash])
}

/// The project itself, where it is one that can be installed.
fn install_project(dockerfile: &mut Dockerfile, plan: &Plan, tree: &Tree) {
    match &plan.dependencies.manager {
        Manager::Uv if !plan.dependencies.needs_source => {
            // Inexact: a server that was added stays.
            dockerfile.run_online("uv sync --locked --no-dev --inexact", &[UV_CACHE]);
        }
        Manager::Poetry if is_poetry_package(plan, tree) => {
            dockerfile.run_online("poetry install --only main", &[POETRY_CACHE]);
        }
        Manager::Project(_) => {
            let server = plan.app.as_ref().and_then(|app| app.server);
            let server = server.map(|server| format!(" {server}")).unwrap_or_default();
            dockerfile.run_online(&format!("pip install .{server}"), &[PIP_CACHE]);
        }
        _ => {}
    }
}

/// Poetry fails on a project without the package that its name promises, as most apps are.
fn is_poetry_package(plan: &Plan, tree: &Tree) -> bool {
    let Some(project) = &plan.project else {
        return false;
    };
    let poetry = project.get("tool").and_then(|tool| tool.get("poetry"));
    if poetry.and_then(|poetry| poetry.get("package-mode")?.as_bool()) == Some(false) {
        return false;
    }
    if poetry.is_some_and(|poetry| poetry.get("packages").is_some()) {
        return true;
    }
    let standard = project.get("project").and_then(|project| project.get("name"));
    let name = standard
        .or_else(|| poetry?.get("name"))
        .and_then(|name| name.as_str())
        .unwrap_or_default();
    has_package(tree, name)
}
