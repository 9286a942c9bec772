//! Static sites: served by a small pinned image with a configuration written for the site.

use super::{Dockerfile, GeneratedFile, Reason, Tree, Undetected, Wishes};

/// Where a finished site lies.
#[derive(Debug, Clone)]
pub enum Content {
    /// In the context, as it is; `""` is the whole of it.
    Context(String),
    /// In a stage that built it, by an absolute path.
    Stage {
        /// The stage's name.
        stage: &'static str,
        /// The directory.
        path: String,
    },
}

/// What a static site needs besides its files.
#[derive(Debug)]
pub struct Served {
    /// The configuration, which the Dockerfile copies.
    pub file: GeneratedFile,
    /// What was found out on the way: redirects, an own 404 page.
    pub reasons: Vec<Reason>,
}

/// Writes the last stage, which serves the site. `is_single_page` answers every unknown path with `index.html`.
pub fn serve(
    dockerfile: &mut Dockerfile,
    content: &Content,
    is_single_page: bool,
    tree: &Tree,
    wishes: &Wishes,
) -> Result<Served, Undetected> {
    let _ = (dockerfile, content, is_single_page, tree, wishes);
    Err(Undetected::Incomplete("not yet".to_owned()))
}
