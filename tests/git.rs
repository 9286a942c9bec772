//! Repositories with the real git on the other side: what Dhow fetches, and what users push to it.

#![allow(clippy::unwrap_used)]

#[path = "git/checkouts.rs"]
mod checkouts;
#[path = "git/encrypted.rs"]
mod encrypted;
#[path = "git/fetching.rs"]
mod fetching;
#[path = "support/git_server.rs"]
mod git_server;
#[path = "git/pushing.rs"]
mod pushing;
