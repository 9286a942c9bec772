//! Configuration files of frameworks. They are programs, so they are searched for the plain form in which everybody
//! writes a setting; who computes it has the settings of the app to say what came out.

use super::super::Tree;

/// A configuration file without comment lines and white space.
#[derive(Debug)]
pub struct Config {
    /// The file's name.
    pub file: String,
    text: String,
}

impl Config {
    /// The first of `stem.ext` that is there, in any ending that JavaScript has.
    pub fn find(tree: &Tree, stems: &[&str]) -> Option<Self> {
        let endings = ["js", "mjs", "cjs", "ts", "mts", "cts"];
        let names = stems
            .iter()
            .flat_map(|stem| endings.map(|ending| format!("{stem}.{ending}")));
        names.into_iter().find_map(|file| {
            let text = squeeze(&tree.text(&file)?);
            Some(Self { file, text })
        })
    }

    /// Whether a key has this value, as a string or bare.
    pub fn says(&self, key: &str, value: &str) -> bool {
        self.value(key).is_some_and(|found| found == value)
    }

    /// The value of a key, without its quotes, where it is a plain one.
    pub fn value(&self, key: &str) -> Option<&str> {
        let (at, _) = self.text.match_indices(key).find(|(at, _)| {
            let before = self.text[..*at].chars().next_back();
            let is_whole = !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
            is_whole && self.text[at + key.len()..].starts_with([':', '"', '\''])
        })?;
        let rest = self.text[at + key.len()..].trim_start_matches(['"', '\'']);
        let rest = rest.strip_prefix(':')?;
        match rest.chars().next()? {
            quote @ ('"' | '\'' | '`') => rest[1..].split(quote).next(),
            _ => rest.split([',', '}', ')', ';']).next(),
        }
    }

    /// Whether a text occurs in it, white space aside.
    pub fn mentions(&self, text: &str) -> bool {
        self.text.contains(text)
    }
}

fn squeeze(text: &str) -> String {
    let is_comment = |line: &str| ["//", "/*", "*"].iter().any(|mark| line.trim_start().starts_with(mark));
    let lines = text.lines().filter(|line| !is_comment(line));
    lines.flat_map(squeezed_line).collect()
}

/// The letters of a line; white space counts within quotes.
fn squeezed_line(line: &str) -> impl Iterator<Item = char> {
    let mut quote = None;
    line.chars().filter(move |letter| {
        match quote {
            Some(open) if open == *letter => quote = None,
            None if matches!(letter, '"' | '\'' | '`') => quote = Some(*letter),
            _ => {}
        }
        quote.is_some() || !letter.is_whitespace()
    })
}

#[cfg(test)]
mod tests {
    use super::{Config, squeeze};

    #[test]
    fn a_setting_is_found_in_the_forms_in_which_it_is_written() {
        for (text, value) in [
            ("export default { output: 'standalone' }", Some("standalone")),
            ("const c = {\n  \"output\" :\n    `standalone`,\n}", Some("standalone")),
            ("{ output:\"two words\" }", Some("two words")),
            ("{ ssr: false, output: computed() }", Some("computed(")),
            ("{ nooutput: 'a', outputs: 'b', output: 'c' }", Some("c")),
            ("  // output: 'a'\n{ b: 1 }", None),
            ("/* output: 'a'\n * output: 'b'\n */", None),
            ("output", None),
            ("output:", None),
            ("output: '", Some("")),
            ("output: '\u{e9}\u{1f600}", Some("\u{e9}\u{1f600}")),
        ] {
            let config = Config {
                file: String::new(),
                text: squeeze(text),
            };
            assert_eq!(config.value("output"), value, "{text}");
        }
    }
}
