//! Frameworks: what their build leaves behind and how that is served. Facts are from each framework's own
//! documentation on deployment.

mod rendered;
mod sites;

use super::super::{Reason, Tree};
use super::package::{FILE, Package};
use super::script::{commands, without_prefix};

/// What comes out of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A directory of files for any web server.
    Site {
        /// The directory, relative to the root.
        directory: String,
        /// Whether the page itself knows all paths.
        is_single_page: bool,
    },
    /// Some directories that run by themselves.
    Bundle {
        /// From → to, relative to the root.
        copies: Vec<(String, String)>,
        /// Whether it loads from `node_modules`, too.
        needs_modules: bool,
        /// What runs it.
        command: Vec<String>,
    },
    /// The app as a whole, run by this command.
    App {
        /// What runs it.
        command: Vec<String>,
    },
    /// The app as a whole; nothing tells how it is run.
    Unknown,
    /// Nothing that could be served; the sentence says what to change.
    Nothing(String),
}

/// A recognised framework.
#[derive(Debug, Clone)]
pub struct Framework {
    /// Its name.
    pub name: &'static str,
    /// Its own program: a start script that only calls it is no start command of the app's own.
    pub program: &'static str,
    /// What its build makes.
    pub output: Output,
    /// Variables of the container, beside `NODE_ENV`.
    pub variables: &'static [(&'static str, &'static str)],
    /// Why they are set, where their names do not tell.
    pub variables_are: Option<&'static str>,
    /// A package beside its own that it loads to start.
    pub loads: Option<&'static str>,
    /// Whether it writes to what its build made while it runs.
    pub writes: bool,
    /// A directory that its build fills for later builds only.
    pub build_cache: Option<&'static str>,
    /// What led to it.
    pub reasons: Vec<Reason>,
}

impl Framework {
    fn new(name: &'static str, program: &'static str, dependency: &str, output: Output) -> Self {
        Self {
            name,
            program,
            output,
            variables: &[],
            variables_are: None,
            loads: None,
            writes: false,
            build_cache: None,
            reasons: vec![Reason::new(FILE, format!("depends on {dependency}: {name}"))],
        }
    }

    fn because(mut self, file: &str, means: impl Into<String>) -> Self {
        self.reasons.push(Reason::new(file, means));
        self
    }

    /// Whether a script does nothing but call the framework's program, or a server for development.
    pub fn is_own_start(&self, script: &str) -> bool {
        let mut commands = commands(script);
        let first = commands.next().unwrap_or_default();
        let is_only = commands.next().is_none();
        let program = without_prefix(&first).first().copied().unwrap_or("");
        is_only && (program == self.program || matches!(program, "vite" | "http-server" | "live-server" | "serve"))
            || self.is_own_bundle(without_prefix(&first), is_only)
    }

    /// `node build` for SvelteKit, `node .output/server/index.mjs` for Nuxt: what is known anyhow.
    fn is_own_bundle(&self, words: &[&str], is_only: bool) -> bool {
        let Output::Bundle { command, .. } = &self.output else {
            return false;
        };
        let path = |word: &str| {
            let word = word.trim_start_matches("./").trim_end_matches('/');
            word.trim_end_matches("/index.js").to_owned()
        };
        match (words, command.as_slice()) {
            (["node", started], [_, own]) => is_only && path(started) == path(own),
            _ => false,
        }
    }
}

/// Recognises the framework, those that build on others first.
pub fn recognise(tree: &Tree, package: &Package) -> Option<Framework> {
    let known: [fn(&Tree, &Package) -> Option<Framework>; 13] = [
        rendered::next,
        rendered::nuxt,
        rendered::react_router,
        rendered::sveltekit,
        rendered::astro,
        sites::gatsby,
        sites::docusaurus,
        sites::eleventy,
        sites::vitepress,
        sites::angular,
        sites::packed,
        rendered::nest,
        sites::vite,
    ];
    known.iter().find_map(|recognise| recognise(tree, package))
}

/// The name of a plain server's library, for the summary.
pub fn server_library(package: &Package) -> Option<&'static str> {
    let known = [
        ("fastify", "Fastify"),
        ("hono", "Hono"),
        ("express", "Express"),
        ("koa", "Koa"),
        ("elysia", "Elysia"),
        ("@hapi/hapi", "hapi"),
    ];
    known
        .iter()
        .find(|(dependency, _)| package.uses(dependency))
        .map(|(_, name)| *name)
}

fn words(command: &[&str]) -> Vec<String> {
    command.iter().map(|word| (*word).to_owned()).collect()
}

/// Whether the build script calls this, as `nuxt generate`.
fn builds_by(package: &Package, program: &str, verb: &str) -> bool {
    let text = package.script("build").unwrap_or("");
    commands(text).any(|words| without_prefix(&words).starts_with(&[program, verb]))
}
