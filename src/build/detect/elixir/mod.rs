//! Elixir: a release, assembled in the official image and run in the Debian below it, without Mix and without sources.

mod project;
mod version;

use std::collections::BTreeSet;

use self::project::Project;
use self::version::Version;
use super::draft::{Draft, Start};
use super::{Cache, Detected, Tree, Undetected, Wishes, manifest, versions};

/// The file that tells of Elixir.
pub const FILES: &[&str] = &["mix.exs"];
const HEX: Cache = Cache::exclusive("/root/.hex");
const REBAR: Cache = Cache::exclusive("/root/.cache/rebar3");
const NPM: Cache = Cache::shared("/root/.npm");
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
    let has_packages = node_packages(&mut draft, tree)?;
    build_stage(&mut draft, &version, &project, has_packages, tree, wishes);
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
    Ok(Some(draft.into_server(summary, &start, wishes)))
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

/// Whether the assets have packages of Node.js, which a stage of its own installs.
fn node_packages(draft: &mut Draft, tree: &Tree) -> Result<bool, Undetected> {
    let Some(text) = tree.text("assets/package.json") else {
        return Ok(false);
    };
    if text.contains("file:../deps") {
        return Err(Undetected::Incomplete(
            "assets/package.json takes packages from ../deps, which Node.js cannot have before Mix has loaded them: \
             bring a Dockerfile, or use their published versions"
                .to_owned(),
        ));
    }
    draft.because(
        "assets/package.json",
        "npm installs the packages for the assets in a stage of its own",
    );
    Ok(true)
}

fn node_stage(draft: &mut Draft, tree: &Tree) {
    let dockerfile = &mut draft.dockerfile;
    let has_lock = tree.has("assets/package-lock.json");
    dockerfile.from(versions::ASSETS_NODE, Some("packages"));
    dockerfile.line("WORKDIR /assets");
    if has_lock {
        dockerfile.copy(&["assets/package.json", "assets/package-lock.json"], "./");
        dockerfile.run_online("npm ci", &[NPM]);
    } else {
        dockerfile.copy(&["assets/package.json"], "./");
        dockerfile.run_online("npm install", &[NPM]);
    }
    // Without any package there would be no such directory to copy.
    dockerfile.run("mkdir -p node_modules", &[]);
}

fn build_stage(
    draft: &mut Draft,
    version: &Version,
    project: &Project,
    has_packages: bool,
    tree: &Tree,
    wishes: &Wishes,
) {
    if has_packages {
        node_stage(draft, tree);
    }
    let dockerfile = &mut draft.dockerfile;
    dockerfile.from(&version.image(), Some("build"));
    dockerfile.line("ENV MIX_ENV=prod");
    if wishes.has_ca {
        dockerfile.comment("Hex trusts no other authorities than its own otherwise");
        dockerfile.line(&format!(
            "ARG HEX_CACERTS_PATH=/run/secrets/{}",
            super::dockerfile::CA_SECRET
        ));
    }
    dockerfile.line("WORKDIR /app");
    dockerfile.run_online("mix local.hex --force && mix local.rebar --force", &[]);
    if project.is_umbrella {
        dockerfile.copy(&["."], "./");
    } else {
        let lists: &[&str] = if tree.has("mix.lock") {
            &["mix.exs", "mix.lock"]
        } else {
            &["mix.exs"]
        };
        dockerfile.copy(lists, "./");
    }
    dockerfile.run_online("mix deps.get --only prod", &[HEX]);
    let configured: Vec<&str> = ["config/config.exs", "config/prod.exs"]
        .into_iter()
        .filter(|file| tree.has(file))
        .collect();
    if !project.is_umbrella && !configured.is_empty() {
        dockerfile.copy(&configured, "config/");
    }
    dockerfile.run_online("mix deps.compile", &[HEX, REBAR]);
    if !project.is_umbrella {
        dockerfile.copy(&["."], "./");
    }
    if has_packages {
        dockerfile.line("COPY --from=packages /assets/node_modules assets/node_modules/");
    }
    if let Some(command) = &wishes.build_command {
        dockerfile.run_typed(command, &[HEX]);
        return;
    }
    if project.has_assets {
        // Compiled first, since that writes what Phoenix keeps beside its components.
        dockerfile.run_online("mix compile && mix assets.deploy", &[HEX]);
        draft.because("mix.exs", "`mix assets.deploy` makes the assets");
    }
}

fn last_stage(draft: &mut Draft, version: &Version, project: &Project) {
    let dockerfile = &mut draft.dockerfile;
    dockerfile.from(&format!("debian:{}-slim", version.debian()), None);
    let libraries = "ca-certificates libncurses6 libstdc++6 openssl";
    let install = format!(
        "apt-get update && apt-get install -y --no-install-recommends {libraries} && rm -rf /var/lib/apt/lists/*"
    );
    dockerfile.run_online(&install, &[]);
    dockerfile.run(
        "useradd --create-home --uid 1000 app && install -d -o app -g app /app",
        &[],
    );
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
