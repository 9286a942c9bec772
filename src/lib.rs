//! Dhow: a self-hosted platform-as-a-service small enough for one VPS.
//!
//! The map of modules is in the README; which module may use which is checked by `tests/architecture.rs`.

pub mod build;
pub mod docker;
pub mod git;
pub mod hooks;
pub mod model;
pub mod traefik;
