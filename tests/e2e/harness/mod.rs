//! What stories are told with: Dhow itself and the real parts around it, each a small noun that cleans up after itself.

pub mod api;
pub mod browser;
pub mod company_network;
pub mod dhow;
pub mod docker;
#[path = "../../support/docker_cli.rs"]
mod docker_cli;
pub mod engine_proxy;
pub mod form;
#[path = "../../support/free_port.rs"]
pub mod free_port;
pub mod gate;
pub mod git_server;
pub mod held_up;
pub mod http;
pub mod island;
pub mod leftovers;
#[allow(dead_code, reason = "the tests of Git use the rest of it")]
#[path = "../../support/lfs_store.rs"]
pub mod lfs_store;
pub mod load;
pub mod panel;
pub mod pebble;
pub mod private_engine;
pub mod process;
mod proof;
pub mod pushing;
pub mod redeploys;
pub mod registry;
pub mod repository;
pub mod setup;
pub mod small_disk;
pub mod small_image;
pub mod sse;
#[path = "../../support/ssh_server.rs"]
pub mod ssh_server;
pub mod tls;
pub mod totp;
pub mod values;
pub mod visitor;
pub mod wait;
pub mod words;
