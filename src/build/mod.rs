//! What will be built and how, decided from a checkout before any engine is asked. Never runs anything itself.

mod context;

pub use context::Context;

use std::path::{Path, PathBuf};

/// A decided build: which directory is sent to the builder and which Dockerfile it follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildPlan {
    /// Absolute path of the context directory.
    pub context_dir: PathBuf,
    /// Absolute path of the Dockerfile, which may lie outside of the context.
    pub dockerfile_path: PathBuf,
    /// Stage to stop at; `None` builds the last one.
    pub target: Option<String>,
}

/// Why a checkout cannot be built as its app says. Every path is relative to the repository.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// There is no such file.
    #[error("no Dockerfile at `{path}` in the repository")]
    DockerfileMissing {
        /// Where it was looked for.
        path: String,
    },
    /// There is no such directory.
    #[error("no directory `{path}` in the repository")]
    DirectoryMissing {
        /// Where it was looked for.
        path: String,
    },
    /// The path or a link on it leads out of the repository.
    #[error("`{path}` leads out of the repository")]
    Outside {
        /// The path as it was set.
        path: String,
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
    todo!("{checkout:?} {root_dir} {context} {dockerfile} {target:?}")
}
