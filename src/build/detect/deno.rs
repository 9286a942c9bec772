//! Apps for Deno, by `deno.json`. What they import is loaded into the image, so that a start needs no network.

mod settings;

use super::node::{self, Command, first_line, plain, plain_words, shown};
use super::site::{self, Content};
use super::versions::DENO;
use super::{Detected, Dockerfile, Reason, Tree, Undetected, Wishes, draft, manifest, procfile};
use settings::Settings;

/// What a start looks for where no task says it.
const ENTRIES: [&str; 8] = [
    "main.ts",
    "main.tsx",
    "main.js",
    "server.ts",
    "server.js",
    "src/main.ts",
    "src/server.ts",
    "index.ts",
];
/// Files that an install reads besides the settings.
const MANIFESTS: [&str; 4] = ["deno.lock", "package.json", "import_map.json", ".npmrc"];
/// What a server needs to be allowed.
const PERMISSIONS: [&str; 3] = ["--allow-net", "--allow-env", "--allow-read"];
const SERVE: &str = "deno serve";
const PORT_OPTION: &str = "--port $PORT";
/// Lume writes its sites here.
const LUME_SITE: &str = "_site";

/// Recognises an app by its settings or its lock file.
pub fn detect(tree: &Tree, wishes: &Wishes) -> Result<Option<Detected>, Undetected> {
    let settings = Settings::read(tree)?;
    if settings.is_none() && !tree.has("deno.lock") || belongs_to_node(tree, settings.as_ref())? {
        return Ok(None);
    }
    let settings = settings.unwrap_or_default();
    let app = App {
        version: version(tree)?,
        tree,
        wishes,
        settings: &settings,
    };
    app.detect().map(Some)
}

/// Whether `deno.json` only serves an editor, or a formatter, beside an app for Node.js.
fn belongs_to_node(tree: &Tree, settings: Option<&Settings>) -> Result<bool, Undetected> {
    let Some(package) = node::Package::read(tree)? else {
        return Ok(false);
    };
    let has_lock = tree.first(&node::lock_files()).is_some();
    let starts = settings.is_some_and(|settings| settings.task("start").is_some());
    Ok(has_lock || (package.script("start").is_some() && !starts && !tree.has("deno.lock")))
}

struct Version {
    tag: String,
    reason: Reason,
}

/// The version of `.dvmrc` or asdf's file; there are images of whole versions only, so others get the default.
fn version(tree: &Tree) -> Result<Version, Undetected> {
    let in_dvm = tree.text(".dvmrc").as_deref().and_then(first_line).map(str::to_owned);
    let asked = in_dvm.map(|version| (".dvmrc", version));
    let asked = asked.or_else(|| Some((".tool-versions", manifest::tool_version(tree, &["deno"])?)));
    let Some((file, asked)) = asked else {
        return Ok(Version {
            tag: DENO.to_owned(),
            reason: Reason::new(settings::file(tree), format!("an app for Deno: {DENO} is the default")),
        });
    };
    match plain(&asked) {
        Some(tag) if tag.split('.').count() == 3 => Ok(Version {
            reason: Reason::new(file, format!("asks for Deno {tag}")),
            tag,
        }),
        Some(tag) if format!("{DENO}.").starts_with(&format!("{tag}.")) => Ok(Version {
            reason: Reason::new(file, format!("asks for Deno {tag}, which is {DENO}")),
            tag: DENO.to_owned(),
        }),
        _ => Err(Undetected::Incomplete(format!(
            "{file} asks for Deno \"{}\". Images have whole versions only: write one such as {DENO}",
            shown(&asked)
        ))),
    }
}

struct App<'a> {
    tree: &'a Tree,
    wishes: &'a Wishes,
    settings: &'a Settings,
    version: Version,
}

/// What starts an app, and who says so.
struct Start {
    command: Command,
    /// The file that it runs, where that is known: it is loaded with all that it imports.
    entry: Option<String>,
    reason: Reason,
}

impl App<'_> {
    fn detect(&self) -> Result<Detected, Undetected> {
        let mut dockerfile = Dockerfile::new(self.wishes);
        let mut reasons = vec![self.version.reason.clone()];
        if let Some(text) = self
            .settings
            .task("build")
            .filter(|_| self.wishes.build_command.is_none())
        {
            reasons.push(Reason::new(
                &self.settings.file,
                format!("tasks.build builds it: {}", shown(text)),
            ));
        }
        let start = self.start();
        let mut summary = vec![format!("Deno {}", self.version.tag)];
        summary.extend(self.settings.framework().map(str::to_owned));
        let has_own_start = start.is_some() || self.wishes.has_start_command;
        let is_lume = self.settings.framework() == Some("Lume") && !has_own_start;
        let directory = self.wishes.publish_dir.as_deref().or(is_lume.then_some(LUME_SITE));
        if let Some(directory) = directory {
            let directory = node::plain_or_incomplete(directory, "the publish folder")?;
            let stage = self.write_build(&mut dockerfile, None);
            let path = format!("/app/{directory}");
            let content = Content::Stage { stage, path };
            let served = site::serve(&mut dockerfile, &content, false, self.tree)?;
            reasons.extend(served.reasons);
            summary.push("static site".to_owned());
            return Ok(detected(&summary, reasons, dockerfile, vec![served.file]));
        }
        if !has_own_start {
            return Err(Undetected::Incomplete(format!(
                "{} has no tasks.start, and there is neither a main.ts nor a server.ts: nothing tells how to start the \
                 app. Add tasks.start, or set a start command",
                self.settings.file
            )));
        }
        reasons.extend(start.as_ref().map(|start| start.reason.clone()));
        self.write_server(&mut dockerfile, start.as_ref());
        Ok(detected(&summary, reasons, dockerfile, Vec::new()))
    }

    fn start(&self) -> Option<Start> {
        if let Some(text) = procfile::web(self.tree) {
            let reason = Reason::new(procfile::FILE, format!("web starts the app: {}", shown(&text)));
            return Some(match plain_words(&text) {
                Some(words) => self.of_words(words, reason),
                None => Start {
                    command: Command::Shell(text),
                    entry: None,
                    reason,
                },
            });
        }
        if let Some(text) = self.settings.task("start") {
            let reason = Reason::new(
                &self.settings.file,
                format!("tasks.start starts the app: {}", shown(text)),
            );
            return Some(self.of_task("start", text, reason));
        }
        let entry = self.tree.first(&ENTRIES)?;
        let text = self.tree.text(entry).unwrap_or_default();
        let verb = if text.contains("export default") {
            "serve"
        } else {
            "run"
        };
        let words = ["deno", verb].into_iter().chain(PERMISSIONS).chain([entry]);
        let reason = Reason::new(entry, "no task starts the app, so this file does");
        Some(self.of_words(words.map(str::to_owned).collect(), reason))
    }

    /// A task's own command where nothing runs before it, so that it can be told its port, else the task.
    fn of_task(&self, name: &str, text: &str, reason: Reason) -> Start {
        let is_whole = !self.settings.has_dependencies(name);
        let words = plain_words(text).filter(|words| words[0] == "deno" && is_whole);
        if let Some(["deno", "task", called]) = words.as_deref().map(borrowed).as_deref()
            && *called != name
            && let Some(text) = self.settings.task(called).filter(|text| !text.contains("deno task"))
        {
            return self.of_task(called, text, reason);
        }
        if words.is_none() && is_whole && text.contains(SERVE) && !text.contains("--port") {
            return Start {
                command: Command::Shell(text.replacen(SERVE, &format!("{SERVE} {PORT_OPTION}"), 1)),
                entry: None,
                reason,
            };
        }
        let task = || ["deno", "task", name].map(str::to_owned).to_vec();
        self.of_words(words.unwrap_or_else(task), reason)
    }

    /// `deno serve` hears of a port by its option only.
    fn of_words(&self, mut words: Vec<String>, reason: Reason) -> Start {
        let is_file = |word: &&String| !word.starts_with('-') && self.tree.has(word);
        let entry = words.iter().skip(1).find(is_file).cloned();
        let is_serve = words.starts_with(&["deno".to_owned(), "serve".to_owned()]);
        let has_port = words.iter().any(|word| word.starts_with("--port"));
        let command = if is_serve && !has_port {
            words.insert(2, PORT_OPTION.to_owned());
            Command::Shell(words.join(" "))
        } else {
            Command::Words(words)
        };
        Start { command, entry, reason }
    }

    fn image(&self) -> String {
        format!("denoland/deno:{}", self.version.tag)
    }

    /// The stages up to the finished app; the last one's name.
    fn write_build(&self, dockerfile: &mut Dockerfile, entry: Option<&str>) -> &'static str {
        dockerfile.from(&self.image(), Some("dependencies"));
        dockerfile.line("WORKDIR /app");
        let is_locked = self.tree.has("deno.lock");
        let frozen = if is_locked { " --frozen" } else { "" };
        let settings = self.tree.first(&settings::FILES);
        let has_workspace = self.settings.has_workspace();
        if !has_workspace && !self.version.tag.starts_with("1.") {
            let manifests = MANIFESTS.iter().copied().filter(|file| self.tree.has(file));
            let files: Vec<&str> = settings.into_iter().chain(manifests).collect();
            dockerfile.copy(&files, "./");
            dockerfile.run_online(&format!("deno install{frozen}"), &[]);
        }
        dockerfile.copy(&["."], ".");
        if let Some(entry) = entry {
            dockerfile.run_online(&format!("deno cache{frozen} {entry}"), &[]);
        }
        let build = self.settings.task("build").map(|_| "deno task build");
        match (&self.wishes.build_command, build) {
            (Some(command), _) => dockerfile.from("dependencies", Some("build")).run_typed(command, &[]),
            (None, Some(command)) => dockerfile.from("dependencies", Some("build")).run_online(command, &[]),
            (None, None) => return "dependencies",
        };
        "build"
    }

    fn write_server(&self, dockerfile: &mut Dockerfile, start: Option<&Start>) {
        let entry = start.and_then(|start| start.entry.as_deref());
        let stage = self.write_build(dockerfile, entry.filter(|entry| node::is_plain_path(entry)));
        dockerfile.from(&self.image(), None);
        dockerfile.line("WORKDIR /app");
        dockerfile.comment("What the app imports, and room for what Deno makes of it");
        dockerfile.line(&format!("COPY --from={stage} --chown=deno:deno /deno-dir /deno-dir"));
        dockerfile.line(&format!("COPY --from={stage} /app ./"));
        dockerfile.comment(draft::OWN_DIRECTORY);
        dockerfile.run("chown deno:deno .", &[]);
        dockerfile.line("USER deno");
        if let Some(start) = start {
            start.command.write(dockerfile, "deno");
        }
    }
}

fn borrowed(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

fn detected(
    summary: &[String],
    reasons: Vec<Reason>,
    dockerfile: Dockerfile,
    files: Vec<super::GeneratedFile>,
) -> Detected {
    Detected {
        summary: summary.join(", "),
        reasons,
        dockerfile: dockerfile.finish(),
        files,
    }
}
