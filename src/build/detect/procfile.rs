//! `Procfile`: the command of the web process.

use super::Tree;

/// The command after `web:`.
pub fn web(tree: &Tree) -> Option<String> {
    let text = tree.text("Procfile")?;
    let command = text.lines().find_map(|line| line.strip_prefix("web:"))?.trim();
    (!command.is_empty()).then(|| command.to_owned())
}
