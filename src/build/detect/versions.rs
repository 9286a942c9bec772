//! Which version of each language an image has when a source asks for none: one table, kept by hand with each release
//! of Dhow. A version that a source names is taken as it is.

/// Debian's release that images are built on where their name tells it.
pub const DEBIAN: &str = "bookworm";
/// The server of static sites, by its exact minor version.
pub const NGINX: &str = "nginx:1.28-alpine";

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
/// The build argument that says where .NET's official images are: they stand in their maker's registry alone, and no
/// registry is named here.
pub const DOTNET_IMAGES: &str = "DOTNET_IMAGES";
/// Node.js where another language's app has assets that it builds.
pub const ASSETS_NODE: u32 = 22;
