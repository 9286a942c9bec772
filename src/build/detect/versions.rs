//! Which version of each language an image has when a source asks for none: one table, kept by hand with each release
//! of Dhow. A version that a source names is taken as it is.

/// Debian's release that images are built on where their name tells it.
pub const DEBIAN: &str = "bookworm";
/// The server of static sites, by its exact minor version.
pub const NGINX: &str = "nginx:1.28-alpine";

// Python, Go, Rust and Elixir.

/// Python where a source asks for none.
pub const PYTHON: &str = "3.13";
/// Python's minor versions after `3.` that have images, newest first.
pub const PYTHON_MINORS: [u32; 6] = [14, 13, 12, 11, 10, 9];
/// Installs what `uv.lock` names.
pub const UV: &str = "uv==0.13.9";
/// Installs what `poetry.lock` names; the last that runs on each Python above.
pub const POETRY: &str = "poetry==2.1.4";
/// Installs what `Pipfile.lock` names.
pub const PIPENV: &str = "pipenv==2024.4.1";
/// Serves WSGI where the dependencies name no server.
pub const GUNICORN: &str = "gunicorn==23.0.0";
/// Serves ASGI where the dependencies name no server.
pub const UVICORN: &str = "uvicorn==0.34.0";
/// Go where a source asks for none, or for one that has no image on [`DEBIAN`].
pub const GO: &str = "1.25";
/// The first of Go's minor versions after `1.` with an image on [`DEBIAN`].
pub const GO_OLDEST_MINOR: u32 = 20;
/// What a static binary runs in: a shell and nothing else.
pub const BUSYBOX: &str = "busybox:1.37";
/// Rust where a source asks for none: the newest.
pub const RUST: &str = "1";
/// The first of Rust's minor versions after `1.` with an image on [`DEBIAN`].
pub const RUST_OLDEST_MINOR: u32 = 71;
/// Elixir's minor version after `1.` where a source asks for none.
pub const ELIXIR_MINOR: u32 = 19;
/// Erlang/OTP for each of Elixir's minor versions after `1.`, where a source asks for none.
pub const OTP: [(u32, u32); 7] = [(14, 25), (15, 26), (16, 26), (17, 27), (18, 27), (19, 27), (20, 28)];
/// Node.js for the packages of a Phoenix app's assets.
pub const PHOENIX_NODE: &str = "node:22-bookworm-slim";
