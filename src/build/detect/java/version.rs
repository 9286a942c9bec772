//! Which Java an app asks for.

use super::super::manifest::tool_version;
use super::super::plain::number;
use super::super::versions::{JAVA, JAVA_KNOWN};
use super::super::{Reason, Tree};

/// From this version on, there are images of every version; before it, of those with long support.
const OLDEST_EVERY: u32 = 17;

/// A version, and what asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The version of the images.
    pub version: u32,
    /// What asks for it.
    pub reason: Reason,
}

impl Asked {
    /// Bytecode for a version (`17`, `1.8`): the next version with long support makes and runs it.
    pub fn target(text: &str, file: &str, what: &str) -> Option<Self> {
        let asked = feature(text)?;
        Self::new(supported(asked), file, format!("{what} {asked}"))
    }

    /// A toolchain, which takes no other version.
    pub fn toolchain(version: u32, file: &str) -> Option<Self> {
        Self::new(version, file, format!("its toolchain {version}"))
    }

    fn new(version: u32, file: &str, what: String) -> Option<Self> {
        let is_known = (8..1000).contains(&version);
        is_known.then(|| Self {
            version,
            reason: Reason::new(file, format!("{what} asks for Java {version}")),
        })
    }
}

/// The Java to build and run with. Files for version managers name what developers use, so they come first; Gradle's
/// wrapper limits the default.
pub fn version(tree: &Tree, of_build: Option<Asked>, newest: Option<u32>) -> (u32, Option<Reason>) {
    if let Some(asked) = hint(tree).or(of_build) {
        return (asked.version, Some(asked.reason));
    }
    match newest.filter(|newest| *newest < JAVA) {
        Some(newest) => {
            let file = "gradle/wrapper/gradle-wrapper.properties";
            let means = format!("its Gradle runs on Java {newest} at most");
            (newest, Some(Reason::new(file, means)))
        }
        None => (JAVA, None),
    }
}

fn hint(tree: &Tree) -> Option<Asked> {
    let property = |file: &str, key: &str| {
        let text = tree.text(file)?;
        let line = text.lines().find_map(|line| line.trim().strip_prefix(key))?;
        Some(line.trim_start_matches([' ', '=', ':']).to_owned())
    };
    let found = [
        (".java-version", tree.text(".java-version")),
        (".sdkmanrc", property(".sdkmanrc", "java=")),
        (".tool-versions", tool_version(tree, &["java"])),
        (
            "system.properties",
            property("system.properties", "java.runtime.version"),
        ),
    ];
    found.into_iter().find_map(|(file, text)| {
        let asked = feature(&text?)?;
        let version = if asked < OLDEST_EVERY { supported(asked) } else { asked };
        Asked::new(version, file, format!("its version {asked}"))
    })
}

/// The next version with long support.
fn supported(asked: u32) -> u32 {
    JAVA_KNOWN
        .iter()
        .copied()
        .find(|known| *known >= asked)
        .unwrap_or(asked)
}

/// The number that counts: `1.8.0_292` is 8, `temurin-21.0.2+13` and `21.0.2-tem` are 21.
fn feature(text: &str) -> Option<u32> {
    let (first, rest) = text.trim().split('-').find_map(number)?;
    if first == 1 {
        return number(rest.strip_prefix('.')?).map(|(second, _)| second);
    }
    Some(first)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::super::Tree;
    use super::{Asked, feature, version};

    #[test]
    fn versions_are_read_as_they_are_written() {
        for (text, expected) in [
            ("17", Some(17)),
            ("1.8", Some(8)),
            ("1.8.0_292", Some(8)),
            ("temurin-21.0.2+13", Some(21)),
            ("21.0.2-tem\n", Some(21)),
            ("openjdk64-11.0.1", Some(11)),
            ("$(id)", None),
            ("", None),
        ] {
            assert_eq!(feature(text), expected, "{text}");
        }
    }

    #[test]
    fn each_file_may_name_the_version() {
        for (file, text, expected) in [
            (".java-version", "17\n", 17),
            (".java-version", "9\n", 11),
            (".java-version", "7\n", 8),
            (".java-version", "system\n", 21),
            (".sdkmanrc", "# env\njava=25-tem\n", 25),
            (".tool-versions", "java temurin-11.0.22+7\n", 11),
            ("system.properties", "java.runtime.version = 17\n", 17),
            ("other", "8", 21),
        ] {
            let root = tempfile::tempdir().unwrap();
            fs::write(root.path().join(file), text).unwrap();
            let tree = Tree::open(root.path()).unwrap();
            assert_eq!(version(&tree, None, None).0, expected, "{file} {text}");
        }
        let root = tempfile::tempdir().unwrap();
        let tree = Tree::open(root.path()).unwrap();
        assert_eq!(version(&tree, None, Some(17)).0, 17);
        assert_eq!(version(&tree, Asked::target("22", "pom.xml", "x"), Some(17)).0, 25);
    }
}
