//! What `go.mod` says: <https://go.dev/ref/mod#go-mod-file>.

use super::super::manifest;

/// Modules with C in them that are common enough to know by name.
const WITH_C: [&str; 6] = [
    "github.com/mattn/go-sqlite3",
    "github.com/confluentinc/confluent-kafka-go",
    "github.com/marcboeker/go-duckdb",
    "github.com/duckdb/duckdb-go",
    "github.com/sqlite-vec/sqlite-vec-go-bindings",
    "github.com/smacker/go-tree-sitter",
];

/// A module's manifest, as far as builds depend on it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// Its path.
    pub path: String,
    /// The minor version of Go after `1.` that it needs, by `toolchain` or by `go`.
    pub minor: Option<u32>,
    /// Whether it depends on others.
    pub has_requirements: bool,
    /// Whether some of those are in the source itself.
    pub has_local_replacements: bool,
    /// A dependency that is known to have C in it.
    pub with_c: Option<&'static str>,
}

/// Reads the manifest; what is not understood is left to Go, which says it better.
pub fn read(text: &str) -> Module {
    let mut module = Module::default();
    let mut block = String::new();
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        if line == ")" {
            block.clear();
            continue;
        }
        if let Some(name) = line.strip_suffix('(') {
            block = name.trim().to_owned();
            continue;
        }
        let whole = if block.is_empty() {
            line.to_owned()
        } else {
            format!("{block} {line}")
        };
        let mut words = whole.split_whitespace();
        match (words.next(), words.next()) {
            (Some("module"), Some(path)) => module.path = path.trim_matches('"').to_owned(),
            (Some("go" | "toolchain"), Some(version)) => {
                module.minor = module.minor.max(minor(version.trim_start_matches("go")));
            }
            (Some("require"), Some(path)) => {
                module.has_requirements = true;
                let with_c = WITH_C
                    .into_iter()
                    .find(|known| path.trim_matches('"').starts_with(known));
                module.with_c = module.with_c.or(with_c);
            }
            (Some("replace"), Some(_)) => {
                let target = whole.split("=>").nth(1).unwrap_or_default().trim();
                module.has_local_replacements |= target.starts_with('.');
            }
            _ => {}
        }
    }
    module
}

/// `1.22`, `1.22.4`, `1.26rc1` → 22, 22, 26.
fn minor(version: &str) -> Option<u32> {
    let end = version.find(|letter: char| letter != '.' && !letter.is_ascii_digit());
    let numbers = manifest::numbers(&version[..end.unwrap_or(version.len())])?;
    (numbers.first() == Some(&1)).then(|| numbers.get(1).copied())?
}

#[cfg(test)]
mod tests {
    use super::{Module, minor, read};

    #[test]
    fn versions_are_read_in_each_spelling() {
        for (version, expected) in [
            ("1.22", Some(22)),
            ("1.22.4", Some(22)),
            ("1.26rc1", Some(26)),
            ("1", None),
            ("2.0", None),
            ("", None),
            ("1.22;id", Some(22)),
            ("$(id)", None),
        ] {
            assert_eq!(minor(version), expected, "{version}");
        }
    }

    #[test]
    fn the_newer_of_go_and_toolchain_counts() {
        let module = read("module example.com/shop // ours\n\ngo 1.22.1\n\ntoolchain go1.23.4\n");
        assert_eq!((module.path.as_str(), module.minor), ("example.com/shop", Some(23)));
    }

    #[test]
    fn blocks_are_read_like_lines() {
        let text = "module x\nrequire (\n\tgithub.com/mattn/go-sqlite3 v1.14.22\n)\nreplace example.com/a => ./a\n";
        let expected = Module {
            path: "x".to_owned(),
            minor: None,
            has_requirements: true,
            has_local_replacements: true,
            with_c: Some("github.com/mattn/go-sqlite3"),
        };
        assert_eq!(read(text), expected);
        assert_eq!(read("\u{1}\n)(\n"), Module::default());
    }
}
