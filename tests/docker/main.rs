//! The engine's module against a real engine. No engine is a loud failure, never a skip.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

mod build_secrets;
mod builds;
mod containers;
mod context;
#[path = "../support/docker_cli.rs"]
mod docker_cli;
mod events;
mod harness;
mod negotiation;
mod networks;
mod ownership;
mod relay;
mod sites;
mod workshop;
