//! Stories that take long: a hundred redeploys, random kills, sixty projects, and Dhow's times beside a script's.
//!
//! `make soak` tells them one after the other, each bounded. They are told with the harness of the shorter stories.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

#[path = "../e2e/harness/mod.rs"]
#[allow(dead_code, reason = "the shorter stories use the rest of it")]
mod harness;

mod stories;
