//! `deno.json` and `deno.jsonc` as far as a build needs them.

use serde_json::Value;

use super::super::{Tree, Undetected};

/// The names of the file, in the order in which Deno looks for it.
pub const FILES: [&str; 2] = ["deno.json", "deno.jsonc"];

/// The settings of an app.
#[derive(Debug, Default)]
pub struct Settings {
    /// The file's name.
    pub file: String,
    root: Value,
}

/// The file that tells that an app is for Deno.
pub fn file(tree: &Tree) -> &'static str {
    tree.first(&FILES).unwrap_or("deno.lock")
}

impl Settings {
    /// Reads them; `None` when there are none.
    pub fn read(tree: &Tree) -> Result<Option<Self>, Undetected> {
        let Some(file) = tree.first(&FILES) else {
            return Ok(None);
        };
        let text = tree.text(file).unwrap_or_default();
        let root: Value = serde_json::from_str(&without_comments(&text)).map_err(|error| {
            Undetected::Incomplete(format!("{file} is no valid JSON: {error}. Correct it and deploy again"))
        })?;
        Ok(Some(Self {
            file: file.to_owned(),
            root,
        }))
    }

    /// A task's command, in either of its two forms.
    pub fn task(&self, name: &str) -> Option<&str> {
        let task = self.root.get("tasks")?.get(name)?;
        let text = task.as_str().or_else(|| task.get("command")?.as_str())?;
        (!text.trim().is_empty()).then_some(text)
    }

    /// Whether other tasks run before this one.
    pub fn has_dependencies(&self, name: &str) -> bool {
        let task = self.root.get("tasks").and_then(|tasks| tasks.get(name));
        task.is_some_and(|task| task.get("dependencies").is_some())
    }

    /// Whether it has members, whose settings an install needs, too.
    pub fn has_workspace(&self) -> bool {
        self.root.get("workspace").is_some()
    }

    /// A framework, by what is imported.
    pub fn framework(&self) -> Option<&'static str> {
        let imports = self.root.get("imports")?.as_object()?;
        let known = [
            ("$fresh/", "Fresh"),
            ("fresh", "Fresh"),
            ("@fresh/core", "Fresh"),
            ("lume/", "Lume"),
            ("hono", "Hono"),
            ("@hono/hono", "Hono"),
            ("@oak/oak", "Oak"),
        ];
        known
            .iter()
            .find(|(name, _)| imports.contains_key(*name))
            .map(|(_, name)| *name)
    }
}

/// JSON without the comments and trailing commas that Deno allows.
fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        match (letter, rest.peek()) {
            ('"', _) => {
                plain.push('"');
                while let Some(letter) = rest.next() {
                    plain.push(letter);
                    match letter {
                        '\\' => plain.extend(rest.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            ('/', Some('/')) => {
                rest.by_ref().find(|letter| *letter == '\n');
                plain.push('\n');
            }
            ('/', Some('*')) => {
                rest.next();
                let mut last = ' ';
                for letter in rest.by_ref() {
                    if (last, letter) == ('*', '/') {
                        break;
                    }
                    last = letter;
                }
            }
            (']' | '}', _) => {
                let kept = plain.trim_end().strip_suffix(',').map(str::len);
                plain.truncate(kept.unwrap_or(plain.len()));
                plain.push(letter);
            }
            _ => plain.push(letter),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::without_comments;

    #[test]
    fn comments_and_trailing_commas_go_and_strings_stay() {
        for (text, plain) in [
            (r#"{"a": 1, // b"#, "{\"a\": 1, \n"),
            ("{\"a\": [1, 2, ],\n}", "{\"a\": [1, 2]}"),
            (
                r#"{"a": "// no", /* x, } */ "b": "\",}"}"#,
                r#"{"a": "// no",  "b": "\",}"}"#,
            ),
            ("{/*", "{"),
            ("\"", "\""),
        ] {
            assert_eq!(without_comments(text), plain, "{text}");
        }
    }
}
