//! One file a story.

mod by_hand;
mod kills;
mod many_projects;
mod redeploys;
