//! `package.json` as far as a build needs it. Values of an odd type count as missing, as npm takes most of them.

use serde_json::{Map, Value};

use super::super::{Tree, Undetected};

/// The file's name.
pub const FILE: &str = "package.json";
/// Scripts that an install runs by itself.
const LIFECYCLE: [&str; 4] = ["preinstall", "install", "postinstall", "prepare"];

/// A parsed `package.json`.
#[derive(Debug)]
pub struct Package {
    root: Map<String, Value>,
}

impl Package {
    /// Reads the one in the root; `None` when there is none.
    pub fn read(tree: &Tree) -> Result<Option<Self>, Undetected> {
        Self::read_at(tree, FILE)
    }

    /// Reads one by its path; `None` when there is none.
    pub fn read_at(tree: &Tree, path: &str) -> Result<Option<Self>, Undetected> {
        let Some(text) = tree.text(path) else {
            return Ok(None);
        };
        match serde_json::from_str(&text) {
            Ok(Value::Object(root)) => Ok(Some(Self { root })),
            Ok(_) => Err(Undetected::Incomplete(format!(
                "{path} holds no object. Write it as npm init does"
            ))),
            Err(error) => Err(Undetected::Incomplete(format!(
                "{path} is no valid JSON: {error}. Correct it and deploy again"
            ))),
        }
    }

    /// A string by its keys from the outside in.
    pub fn string(&self, keys: &[&str]) -> Option<&str> {
        self.value(keys)?.as_str()
    }

    /// Any value by its keys from the outside in.
    pub fn value(&self, keys: &[&str]) -> Option<&Value> {
        let (last, outer) = keys.split_last()?;
        let mut object = &self.root;
        for key in outer {
            object = object.get(*key)?.as_object()?;
        }
        object.get(*last)
    }

    /// A script's text; an empty one is none.
    pub fn script(&self, name: &str) -> Option<&str> {
        self.string(&["scripts", name]).filter(|text| !text.trim().is_empty())
    }

    /// The scripts that an install of this very package runs, with their names.
    pub fn lifecycle_scripts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        LIFECYCLE
            .into_iter()
            .filter_map(|name| Some((name, self.script(name)?)))
    }

    /// Whether it depends on a package, for development or not.
    pub fn uses(&self, name: &str) -> bool {
        self.version_of(name).is_some()
    }

    /// What it asks of a package that it depends on: a range, a tag, an address.
    pub fn version_of(&self, name: &str) -> Option<&str> {
        ["dependencies", "devDependencies", "optionalDependencies"]
            .iter()
            .find_map(|kind| self.string(&[kind, name]))
    }

    /// The dependencies of one kind: `dependencies`, `devDependencies`, `optionalDependencies`.
    pub fn dependencies(&self, kind: &str) -> impl Iterator<Item = (&str, &str)> {
        let object = self.root.get(kind).and_then(Value::as_object);
        object
            .into_iter()
            .flatten()
            .filter_map(|(name, version)| Some((name.as_str(), version.as_str()?)))
    }

    /// All dependencies, whatever they are for.
    pub fn all_dependencies(&self) -> impl Iterator<Item = (&str, &str)> {
        ["dependencies", "devDependencies", "optionalDependencies"]
            .into_iter()
            .flat_map(|kind| self.dependencies(kind))
    }

    /// The patterns of `workspaces`, in either of its two forms.
    pub fn workspaces(&self) -> Vec<&str> {
        let list = self
            .value(&["workspaces", "packages"])
            .or_else(|| self.value(&["workspaces"]));
        let entries = list.and_then(Value::as_array).into_iter().flatten();
        entries.filter_map(Value::as_str).collect()
    }
}

/// A text from a file as a sentence may show it: short, on one line.
pub fn shown(text: &str) -> String {
    const MAX_LETTERS: usize = 60;
    let mut shown: String = text
        .chars()
        .take(MAX_LETTERS)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    if text.chars().nth(MAX_LETTERS).is_some() {
        shown.push('…');
    }
    shown
}

/// Whether a path from a file may stand in a Dockerfile: below the root, and made of letters that mean nothing there.
pub fn is_plain_path(path: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-/@+".contains(letter);
    !path.is_empty()
        && !path.starts_with(['/', '-'])
        && path.chars().all(is_plain)
        && path.split('/').all(|part| part != "..")
}
