//! One file a story.

mod by_hand;
mod many_projects;
mod redeploys;
