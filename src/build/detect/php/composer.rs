//! What `composer.json` and `composer.lock` say of the app and of every package that it installs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::{Tree, Undetected};

/// The app's packages as far as building it depends on them.
#[derive(Debug, Default)]
pub struct Composer {
    /// Requirements of PHP, with the file and the package that they come from.
    pub php: Vec<Requirement>,
    /// The version in `config.platform.php`, which packages were chosen for.
    pub platform: Option<String>,
    /// Extensions by name, without `ext-`, and where they were first asked for.
    pub extensions: BTreeMap<String, &'static str>,
    /// Names of the packages that are installed, direct ones and others.
    pub packages: BTreeSet<String>,
    /// Whether `composer.lock` is there.
    pub has_lock: bool,
    /// Whether packages come from directories of the source, so that it has to be there first.
    pub has_local_packages: bool,
    /// Whether something is to be run once all is in place.
    pub has_post_install: bool,
}

/// What a package asks of PHP.
#[derive(Debug)]
pub struct Requirement {
    /// The file that holds it.
    pub file: &'static str,
    /// The package; none is the app itself.
    pub package: Option<String>,
    /// The constraint as written.
    pub constraint: String,
}

impl Composer {
    /// Reads both files; none when the source has no `composer.json`.
    pub fn read(tree: &Tree) -> Result<Option<Self>, Undetected> {
        let Some(manifest) = json(tree, "composer.json")? else {
            return Ok(None);
        };
        let mut composer = Self {
            platform: text(&manifest["config"]["platform"]["php"]),
            has_lock: tree.has("composer.lock"),
            has_local_packages: has_path_repository(&manifest["repositories"]),
            has_post_install: !manifest["scripts"]["post-install-cmd"].is_null(),
            ..Self::default()
        };
        composer.take(&manifest, "composer.json", None);
        if let Some(names) = manifest["require"].as_object() {
            composer
                .packages
                .extend(names.keys().filter(|name| name.contains('/')).cloned());
        }
        let lock = json(tree, "composer.lock")?.unwrap_or_default();
        let locked = lock["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
        for package in locked {
            let name = text(&package["name"]).unwrap_or_default();
            composer.take(package, "composer.lock", Some(&name));
            composer.packages.insert(name);
        }
        // A package may stand in for an extension.
        for provided in locked.iter().flat_map(|package| keys(&package["provide"])) {
            composer.extensions.remove(provided.trim_start_matches("ext-"));
        }
        Ok(Some(composer))
    }

    /// Whether a package is installed.
    pub fn has(&self, package: &str) -> bool {
        self.packages.contains(package)
    }

    fn take(&mut self, package: &Value, file: &'static str, name: Option<&str>) {
        let Some(require) = package["require"].as_object() else {
            return;
        };
        for (required, constraint) in require {
            if let Some(extension) = required.strip_prefix("ext-") {
                self.extensions.entry(extension.to_lowercase()).or_insert(file);
            }
            if matches!(required.as_str(), "php" | "php-64bit")
                && let Some(constraint) = text(constraint)
            {
                self.php.push(Requirement {
                    file,
                    package: name.map(str::to_owned),
                    constraint,
                });
            }
        }
    }
}

fn json(tree: &Tree, file: &str) -> Result<Option<Value>, Undetected> {
    // Too large a file is read as an empty one.
    let Some(text) = tree.text(file).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| Undetected::Incomplete(format!("{file} is no valid JSON: {error}")))
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn keys(value: &Value) -> impl Iterator<Item = &String> {
    value.as_object().into_iter().flat_map(|object| object.keys())
}

fn has_path_repository(repositories: &Value) -> bool {
    let is_path = |repository: &Value| repository["type"] == "path";
    match repositories {
        Value::Array(list) => list.iter().any(is_path),
        Value::Object(named) => named.values().any(is_path),
        _ => false,
    }
}
