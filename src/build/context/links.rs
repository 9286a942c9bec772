//! Symbolic links: whether what a link leads to is in the context, too.

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::model::text::shown_path;

/// As many links in a row as Linux follows (`path_resolution(7)`).
const MAX_LINKS: usize = 40;

/// Refuses a link of the context that leads out of it, whether its target is there or not: in the image it would lead
/// to something else, or to nothing.
pub(super) fn check(root: &Path, link: &Path, target: &Path) -> io::Result<()> {
    let start = link.parent().unwrap_or(Path::new(""));
    if stays(root, start.to_owned(), target, &mut 0).is_some() {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "the link `{}` leads to `{}`, which is outside of the build context. Set the build context, or the root \
         directory, to a folder that holds both, or name the link in .dockerignore",
        shown_path(link),
        shown_path(target)
    )))
}

/// Where a path leads that is seen from a directory of the context, links on it included; `None` if it leads out.
fn stays(root: &Path, mut place: PathBuf, path: &Path, links: &mut usize) -> Option<PathBuf> {
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                if !place.pop() {
                    return None;
                }
            }
            Component::Normal(name) => {
                let next = place.join(name);
                match root.join(&next).read_link() {
                    Ok(target) => {
                        *links += 1;
                        // Round in circles it leads nowhere, but not out.
                        if *links > MAX_LINKS {
                            return Some(next);
                        }
                        place = stays(root, place, &target, links)?;
                    }
                    Err(_) => place = next,
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(place)
}
