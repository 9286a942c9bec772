//! A Gradle build: which of its projects is started, and how.

use super::super::plain::{chosen, number, plain_word};
use super::super::{Reason, Tree, Undetected, Wishes};
use super::Build;
use super::script::{self, Script};
use super::start::Start;

/// How many subprojects are read.
const MAX_PROJECTS: usize = 200;

/// Reads a Gradle build, which must be there.
pub fn read(tree: &Tree, wishes: &Wishes) -> Result<Build, Undetected> {
    let catalog = script::catalog(tree)?;
    let root = Script::read(tree, "", &catalog);
    let mut found: Vec<(Option<String>, Start, Script)> = Vec::new();
    for directory in script::projects(tree).into_iter().take(MAX_PROJECTS) {
        let directory = plain_word(&directory, "subproject")?.to_owned();
        let script = Script::read(tree, &format!("{directory}/"), &catalog);
        if let Some((script, start)) = script.and_then(|script| script.start().map(|start| (script, start))) {
            found.push((Some(directory), start, script));
        }
    }
    let of_root = root.as_ref().and_then(Script::start);
    let names: Vec<&str> = found.iter().filter_map(|(name, ..)| name.as_deref()).collect();
    let only = if of_root.is_some() {
        None
    } else {
        chosen(&names, wishes.build_command.as_deref())
    };
    if only.is_none() && of_root.is_none() && !names.is_empty() && !wishes.has_start_command {
        return Err(several(&names, found[0].1.task()));
    }
    let place = only.and_then(|name| names.iter().position(|other| *other == name));
    let root_java = root.as_ref().and_then(|script| script.java.clone());
    let root_is_kotlin = root.as_ref().is_some_and(Script::is_kotlin);
    let (project, start, script) = match place {
        Some(place) => {
            let (project, start, script) = found.swap_remove(place);
            (project, Some(start), Some(script))
        }
        None => (None, of_root, root),
    };
    let reasons = script
        .iter()
        .zip(start)
        .map(|(script, start)| Reason::new(&script.file, start.why()));
    Ok(Build {
        directory: project,
        start,
        reasons: reasons.collect(),
        is_kotlin: root_is_kotlin || script.as_ref().is_some_and(Script::is_kotlin),
        java: script.and_then(|script| script.java).or(root_java),
    })
}

/// The newest Java that the wrapper's Gradle runs on; from Gradle's compatibility matrix.
pub fn newest_java(tree: &Tree) -> Option<u32> {
    let text = tree.text("gradle/wrapper/gradle-wrapper.properties")?;
    let (major, rest) = number(text.split("/gradle-").nth(1)?)?;
    let minor = rest.strip_prefix('.').and_then(number).map_or(0, |(minor, _)| minor);
    Some(match (major, minor) {
        (..5, _) => 8,
        (5..7, _) | (7, ..3) => 11,
        (7, _) | (8, ..5) => 17,
        (8, _) | (9, 0) => 21,
        _ => 25,
    })
}

fn several(names: &[&str], task: &str) -> Undetected {
    Undetected::Incomplete(format!(
        "the Gradle build has several projects that can be started: {}. Name one in the build command, as in `gradle --no-daemon \
         :{}:{task}`",
        names.join(", "),
        names[0].replace('/', ":")
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::super::Tree;
    use super::newest_java;

    #[test]
    fn an_old_wrapper_limits_the_java() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("gradle/wrapper")).unwrap();
        let tree = Tree::open(root.path()).unwrap();
        assert_eq!(newest_java(&tree), None);
        for (version, expected) in [
            ("4.10", 8),
            ("7.2", 11),
            ("7.6.1", 17),
            ("8.4", 17),
            ("8.14", 21),
            ("9.2.0", 25),
        ] {
            let text = format!("distributionUrl=https\\://host/gradle-{version}-bin.zip\n");
            fs::write(root.path().join("gradle/wrapper/gradle-wrapper.properties"), text).unwrap();
            assert_eq!(newest_java(&tree), Some(expected), "{version}");
        }
    }
}
