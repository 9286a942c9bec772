//! Rust: one program, compiled in the official image and run in Debian's slim one of the same release.

mod programs;
mod toolchain;

use std::collections::BTreeSet;

use self::programs::{Program, Programs};
use self::toolchain::Toolchain;
use super::draft::{Draft, Start};
use super::{Cache, Detected, Tree, Undetected, Wishes, manifest, versions};

/// The file that tells of Rust.
pub const FILES: &[&str] = &["Cargo.toml"];
const REGISTRY: Cache = Cache::shared("/usr/local/cargo/registry");
const REPOSITORIES: Cache = Cache::shared("/usr/local/cargo/git");
const TARGET: Cache = Cache::exclusive("/app/target");
/// Crates that link a library of the system, with its package for running as Debian calls it.
const LIBRARIES: [(&str, &str); 4] = [
    ("openssl-sys", "libssl3"),
    ("pq-sys", "libpq5"),
    ("mysqlclient-sys", "libmariadb3"),
    ("libsqlite3-sys", "libsqlite3-0"),
];
/// Directories that programs read at run time, by custom, and one file.
const AT_RUN_TIME: [&str; 8] = [
    "assets",
    "config",
    "locales",
    "migrations",
    "public",
    "static",
    "templates",
    "views",
];

/// Recognises Rust.
pub fn detect(tree: &Tree, wishes: &Wishes) -> Result<Option<Detected>, Undetected> {
    let Some(root) = manifest::toml(tree, "Cargo.toml")? else {
        return Ok(None);
    };
    let mut draft = Draft::new(wishes);
    let package = root.get("package").and_then(|package| package.as_table());
    let toolchain = toolchain::choose(&mut draft, tree, package)?;
    let programs = programs::find(tree, &root)?;
    let told = draft.told_start(tree, wishes);
    let program = if wishes.publish_dir.is_some() {
        None
    } else {
        Some(choose(&mut draft, &programs)?)
    };
    build_stage(&mut draft, &toolchain, program.as_ref(), tree, wishes);
    let summary = summary(&toolchain, &programs.dependencies);
    let Some(program) = program else {
        let directory = wishes.publish_dir.as_deref().unwrap_or_default();
        return draft.into_site(summary, directory, tree, wishes).map(Some);
    };
    last_stage(&mut draft, &program, &programs.dependencies, tree, wishes);
    let start = told.unwrap_or_else(|| start(&mut draft, &program, &programs.dependencies));
    Ok(Some(draft.into_server(summary, &start, wishes)))
}

fn summary(toolchain: &Toolchain, dependencies: &BTreeSet<String>) -> String {
    let frameworks = [
        ("rocket", "Rocket"),
        ("axum", "axum"),
        ("actix-web", "Actix Web"),
        ("poem", "Poem"),
        ("warp", "warp"),
    ];
    let framework = frameworks.iter().find(|(name, _)| dependencies.contains(*name));
    let framework = framework.map(|(_, name)| format!(", {name}")).unwrap_or_default();
    let version = if toolchain.version == versions::RUST {
        String::new()
    } else {
        format!(" {}", toolchain.version)
    };
    format!("Rust{version}{framework}")
}

fn choose(draft: &mut Draft, programs: &Programs) -> Result<Program, Undetected> {
    if let Some(default) = &programs.default {
        draft.because("Cargo.toml", format!("`{}` is the program to run", default.name));
        return Ok(default.clone());
    }
    match programs.all.as_slice() {
        [only] => {
            draft.because("Cargo.toml", format!("the one program is `{}`", only.name));
            Ok(only.clone())
        }
        [] => Err(Undetected::Incomplete(
            "Cargo.toml is there, but no program with a plain name: no src/main.rs, no src/bin and no [[bin]], in no \
             member of a workspace either. Add one, or bring a Dockerfile"
                .to_owned(),
        )),
        several => {
            let names: Vec<&str> = several.iter().map(|program| program.name.as_str()).collect();
            Err(Undetected::Incomplete(format!(
                "there are several programs: {}. Name the one to run in Cargo.toml by `default-run` of its [package]",
                names.join(", ")
            )))
        }
    }
}

fn build_stage(draft: &mut Draft, toolchain: &Toolchain, program: Option<&Program>, tree: &Tree, wishes: &Wishes) {
    let dockerfile = &mut draft.dockerfile;
    dockerfile.from(
        &format!("rust:{}-{}", toolchain.version, versions::DEBIAN),
        Some("build"),
    );
    dockerfile.line("WORKDIR /app");
    if let Some(file) = toolchain.file {
        dockerfile.comment("Loads the toolchain that the file names, once");
        dockerfile.copy(&[file], "./");
        dockerfile.run_online("cargo --version", &[]);
    }
    dockerfile.copy(&["."], "./");
    if let Some(command) = &wishes.build_command {
        dockerfile.run_typed(command, &[REGISTRY, REPOSITORIES]);
        return;
    }
    let locked = if tree.has("Cargo.lock") { " --locked" } else { "" };
    let Some(program) = program else {
        dockerfile.run_online(&format!("cargo build --release{locked}"), &[REGISTRY, REPOSITORIES]);
        return;
    };
    // Only names that are plain words come this far.
    let Program { package, name } = program;
    // The target directory outlives the build, and Cargo tells by times alone whether what it holds is of these files.
    let command = [
        "# Of what earlier builds left, only dependencies are taken".to_owned(),
        "find . -path ./target -prune -o -type f -exec touch {} + \\".to_owned(),
        format!("&& cargo build --release{locked} --package {package} --bin {name} \\"),
        format!("&& cp target/release/{name} /usr/local/bin/"),
    ]
    .join("\n    ");
    dockerfile.run_online(&command, &[REGISTRY, REPOSITORIES, TARGET]);
    if locked.is_empty() {
        draft.because(
            "Cargo.toml",
            "no Cargo.lock is beside it, so versions are found anew each time; commit the file",
        );
    }
}

fn last_stage(draft: &mut Draft, program: &Program, dependencies: &BTreeSet<String>, tree: &Tree, wishes: &Wishes) {
    let lock = tree.text("Cargo.lock").unwrap_or_default();
    let is_locked = |name: &str| lock.contains(&format!("name = \"{name}\"\n"));
    // These build the library themselves.
    let is_built_in = is_locked("openssl-src");
    let linked = LIBRARIES
        .iter()
        .filter(|(name, _)| is_locked(name) && !(is_built_in && *name == "openssl-sys"));
    let libraries: Vec<&str> = linked.map(|(_, library)| *library).collect();
    let dockerfile = &mut draft.dockerfile;
    dockerfile.from(&format!("debian:{}-slim", versions::DEBIAN), None);
    if !libraries.is_empty() {
        let install = format!(
            "apt-get update && apt-get install -y --no-install-recommends {} && rm -rf /var/lib/apt/lists/*",
            libraries.join(" ")
        );
        dockerfile.run_online(&install, &[]);
    }
    dockerfile.run(
        "useradd --create-home --uid 1000 app && install -d -o app -g app /app",
        &[],
    );
    dockerfile.line("WORKDIR /app");
    dockerfile.line("COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/");
    let name = &program.name;
    let built = if wishes.build_command.is_some() {
        "/app/target/release"
    } else {
        "/usr/local/bin"
    };
    dockerfile.line(&format!("COPY --from=build {built}/{name} /usr/local/bin/"));
    for directory in AT_RUN_TIME.into_iter().filter(|directory| tree.has_dir(directory)) {
        dockerfile.line(&format!("COPY --from=build /app/{directory} ./{directory}/"));
    }
    if dependencies.contains("rocket") && tree.has("Rocket.toml") {
        dockerfile.line("COPY --from=build /app/Rocket.toml ./");
    }
}

/// Programs of most frameworks choose their address themselves; Rocket has variables for it.
fn start(draft: &mut Draft, program: &Program, dependencies: &BTreeSet<String>) -> Start {
    if dependencies.contains("rocket") {
        draft.because("Cargo.toml", "Rocket listens where its variables say");
        draft.dockerfile.line("ENV ROCKET_ADDRESS=0.0.0.0");
        return Start::Shell(format!("ROCKET_PORT=$PORT {}", program.name));
    }
    draft.because(
        "Cargo.toml",
        "the program has to listen on 0.0.0.0 and the port in PORT",
    );
    draft.dockerfile.line("ENV HOST=0.0.0.0");
    Start::Words(vec![program.name.clone()])
}
