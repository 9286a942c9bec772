//! What will be built and how, decided from a checkout before any engine is asked. Never runs anything itself.
//!
//! Every path that a user or a repository gives is followed to its end, links included, and refused if that end lies
//! outside of the checkout.

mod context;
pub mod detect;
mod ignore;

pub use context::Context;
pub use detect::GeneratedFile;

use std::io;
use std::path::{Component, Path, PathBuf};

use detect::{Detected, Tree, Undetected, Wishes};

use crate::model::app::{BuildSettings, BuildTarget, Builder};
use crate::model::dockerfile::{self, Declared, FrontendNeeds};
use crate::model::text::shown_path;

/// A decided build: which directory is sent to the builder and which Dockerfile it follows. Paths are absolute and
/// free of links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildPlan {
    /// The context directory.
    pub context_dir: PathBuf,
    /// The Dockerfile.
    pub dockerfile: DockerfileSource,
    /// Files that the context gets besides its own, and in place of those of the same name.
    pub files: Vec<GeneratedFile>,
    /// The ignore file that holds: `<Dockerfile>.dockerignore`, else the context's `.dockerignore`, if either is there.
    pub ignore_path: Option<PathBuf>,
    /// Stage to stop at; `None` builds the last one.
    pub target: Option<String>,
    /// What the Dockerfile asks of BuildKit.
    pub needs: FrontendNeeds,
    /// The names that the Dockerfile declares.
    pub declared: Vec<Declared>,
    /// The images that it begins with or copies from, by name, as far as they are known.
    pub bases: Vec<String>,
}

/// A plan, and how it came about.
#[derive(Debug, Clone)]
pub struct Decided {
    /// What is built.
    pub plan: BuildPlan,
    /// What the source was recognised as, where Dhow wrote the Dockerfile.
    pub detected: Option<Detected>,
}

/// Where a Dockerfile comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DockerfileSource {
    /// A file of the checkout, which may lie outside of the context.
    Checkout(PathBuf),
    /// A text that Dhow wrote.
    Generated(String),
}

/// Why a checkout cannot be built as its app says. Every path is relative to the repository.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// There is no such file.
    #[error("There is no Dockerfile at `{path}` in the repository")]
    DockerfileMissing {
        /// Where it was looked for.
        path: String,
    },
    /// There is no such directory.
    #[error("There is no directory `{path}` in the repository")]
    DirectoryMissing {
        /// Where it was looked for.
        path: String,
    },
    /// The path, or a link on it, leads out of the repository.
    #[error("The path `{path}` leads out of the repository")]
    Outside {
        /// The path as it was set.
        path: String,
    },
    /// What the source is could not be told.
    #[error(transparent)]
    Undetected(#[from] Undetected),
    /// The checkout cannot be read.
    #[error("The path `{path}` cannot be read: {source}")]
    Unreadable {
        /// The path that was tried.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Plans a build with the user's own Dockerfile. `context` and `dockerfile` are relative to `root_dir`, which is
/// relative to the checkout.
pub fn plan(
    checkout: &Path,
    root_dir: &str,
    context: &str,
    dockerfile: &str,
    target: Option<&str>,
) -> Result<BuildPlan, PlanError> {
    let checkout = Checkout::open(checkout)?;
    let context_path = relative(root_dir, context)?;
    let dockerfile_path = relative(root_dir, dockerfile)?;
    let context_dir = checkout.directory(&context_path)?;
    let missing = || PlanError::DockerfileMissing {
        path: shown(&dockerfile_path),
    };
    let found = checkout
        .find(&dockerfile_path)?
        .filter(|path| path.is_file())
        .ok_or_else(missing)?;
    let text = std::fs::read(&found).map_err(|source| PlanError::Unreadable {
        path: shown(&dockerfile_path),
        source,
    })?;
    let text = String::from_utf8_lossy(&text);
    Ok(BuildPlan {
        ignore_path: checkout.ignore_file(&dockerfile_path, &context_path)?,
        context_dir,
        dockerfile: DockerfileSource::Checkout(found),
        files: Vec::new(),
        target: target.map(str::to_owned),
        needs: FrontendNeeds::of(&text),
        declared: Declared::all_of(&text),
        bases: dockerfile::bases(&text),
    })
}

/// Plans a build as an app's settings say: with the repository's Dockerfile, or with one that is written now.
pub fn decide(
    checkout: &Path,
    root_dir: &str,
    settings: &BuildSettings,
    wishes: &Wishes,
) -> Result<Decided, PlanError> {
    let by_dockerfile = || {
        let (context, dockerfile) = (settings.context.as_str(), settings.dockerfile.as_str());
        let target = settings.target.as_ref().map(BuildTarget::as_str);
        plan(checkout, root_dir, context, dockerfile, target)
    };
    let own = match settings.builder {
        Builder::Dockerfile => Some(by_dockerfile()?),
        Builder::Static => None,
        Builder::Auto => match by_dockerfile() {
            Ok(plan) => Some(plan),
            // One that somebody named is meant, and not looked for in vain.
            Err(PlanError::DockerfileMissing { .. }) if settings.dockerfile.as_str() == "Dockerfile" => None,
            Err(error) => return Err(error),
        },
    };
    if let Some(plan) = own {
        return Ok(Decided { plan, detected: None });
    }
    let tree = Tree::open(&source_dir(checkout, root_dir)?).map_err(|source| PlanError::Unreadable {
        path: root_dir.to_owned(),
        source,
    })?;
    let detected = match settings.builder {
        Builder::Static => detect::detect_static(&tree, wishes)?,
        Builder::Auto | Builder::Dockerfile => detect::detect(&tree, wishes)?,
    };
    Ok(Decided {
        plan: plan_generated(checkout, root_dir, &detected)?,
        detected: Some(detected),
    })
}

/// Plans a build of what was recognised in [`source_dir`]: its context is that directory, and the repository's own
/// `.dockerignore` holds there.
pub fn plan_generated(checkout: &Path, root_dir: &str, detected: &Detected) -> Result<BuildPlan, PlanError> {
    let checkout = Checkout::open(checkout)?;
    let context_path = relative(root_dir, "")?;
    let text = &detected.dockerfile;
    Ok(BuildPlan {
        context_dir: checkout.directory(&context_path)?,
        ignore_path: checkout.first_file(&[context_path.join(".dockerignore")])?,
        dockerfile: DockerfileSource::Generated(text.clone()),
        files: detected.files.clone(),
        target: None,
        needs: FrontendNeeds::of(text),
        declared: Declared::all_of(text),
        bases: dockerfile::bases(text),
    })
}

/// The directory that a source without a Dockerfile is recognised in.
pub fn source_dir(checkout: &Path, root_dir: &str) -> Result<PathBuf, PlanError> {
    Checkout::open(checkout)?.directory(&relative(root_dir, "")?)
}

/// A checkout by its real path.
struct Checkout(PathBuf);

impl Checkout {
    fn open(path: &Path) -> Result<Checkout, PlanError> {
        let real = path.canonicalize();
        real.map(Checkout).map_err(|source| PlanError::Unreadable {
            path: path.display().to_string(),
            source,
        })
    }

    /// The real path of something in the checkout; `None` when it is not there.
    fn find(&self, path: &Path) -> Result<Option<PathBuf>, PlanError> {
        match self.0.join(path).canonicalize() {
            Ok(real) if real.starts_with(&self.0) => Ok(Some(real)),
            Ok(_) => Err(PlanError::Outside { path: shown(path) }),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(source) => Err(PlanError::Unreadable {
                path: shown(path),
                source,
            }),
        }
    }

    /// The real path of a directory that must be there.
    fn directory(&self, path: &Path) -> Result<PathBuf, PlanError> {
        self.find(path)?
            .filter(|found| found.is_dir())
            .ok_or_else(|| PlanError::DirectoryMissing { path: shown(path) })
    }

    fn ignore_file(&self, dockerfile: &Path, context: &Path) -> Result<Option<PathBuf>, PlanError> {
        let mut beside = dockerfile.as_os_str().to_owned();
        beside.push(".dockerignore");
        self.first_file(&[PathBuf::from(beside), context.join(".dockerignore")])
    }

    /// The real path of the first of these files that is there.
    fn first_file(&self, candidates: &[PathBuf]) -> Result<Option<PathBuf>, PlanError> {
        for candidate in candidates {
            if let Some(found) = self.find(candidate)?.filter(|path| path.is_file()) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// Joins two paths of the settings and resolves `.` and `..` in them, without looking at any file. A leading slash means
/// the same as none.
fn relative(root_dir: &str, path: &str) -> Result<PathBuf, PlanError> {
    let outside = || PlanError::Outside { path: path.to_owned() };
    let mut joined = PathBuf::new();
    for component in Path::new(root_dir).components().chain(Path::new(path).components()) {
        match component {
            Component::Normal(name) => joined.push(name),
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir if joined.pop() => {}
            Component::ParentDir | Component::Prefix(_) => return Err(outside()),
        }
    }
    Ok(joined)
}

fn shown(path: &Path) -> String {
    let text = shown_path(path);
    if text.is_empty() { ".".to_owned() } else { text }
}

#[cfg(test)]
mod tests;
