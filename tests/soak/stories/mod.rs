//! One file a story.

mod kills;
mod many_projects;
mod redeploys;
mod slow_transfers;
mod times;
