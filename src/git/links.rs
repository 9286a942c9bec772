//! Where the symbolic links of a checkout lead, decided before any of them is made.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::Error;
use crate::model::text::shown_path;

/// As many links in a chain as Linux follows (path_resolution(7)).
const MAX_HOPS: usize = 40;

/// The symbolic links of a checkout: where each is, relative to the root, and what it holds.
pub(super) type Links = BTreeMap<PathBuf, PathBuf>;

/// Refuses a checkout with a link that leads out of it.
pub(super) fn admit(links: &Links) -> Result<(), Error> {
    find_escape(links).map_or(Ok(()), |place| {
        Err(Error::Refused(format!(
            "{} is a symbolic link that leads out of the repository. Make it relative, to something inside.",
            shown_path(place)
        )))
    })
}

/// The first link that leads out of the checkout, be it over other links. Where nothing stands, `..` takes back a
/// part of the path all the same, since a build may put a directory there.
fn find_escape(links: &Links) -> Option<&Path> {
    links
        .iter()
        .find(|(place, target)| !stays_inside(place, target, links))
        .map(|(place, _)| place.as_path())
}

fn stays_inside(place: &Path, target: &Path, links: &Links) -> bool {
    let mut here: PathBuf = place.parent().map(Path::to_path_buf).unwrap_or_default();
    // The parts still to be walked, the next one last.
    let mut ahead: Vec<OsString> = Vec::new();
    if !push_parts(&mut ahead, target) {
        return false;
    }
    let mut hops = 0;
    while let Some(part) = ahead.pop() {
        if part == ".." {
            if !here.pop() {
                return false;
            }
            continue;
        }
        here.push(part);
        if let Some(next) = links.get(&here) {
            hops += 1;
            here.pop();
            // A loop leads nowhere, and so not outside.
            if hops > MAX_HOPS {
                return true;
            }
            if !push_parts(&mut ahead, next) {
                return false;
            }
        }
    }
    true
}

/// Puts the parts of a path ahead of what is there; false for an absolute one.
fn push_parts(ahead: &mut Vec<OsString>, path: &Path) -> bool {
    for component in path.components().rev() {
        match component {
            Component::Normal(part) => ahead.push(part.to_owned()),
            Component::ParentDir => ahead.push("..".into()),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escape(links: &[(&str, &str)]) -> Option<String> {
        let links: Links = links
            .iter()
            .map(|(place, target)| ((*place).into(), (*target).into()))
            .collect();
        find_escape(&links).map(|place| place.display().to_string())
    }

    #[test]
    fn lets_links_inside_pass() {
        for links in [
            &[("a", "b")][..],
            &[("a", ".")],
            &[("d/a", "../b")],
            &[("d/e/a", "../..")],
            &[("a", "d/../b")],
            &[("a", "missing/x/../../b")],
            &[("a", "b"), ("b", "a")],
            &[("a", "a/..")],
            &[("up", "d/e"), ("x", "up/../f")],
            &[("d/e/f/up", "../../.."), ("x", "d/e/f/up/README")],
        ] {
            assert_eq!(escape(links), None, "{links:?}");
        }
    }

    #[test]
    fn finds_links_that_leave() {
        for (links, culprit) in [
            (&[("a", "/etc/passwd")][..], "a"),
            (&[("a", "..")], "a"),
            (&[("d/a", "../../x")], "d/a"),
            (&[("d/a", "./../.././x")], "d/a"),
            (&[("a", "d/../../x")], "a"),
            // Each looks harmless when read as text; together they climb.
            (&[("d/e/f/up", "../../.."), ("x", "d/e/f/up/../etc")], "x"),
            (&[("d/deep", "../e/f"), ("e/f", ".."), ("x", "d/deep/../y")], "x"),
            (&[("b", "missing"), ("c", "b/../../x")], "c"),
        ] {
            assert_eq!(escape(links).as_deref(), Some(culprit), "{links:?}");
        }
    }
}
