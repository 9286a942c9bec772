//! Rust sources read as text: comments, strings and test modules taken out, names of modules and packages found.

/// The first module of a file's path below `src`: `docker` for `docker/image.rs` as for `docker.rs`.
pub fn top_module(path: &str) -> &str {
    path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

/// The code alone: comments, what stands in quotes, and modules under `#[cfg(test)]` are gone.
pub fn without_comments_and_tests(text: &str) -> String {
    without_tests(&without_comments(text))
}

fn without_comments(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("/*") {
            rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
        } else if let Some(raw) = raw_string(rest) {
            rest = &rest[raw..];
        } else if next == '"' {
            code.push_str("\"\"");
            rest = &rest[quoted(rest)..];
        } else if rest.starts_with("'\"'") || rest.starts_with("'{'") || rest.starts_with("'}'") {
            rest = &rest[3..];
        } else if rest.starts_with("'\\") {
            // A character such as '\'' or '\\'.
            rest = &rest[2 + next_quote(&rest[2..])..];
        } else {
            code.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    code
}

/// Length of the escaped character's rest with its closing quote; the first character after the backslash is never it.
fn next_quote(rest: &str) -> usize {
    let first = rest.chars().next().map_or(0, char::len_utf8);
    rest[first..].find('\'').map_or(rest.len(), |end| first + end + 1)
}

/// Length of the raw string that begins here, if one does.
fn raw_string(rest: &str) -> Option<usize> {
    let start = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = start.len() - start.trim_start_matches('#').len();
    let body = start[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = body.find(&close).map_or(body.len(), |end| end + close.len());
    Some(rest.len() - body.len() + end)
}

/// Length of the string that begins here, its quotes included.
fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest.len()
}

fn without_tests(code: &str) -> String {
    let Some(start) = code.find("#[cfg(test)]") else {
        return code.to_owned();
    };
    let after = &code[start..];
    // Up to the end of the item: its closing brace, or the semicolon of `mod tests;`.
    let brace = after.find('{').unwrap_or(after.len());
    let semicolon = after.find(';').unwrap_or(after.len());
    let end = if semicolon < brace {
        semicolon + 1
    } else {
        closing_brace(after, brace)
    };
    format!("{}{}", &code[..start], without_tests(&after[end..]))
}

/// Just after the brace that closes the one at `open`.
fn closing_brace(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, c) in code.char_indices().skip_while(|(at, _)| *at < open) {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// Names in code.
pub mod names {
    use std::collections::BTreeSet;

    /// Modules of this crate that the code of a file names by `crate::`, `dhow::` or a way up by `super::`.
    pub fn of_crate(path: &str, code: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let depth = if path.ends_with("/mod.rs") {
            path.matches('/').count()
        } else {
            path.matches('/').count() + 1
        };
        let up = "super::".repeat(depth);
        let root = if path == "main.rs" { "dhow::" } else { "crate::" };
        for start in [root, up.as_str()] {
            for (at, _) in code.match_indices(start) {
                let is_longer = code[..at].ends_with(is_part) || code[..at].ends_with("super::");
                if !is_longer {
                    first_names(&code[at + start.len()..], &mut found);
                }
            }
        }
        // A name in capitals or a function is the crate's own: what `lib.rs` itself holds.
        found
            .into_iter()
            .map(|name| if is_module(&name) { name } else { "lib".to_owned() })
            .collect()
    }

    fn is_module(name: &str) -> bool {
        let modules = super::super::ARROWS.iter().map(|(module, _)| *module);
        modules.chain(["lib"]).any(|module| module == name)
    }

    fn is_part(c: char) -> bool {
        c.is_alphanumeric() || c == '_'
    }

    /// The name here, or the first names of each branch of a group in braces.
    fn first_names(rest: &str, found: &mut BTreeSet<String>) {
        let Some(group) = rest.strip_prefix('{') else {
            found.extend(
                Some(rest.chars().take_while(|c| is_part(*c)).collect::<String>()).filter(|name| !name.is_empty()),
            );
            return;
        };
        let mut depth = 0;
        let mut is_first = true;
        for (at, c) in group.char_indices() {
            match c {
                '}' if depth == 0 => return,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => is_first = true,
                _ if is_first && is_part(c) => {
                    is_first = false;
                    first_names(&group[at..], found);
                }
                _ => {}
            }
        }
    }

    /// Whether a path such as `axum` or `std::env` stands in the code, at its start or within a group.
    pub fn stands_in(code: &str, name: &str) -> bool {
        let is_whole =
            |at: usize, length: usize| !code[..at].ends_with(is_part) && !code[at + length..].starts_with(is_part);
        if let Some((parent, last)) = name.split_once("::")
            && code.match_indices(&format!("{parent}::{{")).any(|(at, group)| {
                let inside = code[at + group.len()..].split('}').next().unwrap_or_default();
                is_whole(at, parent.len()) && inside.split([',', '{']).any(|item| first_word(item) == last)
            })
        {
            return true;
        }
        code.match_indices(name).any(|(at, _)| {
            let after = &code[at + name.len()..];
            let is_path = name.contains("::") || after.starts_with("::") || code[..at].trim_end().ends_with("use");
            is_whole(at, name.len()) && is_path
        })
    }

    fn first_word(text: &str) -> &str {
        text.trim().split(|c| !is_part(c)).next().unwrap_or_default()
    }
}
