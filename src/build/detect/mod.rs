//! What a source is and how it is built when it brings no Dockerfile: told from its files, written as an ordinary
//! Dockerfile on official images, as a good engineer would by hand. Pure: reads small files, runs nothing.
//!
//! Whatever decides leaves a [`Reason`] that names its file, so that nobody has to guess why something was done.

mod apt;
mod assets;
mod deno;
mod dockerfile;
mod dotnet;
mod draft;
mod elixir;
mod go;
mod java;
mod manifest;
mod node;
mod others;
mod php;
mod plain;
mod procfile;
mod python;
mod range;
mod ruby;
mod rust;
mod site;
mod tree;
mod versions;

pub use dockerfile::{CA_SECRET, Cache, Dockerfile, SECRETS_ARGUMENT};
pub use tree::Tree;

/// What an app's settings say besides the files.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Replaces the commands that build the app (after its dependencies were installed); one line for `/bin/sh`.
    pub build_command: Option<String>,
    /// The directory that holds the finished site; makes any source a static one.
    pub publish_dir: Option<String>,
    /// Whether the container's command is set elsewhere, so that none has to be found.
    pub has_start_command: bool,
    /// Names of the variables that builds get as arguments.
    pub arguments: Vec<String>,
    /// Names of the variables that builds get as secrets.
    pub secrets: Vec<String>,
    /// Begins the names of package caches, so that no app fills those of another one.
    pub cache_scope: String,
    /// Whether steps that load something trust the authority in the build secret [`dockerfile::CA_SECRET`].
    pub has_ca: bool,
}

/// The port of an image that nobody tells another one in `PORT`, as Dhow does.
const PORT: u16 = 3000;

/// Most characters of a refusal, of a reason, most reasons, and most bytes of a Dockerfile: an honest source needs a part.
const MAX_WHY_CHARS: usize = 1_000;
const MAX_WORDS_CHARS: usize = 300;
const MAX_REASONS: usize = 40;
const MAX_DOCKERFILE_BYTES: usize = 64 * 1024;

/// A source that was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// What it is, in a few words: `Node.js 22, pnpm, Next.js`.
    pub summary: String,
    /// What led to it, most decisive first.
    pub reasons: Vec<Reason>,
    /// The Dockerfile, with the source's root as its context.
    pub dockerfile: String,
    /// Further files that the Dockerfile copies, which the context does not have; names begin with `.dhow/`.
    pub files: Vec<GeneratedFile>,
}

/// Why something was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The file that says it, relative to the source's root.
    pub file: String,
    /// What follows from it: `engines.node ">=20" asks for Node.js 24`.
    pub means: String,
}

impl Reason {
    /// A reason by file and meaning.
    pub fn new(file: impl Into<String>, means: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            means: means.into(),
        }
    }
}

/// A file that goes into the context beside those of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Its path in the context.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// Why no Dockerfile could be written. Each text is a sentence without its full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undetected {
    /// None of the files that are known is there.
    #[error("Nothing tells how to build this. Looked for {}", .looked_for.join(", "))]
    Nothing {
        /// The files.
        looked_for: Vec<&'static str>,
    },
    /// It is known what it is, but something is missing or contradicts itself; the text names the file and the remedy.
    #[error("{0}")]
    Incomplete(String),
}

/// Recognises one ecosystem: `None` when it is another's.
type Detector = fn(&Tree, &Wishes) -> Result<Option<Detected>, Undetected>;

/// In this order: frameworks that bring `package.json` for their assets stand before Node.js, a bare page is the last.
const DETECTORS: &[(&[&str], Detector)] = &[
    (go::FILES, go::detect),
    (rust::FILES, rust::detect),
    (elixir::FILES, elixir::detect),
    (php::LOOKED_FOR, php::detect),
    (ruby::LOOKED_FOR, ruby::detect),
    (java::LOOKED_FOR, java::detect),
    (dotnet::LOOKED_FOR, dotnet::detect),
    (python::FILES, python::detect),
    (&["deno.json", "deno.jsonc", "deno.lock"], deno::detect),
    (&["package.json"], node::detect),
    (&["index.html"], site::plain),
];

/// Recognises a source and writes its Dockerfile.
pub fn detect(tree: &Tree, wishes: &Wishes) -> Result<Detected, Undetected> {
    bounded(tree, recognise(tree, wishes))
}

/// Recognises a source that is to be a static site: built where something says how, else served as it is.
pub fn detect_static(tree: &Tree, wishes: &Wishes) -> Result<Detected, Undetected> {
    bounded(tree, recognise_static(tree, wishes))
}

fn recognise(tree: &Tree, wishes: &Wishes) -> Result<Detected, Undetected> {
    for (_, detector) in DETECTORS {
        if let Some(detected) = detector(tree, wishes)? {
            return Ok(detected);
        }
    }
    Err(Undetected::Nothing {
        looked_for: DETECTORS.iter().flat_map(|(files, _)| files.iter().copied()).collect(),
    })
}

fn recognise_static(tree: &Tree, wishes: &Wishes) -> Result<Detected, Undetected> {
    let is_package = tree.has("package.json");
    if !is_package && (wishes.build_command.is_none() || wishes.publish_dir.is_none()) {
        return site::publish(tree, wishes);
    }
    let detected = recognise(tree, wishes)?;
    if detected.files.iter().any(|file| file.path == site::CONFIGURATION) {
        return Ok(detected);
    }
    Err(Undetected::Incomplete(format!(
        "this is {}, a server: nothing tells which folder would be the finished site. Set the publish folder, or use the \
         builder auto",
        detected.summary
    )))
}

/// What the files of strangers led to, no longer than anybody reads.
fn bounded(tree: &Tree, outcome: Result<Detected, Undetected>) -> Result<Detected, Undetected> {
    if tree.is_too_much() {
        return Err(Undetected::Incomplete(
            "the source holds more files than can be looked through to tell what it is. Set the app's folder to the part \
             that is the app"
                .to_owned(),
        ));
    }
    match outcome {
        Err(Undetected::Incomplete(why)) => Err(Undetected::Incomplete(shortened(&why, MAX_WHY_CHARS))),
        Err(nothing) => Err(nothing),
        Ok(detected) if detected.dockerfile.len() > MAX_DOCKERFILE_BYTES => Err(Undetected::Incomplete(
            "the Dockerfile for it would be too long to be read by anybody".to_owned(),
        )),
        Ok(detected) => Ok(Detected {
            summary: shortened(&detected.summary, MAX_WORDS_CHARS),
            reasons: (detected.reasons.iter().take(MAX_REASONS))
                .map(|reason| Reason {
                    file: shortened(&reason.file, MAX_WORDS_CHARS),
                    means: shortened(&reason.means, MAX_WORDS_CHARS),
                })
                .collect(),
            ..detected
        }),
    }
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
