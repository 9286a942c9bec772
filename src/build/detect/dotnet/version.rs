//! Which .NET a project is built with, and which it runs on.

use serde_json::Value;

use super::super::plain::number;
use super::super::versions::{DOTNET, DOTNET_OLDEST};
use super::super::{Reason, Tree, Undetected};
use super::project::Project;

/// Versions as the images' tags have them.
#[derive(Debug)]
pub struct Versions {
    /// What builds.
    pub sdk: String,
    /// What runs.
    pub runtime: String,
    /// What asks for them.
    pub reasons: Vec<Reason>,
}

impl Versions {
    /// Reads them from the project and from `global.json`.
    pub fn find(tree: &Tree, project: &Project) -> Result<Self, Undetected> {
        let mut reasons = Vec::new();
        let target = target(project)?;
        let runtime = target.unwrap_or(DOTNET);
        let runtime = format!("{}.{}", runtime.0, runtime.1);
        if target.is_some() {
            let name = project.frameworks.join(";");
            reasons.push(Reason::new(
                &project.frameworks_file,
                format!("{name:?} asks for .NET {runtime}"),
            ));
        }
        let sdk = match pinned(tree)? {
            Some(exact) => {
                let means = format!("it takes the SDK {exact} and no newer feature band");
                reasons.push(Reason::new("global.json", means));
                exact
            }
            None => runtime.clone(),
        };
        Ok(Self { sdk, runtime, reasons })
    }
}

/// The newest of the project's target frameworks that an image is for.
fn target(project: &Project) -> Result<Option<(u32, u32)>, Undetected> {
    let newest = project.frameworks.iter().filter_map(|name| moniker(name)).max();
    if newest.is_none_or(|newest| newest < DOTNET_OLDEST) && !project.frameworks.is_empty() {
        return Err(Undetected::Incomplete(format!(
            "{} is for {:?}, and images with a user of their own begin at net{}.{}. Raise TargetFramework, or write a \
             Dockerfile",
            project.frameworks_file,
            project.frameworks.join(";"),
            DOTNET_OLDEST.0,
            DOTNET_OLDEST.1
        )));
    }
    Ok(newest)
}

/// `net8.0` → 8 and 0. Those of a system (`net8.0-windows`), of .NET Framework (`net48`) and older ones are none.
fn moniker(name: &str) -> Option<(u32, u32)> {
    let (major, rest) = number(name.strip_prefix("net")?)?;
    let (minor, rest) = number(rest.strip_prefix('.')?)?;
    rest.is_empty().then_some((major, minor))
}

/// The SDK that `global.json` insists on; none when a newer one does as well.
fn pinned(tree: &Tree) -> Result<Option<String>, Undetected> {
    let Some(text) = tree.text("global.json") else {
        return Ok(None);
    };
    let without_comments: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let file: Value = serde_json::from_str(&without_comments.join("\n"))
        .map_err(|error| Undetected::Incomplete(format!("global.json is no valid JSON: {error}")))?;
    let Some(version) = file["sdk"]["version"].as_str() else {
        return Ok(None);
    };
    let rolls_on = [
        "minor",
        "major",
        "feature",
        "latestfeature",
        "latestminor",
        "latestmajor",
    ];
    let roll_forward = file["sdk"]["rollForward"].as_str().unwrap_or_default().to_lowercase();
    if rolls_on.contains(&roll_forward.as_str()) {
        return Ok(None);
    }
    let numbers: Vec<&str> = version.split('.').collect();
    let is_exact = numbers.len() == 3
        && numbers
            .iter()
            .all(|part| part.len() < 6 && part.chars().all(|digit| digit.is_ascii_digit()) && !part.is_empty());
    if !is_exact {
        return Err(Undetected::Incomplete(format!(
            "global.json asks for the SDK {version:?}, which is no version like 8.0.404. Correct it, or remove it"
        )));
    }
    Ok(Some(version.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::super::Tree;
    use super::{moniker, pinned};

    #[test]
    fn target_frameworks_are_read() {
        for (name, expected) in [
            ("net8.0", Some((8, 0))),
            ("net10.0", Some((10, 0))),
            ("net48", None),
            ("net8.0-windows", None),
            ("netcoreapp3.1", None),
            ("netstandard2.0", None),
            ("net8.0\nRUN id", None),
        ] {
            assert_eq!(moniker(name), expected, "{name}");
        }
    }

    #[test]
    fn an_sdk_counts_only_when_no_newer_one_does() {
        for (text, expected) in [
            (r#"{"sdk": {"version": "8.0.404"}}"#, Some("8.0.404")),
            (
                r#"{"sdk": {"version": "8.0.404", "rollForward": "latestPatch"}}"#,
                Some("8.0.404"),
            ),
            (
                r#"{"sdk": {"version": "8.0.100", "rollForward": "latestFeature"}}"#,
                None,
            ),
            (r#"{"sdk": {"version": "8.0.100\nRUN id"}}"#, Some("refused")),
            ("// only a comment\n{}", None),
            ("{", Some("refused")),
        ] {
            let root = tempfile::tempdir().unwrap();
            fs::write(root.path().join("global.json"), text).unwrap();
            let found = pinned(&Tree::open(root.path()).unwrap()).unwrap_or(Some("refused".to_owned()));
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
