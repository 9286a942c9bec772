//! What `mix.exs` says. It is a program; what is read here is what almost all of them write as plain words.

use super::super::manifest;

/// A Mix project, as far as builds depend on it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// The release's name, else the application's: a plain word.
    pub name: Option<String>,
    /// What `elixir:` asks for.
    pub elixir: Option<String>,
    /// Whether Phoenix is among the dependencies.
    pub is_phoenix: bool,
    /// Whether there is a step for assets, `assets.deploy`.
    pub has_assets: bool,
    /// Whether the project is an umbrella over others.
    pub is_umbrella: bool,
    /// Whether it says what its releases are.
    pub has_releases: bool,
}

/// Reads the file.
pub fn read(text: &str) -> Project {
    let text: String = text
        .lines()
        .map(|line| format!("{}\n", without_comment(line)))
        .collect();
    let release = releases(&text).and_then(first_key);
    Project {
        has_releases: release.is_some(),
        name: release.or_else(|| atom(&text, "app:")),
        elixir: value(&text, "elixir:").map(str::to_owned),
        is_phoenix: text.contains("{:phoenix,"),
        has_assets: text.contains("\"assets.deploy\""),
        is_umbrella: text.contains("apps_path:"),
    }
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with('#') { "" } else { line }
}

/// What follows `releases: [`, or `[` in the function that is called there.
fn releases(text: &str) -> Option<&str> {
    let (_, after) = text.split_once(" releases: ")?;
    if let Some(list) = after.trim_start().strip_prefix('[') {
        return Some(list);
    }
    let name = after
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .next()?;
    let (_, body) = text
        .split_once(&format!(" {name} do"))
        .or_else(|| text.split_once(&format!(" {name}() do")))?;
    body.trim_start().strip_prefix('[')
}

/// The word before the first colon, as keys of a list are written.
fn first_key(list: &str) -> Option<String> {
    let (key, _) = list.split_once(':')?;
    let key = key.trim();
    (manifest::is_word(key) && !key.contains('.')).then(|| key.to_owned())
}

/// `app: :shop` → `shop`.
fn atom(text: &str, key: &str) -> Option<String> {
    let (_, after) = text.split_once(key)?;
    let rest = after.trim_start().strip_prefix(':')?;
    let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')?;
    (end > 0).then(|| rest[..end].to_owned())
}

/// `elixir: "~> 1.15"` → `~> 1.15`.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(key)?;
    after.trim_start().strip_prefix('"')?.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::{Project, read};

    #[test]
    fn a_phoenix_project_is_read() {
        let text = "def project do\n  [\n    app: :shop,\n    elixir: \"~> 1.15\",\n    # releases: [x: 1]\n  ]\nend\n\
                    defp deps do\n  [{:phoenix, \"~> 1.8\"}]\nend\n\"assets.deploy\": [\"x\"]\n\"assets.deploy\"";
        let expected = Project {
            name: Some("shop".to_owned()),
            elixir: Some("~> 1.15".to_owned()),
            is_phoenix: true,
            has_assets: true,
            ..Project::default()
        };
        assert_eq!(read(text), expected);
    }

    #[test]
    fn the_release_is_named_in_the_list_or_in_its_function() {
        assert_eq!(read("app: :a, releases: [web: [x: 1]]").name.as_deref(), Some("web"));
        let called = "app: :a, releases: releases()\ndefp releases do\n  [\n    web: []\n  ]\nend";
        assert_eq!(read(called).name.as_deref(), Some("web"));
        assert_eq!(read("app: :a, releases: rest").name.as_deref(), Some("a"));
    }

    #[test]
    fn names_that_are_no_plain_words_are_none() {
        for text in [
            "app: :\"a; rm\",",
            "app: name(),",
            "app: :",
            "",
            "releases: [\"$(id)\": 1]",
        ] {
            assert_eq!(read(text).name, None, "{text}");
        }
    }
}
