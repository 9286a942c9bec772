//! Which version of each language an image has when a source asks for none: one table, kept by hand with each release
//! of Dhow. A version that a source names is taken as it is.

/// Debian's release that images are built on where their name tells it.
pub const DEBIAN: &str = "bookworm";
/// The server of static sites, by its exact minor version.
pub const NGINX: &str = "nginx:1.28-alpine";

/// Node.js where nothing names one: the release with long-term support that most apps run on.
pub const NODE: u64 = 24;
/// The majors of Node.js that a range can ask for, newest first. A version named without a range may be any.
pub const KNOWN_NODE: [u64; 5] = [26, 24, 22, 20, 18];
/// The names that `.nvmrc` knows long-term releases by.
pub const NODE_LTS: [(&str, u64); 7] = [
    ("krypton", 24),
    ("jod", 22),
    ("iron", 20),
    ("hydrogen", 18),
    ("gallium", 16),
    ("fermium", 14),
    ("erbium", 12),
];
/// From this major on, images of Node.js have no yarn.
pub const NODE_WITHOUT_YARN: u64 = 26;
/// pnpm where neither `packageManager` nor the lock file's format tells another.
pub const PNPM: &str = "10";
/// yarn with a lock file of its first format.
pub const YARN_CLASSIC: &str = "1";
/// yarn with a lock file of a newer one.
pub const YARN: &str = "4";
/// Bun, by the tag of its image.
pub const BUN: &str = "1";
/// Deno, by the tag of its image: there are none but whole versions.
pub const DENO: &str = "2.9.3";
