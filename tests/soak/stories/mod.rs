//! One file a story.

mod kills;
mod many_projects;
mod redeploys;
mod times;
