//! What `Gemfile` and `Gemfile.lock` say, read as text: a Gemfile is a Ruby program, and none is run here.

use std::collections::BTreeSet;

use super::super::Tree;

/// An app's gems.
#[derive(Debug, Default)]
pub struct Gemfile {
    /// Gems that the app asks for itself.
    pub direct: BTreeSet<String>,
    /// All gems that are installed, as far as the lock file tells.
    pub all: BTreeSet<String>,
    /// Requirements after `ruby`, as written.
    pub ruby: Vec<String>,
    /// The Ruby that `Gemfile.lock` was written with.
    pub locked_ruby: Option<String>,
    /// The version of Rails in `Gemfile.lock`.
    pub rails: Option<String>,
    /// Systems that `Gemfile.lock` is for; empty without one.
    pub platforms: Vec<String>,
    /// Whether `Gemfile.lock` is there.
    pub has_lock: bool,
    /// Whether the Gemfile reads further files of the source, so that they have to be there first.
    pub reads_more: bool,
}

impl Gemfile {
    /// Reads both files; none when the source has no `Gemfile`.
    pub fn read(tree: &Tree) -> Option<Self> {
        let text = tree.text("Gemfile")?;
        let mut gemfile = Self {
            has_lock: tree.has("Gemfile.lock"),
            ..Self::default()
        };
        for line in text.lines().map(str::trim) {
            gemfile.take(line);
        }
        gemfile.all = gemfile.direct.clone();
        if let Some(lock) = tree.text("Gemfile.lock") {
            gemfile.take_lock(&lock);
        }
        Some(gemfile)
    }

    /// Whether a gem is installed.
    pub fn has(&self, gem: &str) -> bool {
        self.all.contains(gem)
    }

    fn take(&mut self, line: &str) {
        if line.starts_with('#') {
            return;
        }
        let word = line.split([' ', '(']).next().unwrap_or_default();
        let rest = &line[word.len()..];
        match word {
            "gem" => {
                self.direct.extend(quoted(rest).into_iter().next().map(str::to_owned));
                self.reads_more |= rest.contains("path:") || rest.contains(":path");
            }
            "ruby" => {
                let versions = quoted(rest).into_iter();
                let is_version =
                    |text: &&str| text.starts_with(|first: char| " ~<>=!".contains(first) || first.is_ascii_digit());
                self.ruby = versions.take_while(is_version).map(str::to_owned).collect();
            }
            "gemspec" | "eval_gemfile" | "path" | "instance_eval" | "require_relative" => self.reads_more = true,
            _ => {}
        }
    }

    fn take_lock(&mut self, lock: &str) {
        let mut section = "";
        for line in lock.lines() {
            if !line.starts_with(' ') {
                section = line.trim();
                continue;
            }
            let mut words = line.split_whitespace();
            let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let is_gem = line.starts_with("    ") && !line.starts_with("     ");
            match section {
                "GEM" | "GIT" | "PATH" if is_gem => {
                    if first == "rails" {
                        self.rails = Some(second.trim_matches(['(', ')']).to_owned());
                    }
                    self.all.insert(first.to_owned());
                }
                "PLATFORMS" => self.platforms.push(first.to_owned()),
                "RUBY VERSION" if first == "ruby" => self.locked_ruby = Some(second.to_owned()),
                _ => {}
            }
        }
    }
}

/// What stands between quotes, in order.
fn quoted(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(['"', '\'']) {
        let quote = &rest[start..=start];
        let after = &rest[start + 1..];
        let Some(end) = after.find(quote) else {
            break;
        };
        found.push(&after[..end]);
        rest = &after[end + 1..];
    }
    found
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::super::Tree;
    use super::Gemfile;

    #[test]
    fn a_gemfile_and_its_lock_are_read() {
        let root = tempfile::tempdir().unwrap();
        let gemfile =
            "# gem \"no\"\nruby '>= 3.2', \"< 3.5\", engine: \"jruby\"\ngem('pg')\n  gem \"own\", path: \"x\"\n";
        fs::write(root.path().join("Gemfile"), gemfile).unwrap();
        let lock = "GEM\n  specs:\n    rails (7.1.3)\n      pg (>= 1)\n    rack (3.1.1)\n\nPLATFORMS\n  arm64-darwin-23\n\n\
                    RUBY VERSION\n   ruby 3.3.5p100\n";
        fs::write(root.path().join("Gemfile.lock"), lock).unwrap();
        let read = Gemfile::read(&Tree::open(root.path()).unwrap()).unwrap();
        assert_eq!(read.direct.iter().collect::<Vec<_>>(), ["own", "pg"]);
        assert_eq!(read.all.iter().collect::<Vec<_>>(), ["own", "pg", "rack", "rails"]);
        assert_eq!(read.ruby, [">= 3.2", "< 3.5"]);
        assert_eq!(read.locked_ruby.as_deref(), Some("3.3.5p100"));
        assert_eq!(read.rails.as_deref(), Some("7.1.3"));
        assert_eq!(read.platforms, ["arm64-darwin-23"]);
        assert!(read.reads_more);
    }
}
