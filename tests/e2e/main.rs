//! Stories of Dhow's users, told to the built binary, a real engine, a real Traefik, real git and a real browser.
//!
//! One file a story. `harness` is what they are told with. Every test makes its own instance with its own name, ports,
//! subnets and data, and removes what it made, also when it fails. Without a Docker engine they fail.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

mod harness;
mod journey;

mod engine_trouble;
mod first_deployment;
mod ownership;
mod projects_under_load;
mod without_javascript;
