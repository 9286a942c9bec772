//! Docker's ignore rules (`.dockerignore`), followed to the letter.
//!
//! Docker defines a pattern by its translation into a regular expression (moby `patternmatcher`), and differs from
//! gitignore and from common glob crates: patterns are rooted in the context, braces are literal, `**` may stand
//! anywhere, the last matching pattern decides, and what is in a matching directory matches too.

use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

/// Each rule costs some KiB, and a look at each path; the largest files in use have some dozens.
const MAX_PATTERNS: usize = 1_000;

/// The patterns of one ignore file.
#[derive(Debug, Default)]
pub(super) struct IgnoreRules {
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    regex: Regex,
    /// `!pattern`: brings back what an earlier one ignored.
    is_exception: bool,
    /// The components before the first wildcard.
    literal_start: String,
    has_wildcard: bool,
}

/// What a repository may hold by mistake. Variables in `.env` and `.env.production` are not among it: frontends read
/// them while they are built, and are told to keep them in the repository.
const GENERATED_BUILDS: &str = "\
**/.git
**/.hg
**/.svn
**/.DS_Store
**/.env.local
**/.env.*.local
**/node_modules
**/__pycache__
**/*.py[co]
**/.venv
**/.gradle
**/.next/cache
**/target/classes
**/target/debug
**/target/release
";

/// For each pattern, whether a directory or one above it matches.
pub(super) type Matches = Vec<bool>;

impl IgnoreRules {
    /// Reads an ignore file. The error says which line is malformed.
    pub(super) fn parse(text: &str) -> Result<IgnoreRules, String> {
        let lines = text.trim_start_matches('\u{feff}').lines().zip(1..);
        let patterns = lines.filter(|(line, _)| !line.starts_with('#') && !line.trim().is_empty());
        if patterns.clone().count() > MAX_PATTERNS {
            return Err(format!("has more than {MAX_PATTERNS} rules"));
        }
        let patterns =
            patterns.map(|(line, number)| Pattern::parse(line).map_err(|why| format!("line {number}: {why}")));
        Ok(IgnoreRules {
            patterns: patterns.collect::<Result<_, _>>()?,
        })
    }

    /// What holds for generated builds where the repository says nothing: left out is only what no build reads from a
    /// repository, since it is made anew in the image, is for one machine, or is secret.
    pub(super) fn of_generated_builds() -> IgnoreRules {
        IgnoreRules::parse(GENERATED_BUILDS).expect("its patterns are valid")
    }

    /// What holds for the context's root.
    pub(super) fn root(&self) -> Matches {
        vec![false; self.patterns.len()]
    }

    /// Whether the path (relative, with slashes) is ignored, and what its children inherit.
    pub(super) fn check(&self, path: &str, parent: &[bool]) -> (bool, Matches) {
        let matches: Matches = self
            .patterns
            .iter()
            .zip(parent)
            .map(|(pattern, inherited)| *inherited || pattern.regex.is_match(path))
            .collect();
        let last = self.patterns.iter().zip(&matches).rfind(|(_, matches)| **matches);
        (last.is_some_and(|(pattern, _)| !pattern.is_exception), matches)
    }

    /// Whether an exception may bring back something below this ignored directory.
    pub(super) fn may_bring_back_below(&self, directory: &str) -> bool {
        self.patterns
            .iter()
            .any(|pattern| pattern.is_exception && pattern.may_match_below(directory))
    }
}

impl Pattern {
    fn parse(line: &str) -> Result<Pattern, String> {
        let trimmed = line.trim();
        let (is_exception, text) = match trimmed.strip_prefix('!') {
            Some(rest) => (true, rest.trim()),
            None => (false, trimmed),
        };
        if text.is_empty() {
            return Err("`!` alone is no pattern".to_owned());
        }
        let text = clean(text);
        let expression = translate(&text).ok_or_else(|| format!("`{trimmed}` is no valid pattern"))?;
        let regex = Regex::new(&expression).map_err(|_| format!("`{trimmed}` is no valid pattern"))?;
        let has_wildcard = text.contains(WILDCARDS);
        let literal: Vec<&str> = text
            .split('/')
            .take_while(|component| !component.contains(WILDCARDS))
            .collect();
        Ok(Pattern {
            regex,
            is_exception,
            literal_start: literal.join("/"),
            has_wildcard,
        })
    }

    fn may_match_below(&self, directory: &str) -> bool {
        let is_below = |inner: &str, outer: &str| {
            outer.is_empty()
                || inner
                    .strip_prefix(outer)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        is_below(&self.literal_start, directory) || (self.has_wildcard && is_below(directory, &self.literal_start))
    }
}

const WILDCARDS: [char; 4] = ['*', '?', '[', '\\'];

/// Go's `filepath.Clean` and the removal of a leading slash, as Docker does to each pattern.
fn clean(pattern: &str) -> String {
    let mut components: Vec<&str> = Vec::new();
    for component in pattern.split('/') {
        match component {
            "" | "." => {}
            ".." if components.last().is_some_and(|last| *last != "..") => {
                components.pop();
            }
            ".." if pattern.starts_with('/') => {}
            other => components.push(other),
        }
    }
    if components.is_empty() {
        ".".to_owned()
    } else {
        components.join("/")
    }
}

/// The translation of moby's `patternmatcher`; `None` for a malformed pattern.
fn translate(pattern: &str) -> Option<String> {
    let mut expression = String::from("(?s)^");
    let mut rest = pattern;
    // Without further wildcards a leading `**` takes any beginning, even a part of a name.
    if let Some(suffix) = pattern.strip_prefix("**")
        && !suffix.starts_with('/')
        && !suffix.contains(WILDCARDS)
    {
        expression.push_str(".*");
        rest = suffix;
    }
    let mut rest = rest.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '*' if rest.next_if_eq(&'*').is_some() => {
                rest.next_if_eq(&'/');
                // `**` at the end takes all; elsewhere it takes whole directories, or none.
                expression.push_str(if rest.peek().is_none() { ".*" } else { "(.*/)?" });
            }
            '*' => expression.push_str("[^/]*"),
            '?' => expression.push_str("[^/]"),
            '[' => translate_set(&mut rest, &mut expression)?,
            '\\' => push_literal(&mut expression, rest.next()?),
            literal => push_literal(&mut expression, literal),
        }
    }
    expression.push('$');
    Some(expression)
}

/// `[a-z]`, `[^a]`: the opening bracket has been read.
fn translate_set(rest: &mut Peekable<Chars>, expression: &mut String) -> Option<()> {
    expression.push('[');
    if rest.next_if_eq(&'^').is_some() {
        expression.push('^');
    }
    loop {
        push_literal(expression, set_member(rest)?);
        if rest.next_if_eq(&'-').is_some() {
            expression.push('-');
            push_literal(expression, set_member(rest)?);
        }
        if rest.next_if_eq(&']').is_some() {
            expression.push(']');
            return Some(());
        }
    }
}

/// A character of a set; `-` and `]` must be escaped.
fn set_member(rest: &mut Peekable<Chars>) -> Option<char> {
    match rest.next()? {
        '-' | ']' => None,
        '\\' => rest.next(),
        literal => Some(literal),
    }
}

fn push_literal(expression: &mut String, character: char) {
    expression.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
}

#[cfg(test)]
mod tests;
