//! The names that a Dockerfile declares by `ARG` and `ENV`, where values would stay in the image.

/// A name that a Dockerfile declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// `ARG` or `ENV`.
    pub instruction: &'static str,
    /// The name.
    pub name: String,
}

impl Declared {
    /// All that a Dockerfile's text declares, in its order (Dockerfile reference, "ARG" and "ENV").
    pub fn all_of(dockerfile: &str) -> Vec<Declared> {
        let mut declared = Vec::new();
        for line in logical_lines(dockerfile) {
            let Some((word, rest)) = line.trim_start().split_once(char::is_whitespace) else {
                continue;
            };
            let Some(instruction) = ["ARG", "ENV"]
                .into_iter()
                .find(|known| word.eq_ignore_ascii_case(known))
            else {
                continue;
            };
            let words = words(rest);
            // `ENV name value` is the old form: the rest of its line is the value.
            let is_old_form = instruction == "ENV" && words.first().is_some_and(|word| !word.contains('='));
            let count = if is_old_form { 1 } else { words.len() };
            declared.extend(words.into_iter().take(count).map(|word| Declared {
                instruction,
                name: word.split('=').next().unwrap_or_default().to_owned(),
            }));
        }
        declared
    }
}

/// Lines with their continuations joined; comments are left out, also between continued lines.
pub(super) fn logical_lines(text: &str) -> Vec<String> {
    let mut escape = '\\';
    let (mut lines, mut current) = (Vec::new(), String::new());
    for line in text.trim_start_matches('\u{feff}').lines() {
        let trimmed = line.trim();
        if let Some(comment) = trimmed.strip_prefix('#') {
            if comment.replace(' ', "").eq_ignore_ascii_case("escape=`") {
                escape = '`';
            }
            continue;
        }
        match trimmed.strip_suffix(escape) {
            Some(part) => current.push_str(part),
            None if trimmed.is_empty() && !current.is_empty() => {}
            None => {
                current.push_str(trimmed);
                lines.push(std::mem::take(&mut current));
            }
        }
    }
    lines.push(current);
    lines
}

/// Words apart by white space outside of quotes.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut quote = None;
    let (mut words, mut current) = (Vec::new(), String::new());
    for character in text.chars() {
        match quote {
            Some(open) if character == open => quote = None,
            None if matches!(character, '"' | '\'') => quote = Some(character),
            None if character.is_whitespace() => {
                words.push(std::mem::take(&mut current));
                continue;
            }
            _ => {}
        }
        current.push(character);
    }
    words.push(current);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_every_form_of_arg_and_env() {
        let cases: [(&str, &[&str]); 9] = [
            ("ARG A", &["ARG A"]),
            ("arg A=1 B=\"x y\" C", &["ARG A", "ARG B", "ARG C"]),
            ("ENV A=1 B='x y'", &["ENV A", "ENV B"]),
            ("ENV A some value with B=c", &["ENV A"]),
            ("ENV A=1 \\\n# a comment\n\n  B=2\nRUN x", &["ENV A", "ENV B"]),
            ("# escape=`\nENV A=1 `\n B=2", &["ENV A", "ENV B"]),
            ("# ARG A\nRUN echo ARG B\nFROM x AS ARG", &[]),
            ("FROM x\r\nARG A\r\nRUN y\r\n", &["ARG A"]),
            ("RUN a \\\n && ENV B=c", &[]),
        ];
        for (text, expected) in cases {
            let found = Declared::all_of(text).into_iter();
            let found: Vec<String> = found.map(|one| format!("{} {}", one.instruction, one.name)).collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
