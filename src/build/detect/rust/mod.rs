//! Rust: one program, compiled in the official image and run in Debian's slim one of the same release.

mod programs;
mod stages;
mod toolchain;

use std::collections::BTreeSet;

use self::programs::{Program, Programs};
use self::toolchain::Toolchain;
use super::draft::{Draft, Start};
use super::{Detected, Tree, Undetected, Wishes, manifest, versions};

/// The file that tells of Rust.
pub const FILES: &[&str] = &["Cargo.toml"];

/// Recognises Rust.
pub fn detect(tree: &Tree, wishes: &Wishes) -> Result<Option<Detected>, Undetected> {
    let Some(root) = manifest::toml(tree, "Cargo.toml")? else {
        return Ok(None);
    };
    let programs = programs::find(tree, &root)?;
    // Libraries in Rust stand beside what uses them, in Python or for browsers.
    if programs.all.is_empty() && wishes.build_command.is_none() && manifest::has_other(tree, FILES) {
        return Ok(None);
    }
    let mut draft = Draft::new(wishes);
    let package = root.get("package").and_then(|package| package.as_table());
    let toolchain = toolchain::choose(&mut draft, tree, package)?;
    let told = draft.told_start(tree, wishes);
    let summary = summary(&toolchain, &programs.dependencies);
    if let Some(directory) = &wishes.publish_dir {
        stages::build(&mut draft, &toolchain, &[], tree, wishes);
        return draft.into_site(summary, directory, tree, wishes).map(Some);
    }
    let chosen = choose(&mut draft, &programs, told.is_some(), wishes)?;
    stages::build(&mut draft, &toolchain, &chosen, tree, wishes);
    let last = stages::Last {
        programs: &chosen,
        dependencies: &programs.dependencies,
        start: told.as_ref(),
    };
    last.write(&mut draft, tree, wishes);
    let start = told.unwrap_or_else(|| start(&mut draft, &chosen[0], &programs.dependencies));
    Ok(Some(draft.into_server(summary, &start)))
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

/// The programs to build, one at least: several only where a start command chooses among them.
fn choose(draft: &mut Draft, programs: &Programs, is_told: bool, wishes: &Wishes) -> Result<Vec<Program>, Undetected> {
    let typed = wishes.build_command.as_deref().and_then(|command| {
        let name = command
            .split_once("--bin")?
            .1
            .trim_start_matches('=')
            .split_whitespace()
            .next()?;
        programs.all.iter().find(|program| program.name == name)
    });
    if let Some(program) = typed.or(programs.default.as_ref()) {
        draft.because("Cargo.toml", format!("`{}` is the program to run", program.name));
        return Ok(vec![program.clone()]);
    }
    let names: Vec<&str> = programs.all.iter().map(|program| program.name.as_str()).collect();
    let names = names.join(", ");
    match programs.all.as_slice() {
        [only] => {
            draft.because("Cargo.toml", format!("the one program is `{}`", only.name));
            Ok(vec![only.clone()])
        }
        [] => Err(Undetected::Incomplete(
            "Cargo.toml is there, but no program with a plain name: no src/main.rs, no src/bin and no [[bin]], in no \
             member of a workspace either. Add one, or bring a Dockerfile"
                .to_owned(),
        )),
        several if is_told && wishes.build_command.is_none() => {
            draft.because(
                "Cargo.toml",
                format!("the start command chooses among the programs {names}"),
            );
            Ok(several.to_vec())
        }
        several => Err(Undetected::Incomplete(format!(
            "there are several programs: {names}. Set the start command, such as `{}`, or name the one to run by \
             `default-run` in Cargo.toml",
            several[0].name
        ))),
    }
}

/// Programs of most frameworks choose their address themselves; Rocket has variables for it.
fn start(draft: &mut Draft, program: &Program, dependencies: &BTreeSet<String>) -> Start {
    if dependencies.contains("rocket") {
        draft.because("Cargo.toml", "Rocket listens where its variables say");
        return Start::Shell(format!("ROCKET_PORT=$PORT {}", program.name));
    }
    draft.because(
        "Cargo.toml",
        "the program has to listen on 0.0.0.0 and the port in PORT",
    );
    Start::Words(vec![program.name.clone()])
}
