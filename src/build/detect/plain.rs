//! What may come from a source's files into its Dockerfile. A name that a Dockerfile or a shell would read as more than
//! a name is refused, since the files are strangers' work and a build can be given secrets.

use super::Undetected;

/// Whether a path stands for itself in `COPY` and, after [`shell_word`], in a command.
pub fn is_plain(path: &str) -> bool {
    !path.is_empty()
        && !path.starts_with(['-', ' ', '/'])
        && !path.ends_with(' ')
        && !path.split('/').any(|part| part == "..")
        && path
            .chars()
            .all(|character| character.is_alphanumeric() || "._-+@/ ".contains(character))
}

/// The path, unless it is no plain one.
pub fn plain<'a>(path: &'a str, what: &str) -> Result<&'a str, Undetected> {
    if is_plain(path) {
        return Ok(path);
    }
    Err(Undetected::Incomplete(format!(
        "the name of {what} {path:?} has signs that mean something else in a Dockerfile. Rename it with letters, digits, \
         dots and dashes only"
    )))
}

/// The same for names that stand where none can be quoted.
pub fn plain_word<'a>(path: &'a str, what: &str) -> Result<&'a str, Undetected> {
    if plain(path, what)?.contains(' ') {
        return Err(Undetected::Incomplete(format!(
            "the name of {what} {path:?} has spaces, which cannot be quoted everywhere. Rename it without"
        )));
    }
    Ok(path)
}

/// A plain path as one word for the shell.
pub fn shell_word(path: &str) -> String {
    if path.contains(' ') {
        format!("'{path}'")
    } else {
        path.to_owned()
    }
}

/// The leading number of a text, and what follows it.
pub fn number(text: &str) -> Option<(u32, &str)> {
    let end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// The first two numbers of a version, `3.4.1-p2` → 3 and 4.
pub fn major_minor(text: &str) -> Option<(u32, u32)> {
    let (major, rest) = number(text.trim())?;
    let (minor, _) = number(rest.strip_prefix('.')?)?;
    Some((major, minor))
}

/// The one of several that is meant: the only one, or the only one that the app's build command names.
pub fn chosen<'a>(candidates: &[&'a str], build_command: Option<&str>) -> Option<&'a str> {
    if let [only] = candidates {
        return Some(only);
    }
    let command = build_command?;
    let words: Vec<&str> = command
        .split([' ', '"', '\'', '=', ','])
        .map(|word| word.trim_start_matches("./"))
        .collect();
    // Gradle writes the directory `a/b` as the project `:a:b`.
    let is_project = |candidate: &str| command.contains(&format!(":{}:", candidate.replace('/', ":")));
    let mut named = candidates
        .iter()
        .filter(|candidate| words.contains(*candidate) || is_project(candidate));
    let first = named.next()?;
    named.next().is_none().then_some(*first)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{Tree, Undetected, Wishes, detect};
    use super::{chosen, is_plain, major_minor};

    fn dockerfile(files: &[(&str, &str)]) -> Result<String, Undetected> {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let wishes = Wishes { ..Wishes::default() };
        detect(&Tree::open(root.path()).unwrap(), &wishes).map(|detected| detected.dockerfile)
    }

    const PHP: (&str, &str) = ("index.php", "");
    const RACK: (&str, &str) = ("config.ru", "");
    const SPRING: &str =
        "<build><plugins><plugin><artifactId>spring-boot-maven-plugin</artifactId></plugin></plugins></build>";
    const WEB: &str = r#"<Project Sdk="Microsoft.NET.Sdk.Web"/>"#;

    #[test]
    fn nothing_in_a_file_becomes_an_instruction() {
        let java =
            format!("<project><properties><java.version>17\nRUN evil</java.version></properties>{SPRING}</project>");
        let catalog = "[plugins]\nx = \"io.quarkus\\nRUN evil:1\"\n";
        let sources: &[&[(&str, &str)]] = &[
            &[PHP, ("composer.json", r#"{"require": {"php": "^8.2\nRUN evil"}}"#)],
            &[PHP, ("composer.json", r#"{"require": {"ext-zip\nRUN evil": "*"}}"#)],
            &[PHP, ("composer.json", r#"{"require": {"ext-$(evil)": "*"}}"#)],
            &[
                PHP,
                ("composer.json", r#"{"config": {"platform": {"php": "8.3\nRUN evil"}}}"#),
            ],
            &[
                PHP,
                (
                    "composer.json",
                    r#"{"name": "evil", "scripts": {"post-install-cmd": "evil"}}"#,
                ),
            ],
            &[
                PHP,
                ("composer.json", "{}"),
                ("package.json", r#"{"scripts": {"build": "x\nRUN evil"}}"#),
            ],
            &[
                PHP,
                ("package.json", r#"{"scripts": {"build": "vite"}}"#),
                (".nvmrc", "22\nRUN evil"),
            ],
            &[RACK, ("Gemfile", "gem 'puma'\ngem 'pg\nRUN evil'\ngem '$(evil)'")],
            &[RACK, ("Gemfile", "gem 'puma'\nruby '3.4.1-evil'")],
            &[
                RACK,
                ("Gemfile", "gem 'puma'"),
                ("Gemfile.lock", "RUBY VERSION\n   ruby 3.3.5;evil\n"),
            ],
            &[RACK, ("Gemfile", "gem 'puma'"), (".ruby-version", "3.4.1\nRUN evil")],
            &[RACK, ("Gemfile", "gem 'puma'"), (".tool-versions", "ruby 3.4.$(evil)")],
            &[("pom.xml", &java)],
            &[(
                "pom.xml",
                "<project><modules><module>$(evil)</module></modules></project>",
            )],
            &[("build.gradle", "id 'io.quarkus'"), (".sdkmanrc", "java=21;evil")],
            &[
                ("build.gradle", "alias(libs.plugins.x)"),
                ("gradle/libs.versions.toml", catalog),
            ],
            &[
                ("settings.gradle", "include 'a;evil'"),
                ("a;evil/build.gradle", "id 'io.quarkus'"),
            ],
            &[(
                "Web.csproj",
                r#"<Project Sdk="Microsoft.NET.Sdk.Web"><AssemblyName>$(evil)`evil`</AssemblyName></Project>"#,
            )],
            &[(
                "Web.csproj",
                r#"<Project Sdk="Microsoft.NET.Sdk.Web"><AssemblyName>a;evil</AssemblyName></Project>"#,
            )],
            &[(
                "Web.csproj",
                r#"<Project Sdk="Microsoft.NET.Sdk.Web"><TargetFramework>net8.0&#10;RUN evil</TargetFramework></Project>"#,
            )],
            &[("Web\nRUN evil.csproj", WEB)],
            &[
                ("Web.csproj", WEB),
                ("global.json", r#"{"sdk": {"version": "8.0.404\nRUN evil"}}"#),
            ],
        ];
        let mut refused = 0;
        for files in sources {
            match dockerfile(files) {
                Ok(text) => assert!(!text.contains("evil"), "{files:?} gave\n{text}"),
                Err(Undetected::Incomplete(text)) => {
                    assert!(!text.contains('\n'), "{text}");
                    refused += 1;
                }
                Err(error) => panic!("{files:?}: {error}"),
            }
        }
        assert!(refused > 0 && refused < sources.len());
        let procfile = dockerfile(&[RACK, ("Gemfile", ""), ("Procfile", "web: x \"a\" <<EOF\u{b}RUN evil")]).unwrap();
        let last = procfile.lines().last().unwrap();
        assert!(last.starts_with("CMD [") && last.ends_with(']'), "{last}");
        assert_eq!(procfile.matches("evil").count(), 1);
    }

    #[test]
    fn files_made_to_exhaust_are_refused() {
        let deep = |open: &str, close: &str| format!("{}{}", open.repeat(200_000), close.repeat(200_000));
        let deep_xml = deep("<a>", "</a>");
        let deep_json = deep("[", "]");
        let wide = format!(
            "<project>{}</project>",
            "<modules><module>a</module></modules>".repeat(20_000)
        );
        let modules = format!(
            "<project><modules>{}</modules></project>",
            "<module>.</module>".repeat(20_000)
        );
        for files in [
            &[("pom.xml", deep_xml.as_str())][..],
            &[("Web.csproj", deep_xml.as_str())],
            &[PHP, ("composer.json", deep_json.as_str())],
            &[PHP, ("composer.json", "{}"), ("composer.lock", deep_json.as_str())],
            &[("pom.xml", wide.as_str())],
            &[("pom.xml", modules.as_str())],
        ] {
            assert!(
                matches!(dockerfile(files), Err(Undetected::Incomplete(_))),
                "{}",
                files[0].0
            );
        }
    }

    #[test]
    fn names_that_mean_more_are_no_plain_ones() {
        for name in ["src/My App/My App.csproj", "größe", "a+b@c_d-e.f"] {
            assert!(is_plain(name), "{name}");
        }
        for name in [
            "", "a\nRUN x", "$(id)", "a;b", "`x`", "'", "\"", "../x", "/etc", "-v", "a\\b", "a\u{85}b",
        ] {
            assert!(!is_plain(name), "{name:?}");
        }
    }

    #[test]
    fn the_first_numbers_of_versions_are_read() {
        assert_eq!(major_minor("3.4.1-p2\n"), Some((3, 4)));
        assert_eq!(major_minor("3"), None);
        assert_eq!(major_minor("99999999999.1"), None);
    }

    #[test]
    fn a_build_command_chooses_among_several() {
        let all = ["api", "web"];
        assert_eq!(chosen(&["api"], None), Some("api"));
        assert_eq!(chosen(&all, None), None);
        assert_eq!(chosen(&all, Some("mvn -pl ./web -am package")), Some("web"));
        assert_eq!(chosen(&all, Some("mvn -pl web,api package")), None);
        assert_eq!(chosen(&all, Some("mvn -pl webapp package")), None);
        assert_eq!(chosen(&all, Some("sh gradlew :web:bootJar")), Some("web"));
    }
}
