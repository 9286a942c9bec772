//! Gradle's build scripts, read as text: they are programs, and none is run here.

use std::collections::BTreeSet;

use super::super::plain::number;
use super::super::{Tree, Undetected};
use super::start::Start;
use super::version::Asked;

/// A build script as far as it matters.
#[derive(Debug)]
pub struct Script {
    /// Its path.
    pub file: String,
    /// The Java that it asks for.
    pub java: Option<Asked>,
    plugins: BTreeSet<String>,
}

impl Script {
    /// The script in a directory (empty, or with a slash at its end).
    pub fn read(tree: &Tree, directory: &str, catalog: &[(String, String)]) -> Option<Self> {
        let file = ["build.gradle.kts", "build.gradle"]
            .iter()
            .map(|name| format!("{directory}{name}"))
            .find(|file| tree.has(file))?;
        let text = without_comments(&tree.text(&file)?);
        Some(Self {
            plugins: plugins(&text, catalog),
            java: java(&text, &file),
            file,
        })
    }

    fn has(&self, plugin: &str) -> bool {
        self.plugins.contains(plugin)
    }

    /// Whether it builds Kotlin.
    pub fn is_kotlin(&self) -> bool {
        self.has("org.jetbrains.kotlin.jvm")
    }

    /// What it packs, where that can be started.
    pub fn start(&self) -> Option<Start> {
        let shadow = ["com.gradleup.shadow", "com.github.johnrengelman.shadow"];
        if self.has("org.springframework.boot") {
            Some(Start::SpringBoot {
                is_war: self.has("war"),
            })
        } else if self.has("io.quarkus") {
            Some(Start::Quarkus)
        } else if self.has("io.ktor.plugin") {
            Some(Start::Ktor)
        } else if self.has("io.micronaut.application") {
            Some(Start::Distribution { is_micronaut: true })
        } else if shadow.iter().any(|plugin| self.has(plugin)) {
            Some(Start::FatJar("the shadow plugin"))
        } else if self.has("application") {
            Some(Start::Distribution { is_micronaut: false })
        } else {
            None
        }
    }
}

/// Plugins' ids by the names that build scripts call them by.
pub fn catalog(tree: &Tree) -> Result<Vec<(String, String)>, Undetected> {
    let file = "gradle/libs.versions.toml";
    let Some(text) = tree.text(file) else {
        return Ok(Vec::new());
    };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        Undetected::Incomplete(format!("{file} is no valid TOML: {}", error.message()))
    })?;
    let plugins = table.get("plugins").and_then(toml::Value::as_table);
    Ok(plugins
        .into_iter()
        .flatten()
        .filter_map(|(alias, plugin)| {
            let id = plugin.as_str().and_then(|text| text.split(':').next());
            let id = id.or_else(|| plugin.get("id")?.as_str())?;
            Some((
                format!("libs.plugins.{}", alias.replace(['-', '_'], ".")),
                id.to_owned(),
            ))
        })
        .collect())
}

fn plugins(text: &str, catalog: &[(String, String)]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for statement in text.split(['\n', ';', '{', '}']).map(str::trim) {
        if statement.contains("apply false") || statement.contains("apply(false)") {
            continue;
        }
        let word = statement.trim_matches('`');
        if matches!(word, "application" | "war") {
            found.insert(word.to_owned());
        }
        let name = statement.split(['"', '\'']).nth(1);
        if statement.starts_with("kotlin(") && name == Some("jvm") {
            found.insert("org.jetbrains.kotlin.jvm".to_owned());
        } else if statement.starts_with("id") || statement.contains("plugin:") || statement.contains("plugin =") {
            found.extend(name.map(str::to_owned));
        }
        if let Some(alias) = statement.strip_prefix("alias") {
            let alias = alias.trim_start_matches(['(', ' ']);
            let end = alias.find([')', ' ']).unwrap_or(alias.len());
            let known = catalog.iter().find(|(name, _)| *name == alias[..end]);
            found.extend(known.map(|(_, id)| id.clone()));
        }
    }
    found
}

fn java(text: &str, file: &str) -> Option<Asked> {
    for toolchain in ["JavaLanguageVersion.of(", "jvmToolchain("] {
        if let Some((_, rest)) = text.split_once(toolchain) {
            let rest = rest.trim_start_matches(['"', '\'', ' ']);
            return Asked::toolchain(number(rest)?.0, file);
        }
    }
    let (_, rest) = text
        .split_once("targetCompatibility")
        .or_else(|| text.split_once("sourceCompatibility"))?;
    let line = rest.lines().next()?;
    let value = line
        .trim_matches(|character: char| " =\"'()".contains(character))
        .trim_start_matches("JavaVersion.")
        .trim_start_matches("VERSION_")
        .replace('_', ".");
    Asked::target(&value, file, "targetCompatibility")
}

/// Directories of the projects that the settings include.
pub fn projects(tree: &Tree) -> Vec<String> {
    let file = tree.first(&["settings.gradle.kts", "settings.gradle"]);
    let text = without_comments(&file.and_then(|file| tree.text(file)).unwrap_or_default());
    let mut found = Vec::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("include") {
        rest = after;
        let is_word = before.ends_with(|last: char| last.is_whitespace() || last == ';') || before.is_empty();
        let list = after.trim_start_matches([' ', '(', '\n']);
        if !is_word || !list.starts_with(['"', '\'']) {
            continue;
        }
        found.extend(listed(list));
    }
    found
}

/// The quoted names at the start of a text, with commas between them.
fn listed(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(quote) = rest.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        let Some((name, after)) = rest[1..].split_once(quote) else {
            break;
        };
        found.push(name.trim_start_matches(':').replace(':', "/"));
        let Some(next) = after.trim_start().strip_prefix(',') else {
            break;
        };
        rest = next.trim_start();
    }
    found
}

fn without_comments(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("/*") {
        kept.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    let lines = kept.lines().filter(|line| !line.trim_start().starts_with("//"));
    let uncommented = lines.map(|line| line.split(" //").next().unwrap_or_default());
    uncommented.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::super::Tree;
    use super::{java, plugins, projects, without_comments};

    #[test]
    fn plugins_are_told_from_every_way_to_write_them() {
        let catalog = [(
            "libs.plugins.spring.boot".to_owned(),
            "org.springframework.boot".to_owned(),
        )];
        for (text, expected) in [
            ("plugins {\n  id 'io.quarkus'\n}", Some("io.quarkus")),
            (
                "plugins { id(\"io.ktor.plugin\") version \"3.0\" }",
                Some("io.ktor.plugin"),
            ),
            ("apply plugin: 'application'", Some("application")),
            ("plugins {\n  `application`\n}", Some("application")),
            (
                "plugins { alias(libs.plugins.spring.boot) }",
                Some("org.springframework.boot"),
            ),
            ("plugins { alias(libs.plugins.spring.boot) apply false }", None),
            ("plugins { id(\"io.quarkus\") apply false }", None),
            ("// id 'io.quarkus'\n/* application\n*/", None),
            ("implementation 'org.springframework.boot:spring-boot-starter'", None),
        ] {
            let found = plugins(&without_comments(text), &catalog);
            assert_eq!(found.first().map(String::as_str), expected, "{text}");
        }
    }

    #[test]
    fn the_java_of_a_script_is_read() {
        for (text, expected) in [
            (
                "java { toolchain { languageVersion = JavaLanguageVersion.of(22) } }",
                Some("22"),
            ),
            ("kotlin { jvmToolchain(17) }", Some("17")),
            ("sourceCompatibility = '1.8'", Some("8")),
            ("targetCompatibility = JavaVersion.VERSION_16", Some("17")),
            ("jvmToolchain(version)", None),
        ] {
            let found = java(text, "build.gradle").map(|asked| asked.version.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_projects_of_settings_are_read() {
        let root = tempfile::tempdir().unwrap();
        let settings =
            "rootProject.name = \"x\"\nincludeBuild(\"logic\")\ninclude(\"app\",\n  \":libs:core\")\ninclude 'web'\n";
        fs::write(root.path().join("settings.gradle"), settings).unwrap();
        let tree = Tree::open(root.path()).unwrap();
        assert_eq!(projects(&tree), ["app", "libs/core", "web"]);
    }
}
