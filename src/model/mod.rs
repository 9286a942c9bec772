//! The words of Dhow as types: what a project, an app or a deployment is, and which values are allowed.
//!
//! Pure: no I/O, no SQL, no HTTP. A value that breaks a rule cannot be built; every constructor that takes a
//! user's text is called `parse` and answers [`Invalid`] with a sentence that can be shown beside the field.

pub mod access;
pub mod address;
pub mod app;
pub mod audit;
pub mod build_inputs;
pub mod build_plan;
pub mod caa;
pub mod certificate;
pub mod client;
pub mod container;
pub mod delivery;
pub mod deployment;
pub mod difference;
pub mod dockerfile;
pub mod domain;
pub mod dotenv;
pub mod env_var;
pub mod host;
pub mod ids;
pub mod instance;
pub mod invitation;
pub mod ip_range;
pub mod path_prefix;
pub mod pointing;
pub mod port_guess;
pub mod release;
pub mod route;
pub mod site_user;
pub mod slug;
pub mod source;
pub mod subnet;
pub mod text;
pub mod time;
pub mod typed_address;
pub mod user;
mod words;

pub use text::Invalid;
