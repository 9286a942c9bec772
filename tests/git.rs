//! Repositories with the real git on the other side: what Dhow fetches, and what users push to it.

#![allow(clippy::unwrap_used)]

#[path = "git/checkouts.rs"]
mod checkouts;
#[path = "git/encrypted.rs"]
mod encrypted;
#[path = "git/failures.rs"]
mod failures;
#[path = "git/fetcher.rs"]
mod fetcher;
#[path = "git/fetching.rs"]
mod fetching;
#[path = "support/free_port.rs"]
mod free_port;
#[path = "support/git_server.rs"]
mod git_server;
#[path = "git/history.rs"]
mod history;
#[path = "git/hostile.rs"]
mod hostile;
#[path = "git/lfs.rs"]
mod lfs;
#[path = "support/lfs_store.rs"]
mod lfs_store;
#[path = "git/over_ssh.rs"]
mod over_ssh;
#[path = "git/private.rs"]
mod private;
#[path = "git/push_limits.rs"]
mod push_limits;
#[path = "git/pushing.rs"]
mod pushing;
#[path = "support/ssh_server.rs"]
mod ssh_server;
#[path = "git/submodules.rs"]
mod submodules;
