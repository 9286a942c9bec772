//! Scripts and other shell commands as far as they have to be understood: told apart are a plain command, whose words
//! can run without a shell, and everything else, which a shell gets as it stands.

/// What leads over to another command, or makes a text more than one line.
const OPERATORS: [char; 5] = ['&', '|', ';', '\n', '\r'];

/// The words of a command that means the same without a shell; `None` for any other.
pub fn plain_words(text: &str) -> Option<Vec<String>> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || " _./:=@,+%-".contains(letter);
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    (!words.is_empty() && text.trim().chars().all(is_plain)).then_some(words)
}

/// The commands that a text chains, each with its words; quotes are not looked into.
pub fn commands(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.split(OPERATORS)
        .map(|command| command.split_whitespace().collect::<Vec<_>>())
        .filter(|words| !words.is_empty())
}

/// Whether a shell has just one command to run, so that it may give way to it.
pub fn is_single(text: &str) -> bool {
    !text.contains(OPERATORS) && !text.split_whitespace().next().is_some_and(is_assignment)
}

/// A chain of commands whose last one takes the place of the shell, so that signals reach it; any other text as it is.
pub fn giving_way(text: &str) -> String {
    let is_chain = !text.replace("&&", "").contains(OPERATORS) && !text.contains(['"', '\'', '`', '(', ')', '\\', '#']);
    match text.rsplit_once("&&").filter(|_| is_chain) {
        Some((before, last)) if is_program(last.trim()) => format!("{before}&& exec {}", last.trim()),
        _ => text.to_owned(),
    }
}

/// Whether a command is one that `exec` can run: no part of the shell itself, no variable set before it.
fn is_program(command: &str) -> bool {
    let first = command.split_whitespace().next().unwrap_or("");
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "._/-".contains(letter);
    let is_shells = [
        "cd", "exec", "export", "set", "if", "while", "for", "until", "case", "wait", "eval",
    ]
    .contains(&first);
    !first.is_empty() && first.chars().all(is_name) && !is_shells
}

/// Whether a word sets a variable for the command behind it.
pub fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && name
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    })
}

/// The words without what only sets variables or finds the program: `NODE_ENV=x cross-env A=b npx next` is `next`.
pub fn without_prefix<'a, 'b>(words: &'b [&'a str]) -> &'b [&'a str] {
    let is_prefix = |word: &str| is_assignment(word) || matches!(word, "cross-env" | "npx" | "bunx" | "exec" | "--yes");
    let start = words.iter().position(|word| !is_prefix(word)).unwrap_or(words.len());
    &words[start..]
}

/// The script that a command runs by a package manager: `npm run x`, `npm start`, `yarn x`, `pnpm run x`.
pub fn called_script<'a>(words: &[&'a str]) -> Option<&'a str> {
    match words {
        ["npm" | "pnpm" | "yarn" | "bun", "run" | "run-script", name, ..] => Some(name),
        ["node", "--run", name, ..] => Some(name),
        ["npm", name @ ("start" | "test"), ..] => Some(name),
        ["pnpm" | "yarn" | "bun", name, ..] => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{giving_way, plain_words};

    #[test]
    fn the_last_command_of_a_chain_takes_the_place_of_the_shell() {
        for (text, expected) in [
            ("a && node b $X", "a && exec node b $X"),
            ("a && b && c", "a && b && exec c"),
            ("A=1 a && node b", "A=1 a && exec node b"),
            ("a && B=1 node b", "a && B=1 node b"),
            ("a && cd b", "a && cd b"),
            ("a & node b", "a & node b"),
            ("a; b && c", "a; b && c"),
            ("a && b | c", "a && b | c"),
            ("a && sh -c 'b && c'", "a && sh -c 'b && c'"),
            ("(a && b)", "(a && b)"),
        ] {
            assert_eq!(giving_way(text), expected);
        }
    }

    #[test]
    fn words_are_plain_where_a_shell_would_not_change_them() {
        assert_eq!(plain_words(" node  a.js -p 1 ").unwrap(), ["node", "a.js", "-p", "1"]);
        for text in [
            "",
            " ",
            "node $X",
            "a && b",
            "node 'a b'",
            "a\nb",
            "node *.js",
            "~/a",
            "a # b",
            "a\\",
        ] {
            assert_eq!(plain_words(text), None, "{text}");
        }
    }
}
