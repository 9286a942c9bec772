//! Which Ruby an app asks for.

use super::super::manifest::tool_version;
use super::super::plain::{major_minor, number};
use super::super::range::{self, Range};
use super::super::versions::{RUBY, RUBY_KNOWN};
use super::super::{Reason, Tree, Undetected};
use super::gemfile::Gemfile;

/// A version as the image's tag has it, and what asks for it; the default has no reason.
pub fn version(tree: &Tree, gems: &Gemfile) -> Result<(String, Option<Reason>), Undetected> {
    if let [exact] = gems.ruby.as_slice()
        && exact.starts_with(|first: char| first.is_ascii_digit())
    {
        return named(exact, "Gemfile", "ruby").map(|(tag, reason)| (tag, Some(reason)));
    }
    // Bundler checks the Gemfile's requirement, so other files count only within it.
    let asked: Vec<&str> = gems.ruby.iter().map(String::as_str).collect();
    let range = Range::rubygems(&asked).ok_or_else(|| unsupported("Gemfile", &gems.ruby.join(", ")))?;
    for (file, what, text) in hints(tree, gems) {
        let (tag, reason) = named(&text, file, what)?;
        if major_minor(&tag).is_some_and(|minor| range.admits(minor)) {
            return Ok((tag, Some(reason)));
        }
    }
    let text = gems.ruby.join(", ");
    let picked = range::pick(&[range], RUBY, RUBY_KNOWN).ok_or_else(|| unsupported("Gemfile", &text))?;
    let tag = format!("{}.{}", picked.0, picked.1);
    let reason = (!text.is_empty()).then(|| Reason::new("Gemfile", format!("ruby {text:?} admits Ruby {tag}")));
    Ok((tag, reason))
}

/// Versions in other files than the Gemfile, most decisive first.
fn hints(tree: &Tree, gems: &Gemfile) -> Vec<(&'static str, &'static str, String)> {
    let file = tree.text(".ruby-version");
    let tool = tool_version(tree, &["ruby"]);
    let locked = gems.locked_ruby.clone();
    [
        (".ruby-version", "", file),
        (".tool-versions", "ruby", tool),
        ("Gemfile.lock", "RUBY VERSION", locked),
    ]
    .into_iter()
    .filter_map(|(name, what, text)| Some((name, what, text?)))
    .collect()
}

/// The tag for a version that is written out. Bundler insists on a patch version, so it is kept.
fn named(text: &str, file: &str, what: &str) -> Result<(String, Reason), Undetected> {
    let written = text.trim().trim_start_matches("ruby-");
    let (major, minor) = major_minor(written)
        .filter(|version| *version >= RUBY_KNOWN[0])
        .ok_or_else(|| unsupported(file, text.trim()))?;
    let patch = written.split('.').nth(2).and_then(number).map(|(patch, _)| patch);
    let tag = match patch {
        Some(patch) => format!("{major}.{minor}.{patch}"),
        None => format!("{major}.{minor}"),
    };
    let asks = format!("{what} {written:?} asks for Ruby {tag}");
    Ok((tag, Reason::new(file, asks.trim())))
}

fn unsupported(file: &str, text: &str) -> Undetected {
    let oldest = RUBY_KNOWN[0];
    Undetected::Incomplete(format!(
        "{file} asks for Ruby {text:?}, and only official Ruby from {}.{} on can be had. Raise the version, or write a \
         Dockerfile",
        oldest.0, oldest.1
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::super::Tree;
    use super::super::gemfile::Gemfile;
    use super::version;

    #[test]
    fn each_file_may_name_the_version() {
        for (files, expected) in [
            (&[("Gemfile", "")][..], "3.4"),
            (&[("Gemfile", "ruby '3.3.5'")], "3.3.5"),
            (&[("Gemfile", "ruby \"~> 3.2.0\"")], "3.2"),
            (&[("Gemfile", ""), (".ruby-version", "ruby-3.2.4\n")], "3.2.4"),
            (&[("Gemfile", "ruby '>= 3.3'"), (".ruby-version", "3.2.4\n")], "3.4"),
            (
                &[("Gemfile", "ruby file: '.ruby-version'"), (".ruby-version", "3.3\n")],
                "3.3",
            ),
            (
                &[("Gemfile", ""), (".tool-versions", "nodejs 22\nruby 3.3.1\n")],
                "3.3.1",
            ),
            (
                &[("Gemfile", ""), ("Gemfile.lock", "RUBY VERSION\n   ruby 3.2.2p53\n")],
                "3.2.2",
            ),
            (&[("Gemfile", "ruby '2.7.8'")], "refused"),
            (&[("Gemfile", ""), (".ruby-version", "jruby-9.4\n")], "refused"),
            (&[("Gemfile", ""), (".ruby-version", "3.4.1\nRUN id\n")], "3.4.1"),
            (&[("Gemfile", ""), (".ruby-version", "$(id)\n")], "refused"),
        ] {
            let root = tempfile::tempdir().unwrap();
            for (name, text) in files {
                fs::write(root.path().join(name), text).unwrap();
            }
            let tree = Tree::open(root.path()).unwrap();
            let found = version(&tree, &Gemfile::read(&tree).unwrap());
            let found = found.map_or_else(|_| "refused".to_owned(), |(tag, _)| tag);
            assert_eq!(found, expected, "{files:?}");
        }
    }
}
