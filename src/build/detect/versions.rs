//! Which version of each language an image has when a source asks for none: one table, kept by hand with each release
//! of Dhow. A version that a source names is taken as it is.

/// Debian's release that images are built on where their name tells it.
pub const DEBIAN: &str = "bookworm";
/// The server of static sites, by its exact minor version.
pub const NGINX: &str = "nginx:1.28-alpine";
