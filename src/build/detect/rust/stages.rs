//! The stages of a Rust image.

use std::collections::BTreeSet;

use super::super::draft::{self, Draft, Start};
use super::super::{Cache, Dockerfile, Tree, Wishes, apt, versions};
use super::programs::Program;
use super::toolchain::Toolchain;

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
/// Directories that programs read at run time, by custom.
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

/// Compiles the programs; for a site, whatever there is.
pub fn build(draft: &mut Draft, toolchain: &Toolchain, programs: &[Program], tree: &Tree, wishes: &Wishes) {
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
    let locked = if tree.has("Cargo.lock") { " --locked" } else { "" };
    if let Some(command) = &wishes.build_command {
        dockerfile.run_typed(command, &[REGISTRY, REPOSITORIES]);
    } else if programs.is_empty() {
        dockerfile.run_online(&format!("cargo build --release{locked}"), &[REGISTRY, REPOSITORIES]);
    } else {
        compile(dockerfile, programs, locked);
    }
    if locked.is_empty() {
        draft.because(
            "Cargo.toml",
            "no Cargo.lock is beside it, so versions are found anew each time; commit the file",
        );
    }
}

/// The target directory outlives the build, and Cargo tells by times alone whether what it holds is of these files.
/// Names of programs are plain words.
fn compile(dockerfile: &mut Dockerfile, programs: &[Program], locked: &str) {
    let packages: BTreeSet<&str> = programs.iter().map(|program| program.package.as_str()).collect();
    let packages: String = packages.iter().map(|name| format!(" --package {name}")).collect();
    let names: String = programs
        .iter()
        .map(|program| format!(" --bin {}", program.name))
        .collect();
    let built: String = programs
        .iter()
        .map(|program| format!(" target/release/{}", program.name))
        .collect();
    let command = [
        "# Of what earlier builds left, only dependencies are taken".to_owned(),
        "find . -path ./target -prune -o -type f -exec touch {} + \\".to_owned(),
        format!("&& cargo build --release{locked}{packages}{names} \\"),
        format!("&& mkdir /out && cp{built} /out/"),
    ];
    dockerfile.run_online(&command.join("\n    "), &[REGISTRY, REPOSITORIES, TARGET]);
}

/// What the last stage depends on.
pub struct Last<'a> {
    /// The programs that were built.
    pub programs: &'a [Program],
    /// Names of the dependencies.
    pub dependencies: &'a BTreeSet<String>,
    /// The start command, where it is told.
    pub start: Option<&'a Start>,
}

impl Last<'_> {
    /// Writes the stage up to its user and command.
    pub fn write(&self, draft: &mut Draft, tree: &Tree, wishes: &Wishes) {
        let dockerfile = &mut draft.dockerfile;
        dockerfile.from(&format!("debian:{}-slim", versions::DEBIAN), None);
        let libraries = libraries(tree);
        if !libraries.is_empty() {
            dockerfile.run_online(&apt::install(&libraries), &[]);
        }
        dockerfile.run(draft::ADD_USER, &[]);
        dockerfile.line("WORKDIR /app");
        dockerfile.line("COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/");
        dockerfile.line(&format!("COPY --from=build {} {}", self.built(wishes), self.home()));
        for directory in AT_RUN_TIME.into_iter().filter(|directory| tree.has_dir(directory)) {
            dockerfile.line(&format!("COPY --from=build /app/{directory} ./{directory}/"));
        }
        if self.dependencies.contains("rocket") {
            if tree.has("Rocket.toml") {
                dockerfile.line("COPY --from=build /app/Rocket.toml ./");
            }
            dockerfile.line("ENV ROCKET_ADDRESS=0.0.0.0");
        } else {
            dockerfile.line("ENV HOST=0.0.0.0");
        }
    }

    fn built(&self, wishes: &Wishes) -> String {
        if wishes.build_command.is_none() {
            return "/out/".to_owned();
        }
        format!("/app/target/release/{}", self.programs[0].name)
    }

    /// Where the programs go: a Procfile may start them where Cargo leaves them.
    fn home(&self) -> &'static str {
        match self.start {
            Some(Start::Shell(command)) if command.contains("target/release/") => "./target/release/",
            _ => "/usr/local/bin/",
        }
    }
}

/// What the programs load at run time, unless it is built into them.
fn libraries(tree: &Tree) -> Vec<&'static str> {
    let lock = tree.text("Cargo.lock").unwrap_or_default();
    let is_locked = |name: &str| lock.contains(&format!("name = \"{name}\""));
    let is_built_in = is_locked("openssl-src");
    let linked = LIBRARIES.iter().filter(|(name, _)| is_locked(name));
    linked
        .filter(|(name, _)| !(is_built_in && *name == "openssl-sys"))
        .map(|(_, library)| *library)
        .collect()
}
