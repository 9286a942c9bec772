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

// PHP, Ruby, Java and .NET.

/// PHP, and the versions whose images are built on [`DEBIAN`].
pub const PHP: (u32, u32) = (8, 4);
/// See [`PHP`].
pub const PHP_KNOWN: &[(u32, u32)] = &[(8, 1), (8, 2), (8, 3), (8, 4), (8, 5)];
/// Where Composer comes from.
pub const COMPOSER: &str = "composer:2";
/// Ruby, and the versions whose images are built on [`DEBIAN`].
pub const RUBY: (u32, u32) = (3, 4);
/// See [`RUBY`].
pub const RUBY_KNOWN: &[(u32, u32)] = &[(3, 1), (3, 2), (3, 3), (3, 4), (4, 0)];
/// Java, and the versions with long support.
pub const JAVA: u32 = 21;
/// See [`JAVA`].
pub const JAVA_KNOWN: &[u32] = &[8, 11, 17, 21, 25];
/// Maven where a source brings no wrapper.
pub const MAVEN: &str = "maven:3.9-eclipse-temurin";
/// .NET, and the oldest whose images have the user `app`.
pub const DOTNET: (u32, u32) = (10, 0);
/// See [`DOTNET`].
pub const DOTNET_OLDEST: (u32, u32) = (8, 0);
/// Where .NET's official images are: in their maker's registry alone.
pub const DOTNET_IMAGES: &str = "mcr.microsoft.com/dotnet";
/// Node.js where another language's app has assets that it builds.
pub const ASSETS_NODE: u32 = 22;

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
