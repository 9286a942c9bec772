//! Manifests of other languages. A language whose own manifest often serves tools alone leaves the source to them.

use super::Tree;

const MANIFESTS: &[&str] = &[
    "package.json",
    "deno.json",
    "pyproject.toml",
    "requirements.txt",
    "go.mod",
    "Cargo.toml",
    "mix.exs",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
];

/// Whether one of them is there.
pub fn has_any(tree: &Tree) -> bool {
    tree.first(MANIFESTS).is_some()
}
