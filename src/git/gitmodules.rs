//! `.gitmodules`, read by Dhow itself: libgit2 would follow its `include`s to other files of this machine.
//!
//! The syntax is that of git-config(1), of which `path` and `url` of `[submodule "name"]` are kept. A line that is none
//! of it is passed over, as everything else that Dhow has no use for.

use std::collections::BTreeMap;

/// The largest file that is read; one with a thousand submodules has a tenth of it.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// The addresses of submodules by their paths, as they are written. Of two with one path the last counts, as in git.
pub(super) fn parse(bytes: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(bytes);
    let mut sections: BTreeMap<String, (Option<String>, Option<String>)> = BTreeMap::new();
    let mut section = None;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    for line in logical_lines(text) {
        let line = line.trim();
        if line.starts_with('[') {
            section = section_name(line);
            continue;
        }
        let (Some(name), Some((key, value))) = (&section, line.split_once('=')) else {
            continue;
        };
        let (path, url) = sections.entry(name.clone()).or_default();
        match key.trim().to_ascii_lowercase().as_str() {
            "path" => *path = Some(read_value(value)),
            "url" => *url = Some(read_value(value)),
            _ => {}
        }
    }
    let complete = sections.into_values().filter_map(|(path, url)| path.zip(url));
    complete
        .map(|(path, url)| (path.trim_end_matches('/').to_owned(), url))
        .collect()
}

/// Lines, those that end with a backslash joined with the next.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = vec![];
    let mut current = String::new();
    for line in text.lines() {
        let backslashes = line.chars().rev().take_while(|c| *c == '\\').count();
        if backslashes % 2 == 1 {
            current.push_str(&line[..line.len() - 1]);
        } else {
            lines.push(std::mem::take(&mut current) + line);
        }
    }
    lines.push(current);
    lines
}

/// The name in `[submodule "name"]`.
fn section_name(line: &str) -> Option<String> {
    let (head, rest) = line[1..].split_once('"')?;
    let is_submodule = head.trim().eq_ignore_ascii_case("submodule");
    let (name, _) = rest.rsplit_once("\"]").or_else(|| rest.rsplit_once('"'))?;
    is_submodule.then(|| name.replace("\\\"", "\"").replace("\\\\", "\\"))
}

/// A value without its quotes and comment.
fn read_value(text: &str) -> String {
    let (mut value, mut kept) = (String::new(), 0);
    let mut is_quoted = false;
    let mut signs = text.trim_start().chars();
    while let Some(sign) = signs.next() {
        match sign {
            '"' => is_quoted = !is_quoted,
            '#' | ';' if !is_quoted => break,
            '\\' => match signs.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some(other) => value.push(other),
                None => {}
            },
            sign => value.push(sign),
        }
        // White space at the end counts only in quotes.
        if is_quoted || !sign.is_whitespace() {
            kept = value.len();
        }
    }
    value.truncate(kept);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<(String, String)> {
        parse(text.as_bytes()).into_iter().collect()
    }

    fn pair(path: &str, url: &str) -> (String, String) {
        (path.to_owned(), url.to_owned())
    }

    /// Case git-submodules.
    #[test]
    fn git_submodules_paths_and_addresses_are_read_as_git_reads_them() {
        let text = "\u{feff}# comment\n[submodule \"lib\"]\n\tpath = vendor/lib/ ; note\n\turl = ../lib.git # note\n\
                    \tbranch = main\n[Submodule \"a \\\"b\"]\r\n  PATH=\"a # b \"\r\n  url = \"https://h.example/a\"\r\n\
                    [submodule \"long\"]\npath = lo\\\nng\nurl = git@h.example:x.git\n[core]\npath = x\nurl = y\n";
        assert_eq!(
            parsed(text),
            [
                pair("a # b ", "https://h.example/a"),
                pair("long", "git@h.example:x.git"),
                pair("vendor/lib", "../lib.git"),
            ]
        );
    }

    #[test]
    fn what_git_writes_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        for (path, url) in [
            ("a b#c;d", "../x y"),
            ("q\"uote\\", "https://h.example/;x"),
            (" lead", "u\tv"),
        ] {
            let _ = std::fs::remove_file(&file);
            for (key, value) in [("path", path), ("url", url)] {
                let key = format!("submodule.na\"me.{key}");
                let git = std::process::Command::new("git")
                    .args(["config", "-f"])
                    .arg(&file)
                    .args([&key, value])
                    .status();
                assert!(git.expect("git is installed").success());
            }
            assert_eq!(
                parse(&std::fs::read(&file).unwrap()).into_iter().collect::<Vec<_>>(),
                [pair(path, url)]
            );
        }
    }

    #[test]
    fn includes_and_nonsense_are_passed_over() {
        assert_eq!(
            parsed("[include]\n\tpath = /etc/passwd\n[includeIf \"x\"]\npath=/x\nurl=y\n"),
            []
        );
        for text in [
            "",
            "[",
            "[submodule",
            "[submodule \"",
            "=",
            "[submodule \"x\"]\npath",
            "\\",
            "[submodule \"\\\"]\n",
        ] {
            assert_eq!(parsed(text), [], "{text:?}");
        }
        parse(&[0xff, 0xfe, b'[', 0, b'"', b'\\']);
    }
}
