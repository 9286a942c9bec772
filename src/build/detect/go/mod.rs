//! Go: one program, compiled in the official image and run in one that holds a shell and nothing else; with C in it,
//! in Debian's, whose C library it was linked with.

mod mains;
mod module;

use self::module::Module;
use super::draft::{Draft, Start};
use super::{Cache, Detected, Dockerfile, Tree, Undetected, Wishes, manifest, versions};

/// The files that tell of Go.
pub const FILES: &[&str] = &["go.mod", "go.work"];
const MODULES: Cache = Cache::shared("/go/pkg/mod");
const BUILDS: Cache = Cache::shared("/root/.cache/go-build");
/// Directories that programs read at run time, by custom.
const AT_RUN_TIME: [&str; 10] = [
    "assets",
    "config",
    "configs",
    "locales",
    "migrations",
    "public",
    "static",
    "templates",
    "views",
    "web",
];

/// Recognises Go.
pub fn detect(tree: &Tree, wishes: &Wishes) -> Result<Option<Detected>, Undetected> {
    let Some(text) = tree.text("go.mod") else {
        return if tree.has("go.work") {
            Err(Undetected::Incomplete(WORKSPACE.to_owned()))
        } else {
            Ok(None)
        };
    };
    let module = module::read(&text);
    let found = mains::find(tree);
    // Hugo's sites have the file too, and tools are kept in modules.
    if found.is_empty() && wishes.build_command.is_none() && manifest::has_other(tree, FILES) {
        return Ok(None);
    }
    let mut draft = Draft::new(wishes);
    let version = version(&mut draft, &module);
    let told = draft.told_start(tree, wishes);
    let c = c_of(&mut draft, tree, &module);
    build_stage(&mut draft, &version, &module, c, tree);
    if let Some(command) = &wishes.build_command {
        draft.dockerfile.run_typed(command, &[MODULES, BUILDS]);
        return finish_typed(draft, &version, command, told, tree, wishes).map(Some);
    }
    let programs = programs(&mut draft, found, &module, told.is_some())?;
    let name = compile(&mut draft.dockerfile, &programs, &module, tree);
    let summary = format!("Go {version}");
    if let Some(directory) = &wishes.publish_dir {
        return draft.into_site(summary, directory, tree, wishes).map(Some);
    }
    last_stage(&mut draft, c, tree);
    let start = told.unwrap_or_else(|| Start::Words(vec![name]));
    Ok(Some(draft.into_server(summary, &start)))
}

const WORKSPACE: &str = "go.work is there, but no go.mod beside it. Set the base directory to the module to build, or \
                         bring a Dockerfile";

fn version(draft: &mut Draft, module: &Module) -> String {
    match module.minor {
        Some(minor) if minor >= versions::GO_OLDEST_MINOR => {
            draft.because("go.mod", format!("asks for Go 1.{minor}"));
            format!("1.{minor}")
        }
        Some(minor) => {
            draft.because(
                "go.mod",
                format!("asks for Go 1.{minor} or later, so it is {}", versions::GO),
            );
            versions::GO.to_owned()
        }
        None => {
            draft.because(
                "go.mod",
                format!("asks for no version of Go, so it is {}", versions::GO),
            );
            versions::GO.to_owned()
        }
    }
}

/// Whether C is compiled, with the reason.
fn c_of(draft: &mut Draft, tree: &Tree, module: &Module) -> bool {
    if let Some(path) = module.with_c {
        draft.because(
            "go.mod",
            format!("{path} has C in it, so C is compiled too and Debian runs it"),
        );
        return true;
    }
    let Some(file) = mains::find_c(tree) else {
        return false;
    };
    draft.because(
        &manifest::shown(&file),
        "has C in it, so C is compiled too and Debian runs it",
    );
    true
}

fn build_stage(draft: &mut Draft, version: &str, module: &Module, has_c: bool, tree: &Tree) {
    let dockerfile = &mut draft.dockerfile;
    dockerfile.from(&format!("golang:{version}-{}", versions::DEBIAN), Some("build"));
    dockerfile.line(&format!("ENV CGO_ENABLED={}", u8::from(has_c)));
    dockerfile.line("WORKDIR /app");
    let is_vendored = tree.has("vendor/modules.txt");
    let has_sums = tree.has("go.sum");
    let loads_first = !is_vendored && has_sums && !module.has_local_replacements;
    if loads_first {
        dockerfile.copy(&["go.mod", "go.sum"], "./");
        dockerfile.run_online("go mod download", &[MODULES]);
    }
    dockerfile.copy(&["."], "./");
    if is_vendored {
        draft.because("vendor/modules.txt", "the modules are in the source; none is loaded");
    } else if module.has_requirements && !has_sums {
        draft.dockerfile.run_online("go mod tidy", &[MODULES]);
        draft.because(
            "go.mod",
            "no go.sum is beside it, so versions are found anew each time; run `go mod tidy` and commit the file",
        );
    }
}

/// The packages to build, plain paths, one at least: several only where a start command chooses among them.
fn programs(draft: &mut Draft, found: Vec<String>, module: &Module, is_told: bool) -> Result<Vec<String>, Undetected> {
    let all = found.join(", ");
    if found.is_empty() {
        return Err(Undetected::Incomplete(
            "go.mod is there, but no package main with a plain name: in the root, below cmd or in a directory of the \
             root. Set the build command, such as `go build -o server ./path/to/main`"
                .to_owned(),
        ));
    }
    if found.len() > 1 && is_told {
        draft.because("cmd", format!("the start command chooses among the programs {all}"));
        return Ok(found);
    }
    let Some(program) = mains::choose(&found, &module.path) else {
        return Err(Undetected::Incomplete(format!(
            "there are several programs: {all}. Set the start command, such as `{}`, or a build command, such as \
             `go build -o server {}`",
            mains::last_part(&found[0]),
            found[0]
        )));
    };
    let file = if program == "." {
        "go.mod"
    } else {
        program.trim_start_matches("./")
    };
    let means = if found.len() == 1 {
        "the one package main is built".to_owned()
    } else {
        format!("is built for its name, of the programs {all}; a start command would choose another")
    };
    draft.because(file, means);
    Ok(vec![program.to_owned()])
}

/// Compiles the programs into `/out`, and tells the name of the first. Nothing but plain paths and words goes in.
fn compile(dockerfile: &mut Dockerfile, programs: &[String], module: &Module, tree: &Tree) -> String {
    let vendored = if tree.has("vendor/modules.txt") {
        " -mod=vendor"
    } else {
        ""
    };
    let of_module = Some(mains::last_part(&module.path)).filter(|name| manifest::is_word(name));
    let name = match programs[0].as_str() {
        "." => of_module.unwrap_or("app"),
        path => mains::last_part(path),
    };
    let out = if programs.len() == 1 { name } else { "" };
    let command = format!(
        "go build{vendored} -buildvcs=false -trimpath -ldflags=\"-s -w\" -o /out/{out} {}",
        programs.join(" ")
    );
    dockerfile.run_online(&command, &[MODULES, BUILDS]);
    name.to_owned()
}

/// After a typed build command: what it writes with `-o` is started, unless something else is told.
fn finish_typed(
    mut draft: Draft,
    version: &str,
    command: &str,
    told: Option<Start>,
    tree: &Tree,
    wishes: &Wishes,
) -> Result<Detected, Undetected> {
    let summary = format!("Go {version}");
    if let Some(directory) = &wishes.publish_dir {
        return draft.into_site(summary, directory, tree, wishes);
    }
    let start = told.or_else(|| Some(Start::Words(vec![output(command)?])));
    let Some(start) = start else {
        return Err(Undetected::Incomplete(
            "the build command names no program with `-o`, so that it is unknown what to start. Add `-o server` to \
             it, or set the start command"
                .to_owned(),
        ));
    };
    let dockerfile = &mut draft.dockerfile;
    dockerfile.from(&format!("debian:{}-slim", versions::DEBIAN), None);
    prepare(dockerfile);
    dockerfile.line("COPY --from=build --chown=1000:1000 /app ./");
    Ok(draft.into_server(summary, &start))
}

/// The path after `-o`, as it is started from `/app`.
fn output(command: &str) -> Option<String> {
    let mut words = command.split_whitespace();
    words.find(|word| *word == "-o")?;
    let path = words.next()?.trim_start_matches("./");
    manifest::is_path(path).then(|| format!("./{path}"))
}

/// Certificates and time zones, which Go looks for in files, and a directory that the program may write to.
fn prepare(dockerfile: &mut Dockerfile) {
    dockerfile.line("COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/");
    dockerfile.line("COPY --from=build /usr/local/go/lib/time/zoneinfo.zip /usr/share/");
    dockerfile.line("ENV ZONEINFO=/usr/share/zoneinfo.zip");
    dockerfile.run("mkdir /app && chown 1000:1000 /app", &[]);
    dockerfile.line("WORKDIR /app");
}

/// The image that runs: the program, and the directories that such programs read.
fn last_stage(draft: &mut Draft, has_c: bool, tree: &Tree) {
    let dockerfile = &mut draft.dockerfile;
    let image = if has_c {
        format!("debian:{}-slim", versions::DEBIAN)
    } else {
        versions::BUSYBOX.to_owned()
    };
    dockerfile.from(&image, None);
    prepare(dockerfile);
    dockerfile.comment("Procfiles start programs by name, or as bin/name");
    dockerfile.line("COPY --from=build /out/ ./bin/");
    dockerfile.line("ENV PATH=/app/bin:$PATH");
    for directory in AT_RUN_TIME.into_iter().filter(|directory| tree.has_dir(directory)) {
        dockerfile.line(&format!("COPY --from=build /app/{directory} ./{directory}/"));
    }
}
