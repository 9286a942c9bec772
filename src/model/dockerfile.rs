//! What can be told from a Dockerfile's text without building it.

mod bases;
mod declared;

pub use bases::bases;
pub use declared::Declared;

/// What a Dockerfile asks of the program that reads it (BuildKit calls that its frontend).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrontendNeeds {
    /// The frontend image that a `# syntax=` line names; BuildKit fetches it from its registry.
    pub syntax: Option<String>,
    /// Whether it has a heredoc (`RUN <<EOF`), which BuildKit's built-in frontend knows since Docker 23.0.
    pub has_heredoc: bool,
}

impl FrontendNeeds {
    /// Reads them from the text (Dockerfile reference, "Parser directives" and "Here-Documents").
    pub fn of(dockerfile: &str) -> FrontendNeeds {
        let text = dockerfile.trim_start_matches('\u{feff}');
        let mut directives = text.lines().map_while(directive);
        let syntax = directives
            .find(|(key, _)| key.eq_ignore_ascii_case("syntax"))
            .map(|(_, value)| value.to_owned());
        let code = text.lines().map(str::trim_start).filter(|line| !line.starts_with('#'));
        FrontendNeeds {
            syntax,
            has_heredoc: code.into_iter().any(opens_heredoc),
        }
    }
}

/// `# key=value`; directives end with the first line that is none.
fn directive(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.trim().strip_prefix('#')?.split_once('=')?;
    let key = key.trim();
    let is_name = !key.is_empty() && key.chars().all(|character| character.is_ascii_alphanumeric());
    is_name.then_some((key, value.trim()))
}

/// Whether the line holds `<<WORD`, `<<-WORD` or `<<"WORD"`. Shells have `<<<` too, which is another thing.
fn opens_heredoc(line: &str) -> bool {
    line.match_indices("<<").any(|(index, _)| {
        let after = line[index + 2..]
            .trim_start_matches('-')
            .trim_start_matches(['"', '\'']);
        !line[..index].ends_with('<') && after.starts_with(|next: char| next.is_ascii_alphabetic() || next == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_syntax_line_counts_only_among_the_first_directives() {
        let cases = [
            ("# syntax=docker/dockerfile:1\nFROM a", Some("docker/dockerfile:1")),
            (
                "#syntax = docker/dockerfile:1.7 \nFROM a",
                Some("docker/dockerfile:1.7"),
            ),
            ("\u{feff}# escape=`\n# Syntax=x/y\nFROM a", Some("x/y")),
            ("# a comment\n# syntax=x/y\nFROM a", None),
            ("FROM a\n# syntax=x/y", None),
            ("\n# syntax=x/y\nFROM a", None),
            ("FROM a", None),
        ];
        for (text, expected) in cases {
            assert_eq!(FrontendNeeds::of(text).syntax.as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn heredocs_are_told_from_here_strings_and_comments() {
        let cases = [
            ("RUN <<EOF\necho hi\nEOF", true),
            ("COPY <<-\"END\" /x\nhi\nEND", true),
            ("RUN cat <<'_e' > /x\nhi\n_e", true),
            ("RUN cat <<<word", false),
            ("# RUN <<EOF\nRUN echo $((1<<2))", false),
            ("RUN echo '<< 3'", false),
        ];
        for (text, expected) in cases {
            assert_eq!(FrontendNeeds::of(text).has_heredoc, expected, "{text:?}");
        }
    }
}
