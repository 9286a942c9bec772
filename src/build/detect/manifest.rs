//! Reading manifests, and what of their words may stand in a Dockerfile: anything but a plain word or path is refused
//! there, so that no name in a file can become an instruction or a command.

use toml::Table;

use super::{Tree, Undetected};

/// A file in TOML; `None` when it is not there. One that cannot be read is an error that names the line.
pub fn toml(tree: &Tree, path: &str) -> Result<Option<Table>, Undetected> {
    let Some(text) = tree.text(path) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(table) => Ok(Some(table)),
        Err(error) => {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            Err(Undetected::Incomplete(format!(
                "{path} cannot be read as TOML: look at line {line}"
            )))
        }
    }
}

/// Manifests by which a source may be in another language than one of its files suggests.
const ALL: [&str; 10] = [
    "package.json",
    "composer.json",
    "Gemfile",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "deno.json",
    "pyproject.toml",
    "requirements.txt",
    "mix.exs",
];

/// Whether there is one besides a language's own.
pub fn has_other(tree: &Tree, own: &[&str]) -> bool {
    ALL.iter().any(|file| !own.contains(file) && tree.has(file))
}

/// The first version that `.tool-versions` (asdf, mise) names for a tool, by any of its names.
pub fn tool_version(tree: &Tree, names: &[&str]) -> Option<String> {
    let text = tree.text(".tool-versions")?;
    text.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        names
            .contains(&words.next()?)
            .then(|| words.next().map(str::to_owned))?
    })
}

/// The numbers of a version such as `3`, `3.12` or `3.12.4`; nothing else is one.
pub fn numbers(version: &str) -> Option<Vec<u32>> {
    let numbers: Option<Vec<u32>> = version.split('.').map(number).collect();
    numbers.filter(|numbers| numbers.len() <= 3)
}

fn number(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// Whether this is a name that means the same in a shell and in a Dockerfile as it does here.
pub fn is_word(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(['-', '.'])
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+'))
}

/// Whether this is a path of such names, relative and never upwards.
pub fn is_path(text: &str) -> bool {
    text.split('/').all(is_word)
}

/// A file's words as a message may show them: short, on one line.
pub fn shown(text: &str) -> String {
    let line: String = text.chars().filter(|letter| !letter.is_control()).take(60).collect();
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{Tree, Undetected};
    use super::{is_path, is_word, numbers, tool_version};

    #[test]
    fn versions_are_numbers_and_nothing_else() {
        for (text, expected) in [
            ("3", Some(vec![3])),
            ("3.12", Some(vec![3, 12])),
            ("3.12.4", Some(vec![3, 12, 4])),
            ("3.12.4.5", None),
            ("", None),
            ("3.", None),
            ("+3", None),
            ("3.12\nUSER root", None),
            ("99999999999", None),
        ] {
            assert_eq!(numbers(text), expected, "{text:?}");
        }
    }

    #[test]
    fn words_and_paths_are_plain() {
        for word in ["web", "my-app", "my_app", "a.b", "c++"] {
            assert!(is_word(word) && is_path(word), "{word}");
        }
        assert!(is_path("cmd/web"));
        for text in [
            "", "-x", "..", "a b", "$(id)", "; rm", "a\nb", "a/../b", "/etc", "a//b", "`id`", "a\"b", "é",
        ] {
            assert!(!is_path(text), "{text:?}");
        }
    }

    #[test]
    fn the_first_version_of_the_tool_counts() {
        let root = tempfile::tempdir().unwrap();
        let tree = Tree::open(root.path()).unwrap();
        assert_eq!(tool_version(&tree, &["python"]), None);
        fs::write(
            root.path().join(".tool-versions"),
            "# python 2\nnodejs 22.1.0\npython 3.12.4 3.11.1 # both\nelixir\n",
        )
        .unwrap();
        assert_eq!(tool_version(&tree, &["python"]).as_deref(), Some("3.12.4"));
        assert_eq!(tool_version(&tree, &["elixir"]), None);
        assert_eq!(tool_version(&tree, &["go"]), None);
    }

    #[test]
    fn broken_toml_is_told_by_its_line() {
        let root = tempfile::tempdir().unwrap();
        fs::write(
            root.path().join("Cargo.toml"),
            "[package]\nname = \"a\"\nversion = = 1\n",
        )
        .unwrap();
        let told = super::toml(&Tree::open(root.path()).unwrap(), "Cargo.toml").unwrap_err();
        assert_eq!(
            told,
            Undetected::Incomplete("Cargo.toml cannot be read as TOML: look at line 3".to_owned())
        );
    }
}
