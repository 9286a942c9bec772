//! What a `Procfile` says of the process that serves: Heroku's format, `name: command` by line. It names no language;
//! whichever one the source is in may take its start command from here.

use super::Tree;

/// The file's name.
pub const FILE: &str = "Procfile";

/// The command of the `web` process, as it stands there: one line for a shell, which knows `$PORT`. The first such line
/// counts. It goes into a Dockerfile by [`super::Dockerfile::cmd_shell`] only, where it can be nothing but a command.
pub fn web(tree: &Tree) -> Option<String> {
    let text = tree.text(FILE)?;
    text.lines().find_map(|line| {
        let (name, command) = line.split_once(':')?;
        let command = command.trim();
        // No program can be given such a byte; JSON has a spelling for all others.
        let is_command = !command.is_empty() && !command.contains('\0');
        (name.trim() == "web" && is_command).then(|| command.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::Tree;
    use super::web;

    fn web_of(text: &str) -> Option<String> {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("Procfile"), text).unwrap();
        web(&Tree::open(root.path()).unwrap())
    }

    #[test]
    fn the_first_web_line_counts_however_it_is_spaced() {
        for (text, expected) in [
            ("web: gunicorn app:app\n", Some("gunicorn app:app")),
            ("web:gunicorn app:app", Some("gunicorn app:app")),
            ("worker: celery\r\nweb:  puma -p $PORT \r\n", Some("puma -p $PORT")),
            ("web: a\nweb: b\n", Some("a")),
            ("# web: a\nwebsocket: b\nrelease: c\n", None),
            ("web:\n", None),
            ("web: a\u{0}b\n", None),
            ("web: cat <<EOF\nUSER root\nEOF\n", Some("cat <<EOF")),
            ("", None),
        ] {
            assert_eq!(web_of(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn without_the_file_there_is_none() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(web(&Tree::open(root.path()).unwrap()), None);
    }
}
