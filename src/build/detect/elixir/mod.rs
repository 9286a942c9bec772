//! Elixir: a release, assembled in the official image and run in the Debian below it, without Mix and without sources.

mod project;
mod version;

use std::collections::BTreeSet;

use self::project::Project;
use self::version::Version;
use super::dockerfile::CA_SECRET;
use super::draft::{self, Draft, Start};
use super::{Cache, Detected, Dockerfile, Tree, Undetected, Wishes, apt, manifest, versions};

/// The file that tells of Elixir.
pub const FILES: &[&str] = &["mix.exs"];
const HEX: Cache = Cache::exclusive("/root/.hex");
const REBAR: Cache = Cache::exclusive("/root/.cache/rebar3");
const NPM: Cache = Cache::shared("/root/.npm");
/// The packages of Node.js that a Phoenix app's assets are made with.
const PACKAGES: &str = "assets/package.json";
/// What the runtime of a release loads.
const LIBRARIES: [&str; 4] = ["ca-certificates", "libncurses6", "libstdc++6", "openssl"];
/// What Phoenix's own generator has releases started with.
const SERVER_SCRIPT: &str = "rel/overlays/bin/server";

/// Recognises Elixir.
pub fn detect(tree: &Tree, wishes: &Wishes) -> Result<Option<Detected>, Undetected> {
    let Some(text) = tree.text("mix.exs") else {
        return Ok(None);
    };
    let project = project::read(&text);
    let mut draft = Draft::new(wishes);
    let version = version::choose(&mut draft, tree, project.elixir.as_deref());
    let told = draft.told_start(tree, wishes);
    let is_site = wishes.publish_dir.is_some();
    let name = if is_site { None } else { Some(release_name(&project)?) };
    packages_stage(&mut draft, tree)?;
    build_stage(&mut draft, &version, &project, tree, wishes);
    let framework = if project.is_phoenix { ", Phoenix" } else { "" };
    let summary = format!("Elixir {}, Erlang/OTP {}{framework}", version.elixir, version.otp);
    let Some(name) = name else {
        let directory = wishes.publish_dir.as_deref().unwrap_or_default();
        return draft.into_site(summary, directory, tree, wishes).map(Some);
    };
    draft
        .dockerfile
        .run_online("mix release --overwrite --path /release", &[]);
    last_stage(&mut draft, &version, &project);
    let start = told.unwrap_or_else(|| start(&mut draft, &name, tree));
    explain_variables(&mut draft, tree);
    Ok(Some(draft.into_server(summary, &start)))
}

fn release_name(project: &Project) -> Result<String, Undetected> {
    if project.is_umbrella && !project.has_releases {
        return Err(Undetected::Incomplete(
            "mix.exs is an umbrella's and names no release: add `releases: [web: [applications: [your_app: \
             :permanent]]]` to its project"
                .to_owned(),
        ));
    }
    project.name.clone().ok_or_else(|| {
        Undetected::Incomplete(
            "mix.exs names no application that can be read: write `app: :your_app` into its project".to_owned(),
        )
    })
}

/// The packages of Node.js that the assets have, in a stage of its own.
fn packages_stage(draft: &mut Draft, tree: &Tree) -> Result<(), Undetected> {
    let Some(text) = tree.text(PACKAGES) else {
        return Ok(());
    };
    if text.contains("file:../deps") {
        return Err(Undetected::Incomplete(format!(
            "{PACKAGES} takes packages from ../deps, which are not there before Mix has loaded them. Take their \
             published versions, or bring a Dockerfile"
        )));
    }
    draft.because(
        PACKAGES,
        "npm installs the packages of the assets in a stage of its own",
    );
    let dockerfile = &mut draft.dockerfile;
    dockerfile.from(versions::PHOENIX_NODE, Some("packages"));
    dockerfile.line("WORKDIR /assets");
    // Without any package there would be no such directory to copy.
    let command = if tree.has("assets/package-lock.json") {
        dockerfile.copy(&[PACKAGES, "assets/package-lock.json"], "./");
        "npm ci && mkdir -p node_modules"
    } else {
        dockerfile.copy(&[PACKAGES], "./");
        "npm install && mkdir -p node_modules"
    };
    dockerfile.run_online(command, &[NPM]);
    Ok(())
}

fn build_stage(draft: &mut Draft, version: &Version, project: &Project, tree: &Tree, wishes: &Wishes) {
    let dockerfile = &mut draft.dockerfile;
    dockerfile.from(&version.image(), Some("build"));
    dockerfile.line("ENV MIX_ENV=prod");
    if wishes.has_ca {
        dockerfile.comment("Hex trusts no other authorities than its own otherwise");
        dockerfile.line(&format!("ARG HEX_CACERTS_PATH=/run/secrets/{CA_SECRET}"));
    }
    dockerfile.line("WORKDIR /app");
    dockerfile.run_online("mix local.hex --force && mix local.rebar --force", &[]);
    install(dockerfile, project, tree);
    if tree.has(PACKAGES) {
        dockerfile.line("COPY --from=packages /assets/node_modules assets/node_modules/");
    }
    if let Some(command) = &wishes.build_command {
        dockerfile.run_typed(command, &[HEX]);
    } else if project.has_assets {
        // Compiled first, since that writes what Phoenix keeps beside its components.
        dockerfile.run_online("mix compile && mix assets.deploy", &[HEX]);
        draft.because("mix.exs", "`mix assets.deploy` makes the assets");
    }
}

/// The dependencies, compiled before the rest of the source is there. An umbrella's are told by its parts.
fn install(dockerfile: &mut Dockerfile, project: &Project, tree: &Tree) {
    let there = |files: [&'static str; 2]| -> Vec<&str> { files.into_iter().filter(|file| tree.has(file)).collect() };
    let configured = there(["config/config.exs", "config/prod.exs"]);
    if project.is_umbrella {
        dockerfile.copy(&["."], "./");
    } else {
        dockerfile.copy(&there(["mix.exs", "mix.lock"]), "./");
    }
    dockerfile.run_online("mix deps.get --only prod", &[HEX]);
    if !project.is_umbrella && !configured.is_empty() {
        dockerfile.copy(&configured, "config/");
    }
    dockerfile.run_online("mix deps.compile", &[HEX, REBAR]);
    if !project.is_umbrella {
        dockerfile.copy(&["."], "./");
    }
}

fn last_stage(draft: &mut Draft, version: &Version, project: &Project) {
    let dockerfile = &mut draft.dockerfile;
    match version.debian() {
        Some(debian) => {
            dockerfile.from(&format!("debian:{debian}-slim"), None);
            dockerfile.run_online(&apt::install(&LIBRARIES), &[]);
        }
        None => {
            dockerfile.from(&version.image(), None);
            dockerfile.comment("The Debian below is too old for its slim image to get packages for long");
        }
    }
    dockerfile.run(draft::ADD_USER, &[]);
    dockerfile.line("WORKDIR /app");
    dockerfile.line("COPY --from=build --chown=app:app /release ./");
    if project.is_phoenix {
        dockerfile.line("ENV LANG=C.UTF-8 \\");
        dockerfile.line("    PHX_SERVER=true");
    } else {
        dockerfile.line("ENV LANG=C.UTF-8");
    }
}

fn start(draft: &mut Draft, name: &str, tree: &Tree) -> Start {
    if tree.has(SERVER_SCRIPT) {
        draft.because(SERVER_SCRIPT, "starts the release");
        return Start::Words(vec!["/app/bin/server".to_owned()]);
    }
    draft.because("mix.exs", format!("the release is `{name}`"));
    Start::Words(vec![format!("/app/bin/{name}"), "start".to_owned()])
}

/// Variables without which the release stops at once: better known before than after.
fn explain_variables(draft: &mut Draft, tree: &Tree) {
    let text = tree.text("config/runtime.exs").unwrap_or_default();
    let mut needed = BTreeSet::new();
    let mut last = None;
    for line in text.lines() {
        for call in ["System.fetch_env!(\"", "System.get_env(\""] {
            if let Some(name) = line.split(call).nth(1).and_then(|rest| rest.split('"').next()) {
                last = Some(name);
                if call.contains('!') {
                    needed.insert(name);
                }
            }
        }
        if line.trim_start().starts_with("raise") || line.contains("|| raise") {
            needed.extend(last.take());
        }
    }
    let names: Vec<&str> = needed.into_iter().filter(|name| manifest::is_word(name)).collect();
    if !names.is_empty() {
        draft.because(
            "config/runtime.exs",
            format!("the release starts only with {} set", names.join(", ")),
        );
    }
}
