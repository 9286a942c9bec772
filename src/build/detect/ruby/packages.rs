//! Which of Debian's packages gems need: to be compiled, and when they run. The names belong to the release in
//! `versions::DEBIAN`.

use super::gemfile::Gemfile;

struct Needs {
    gem: &'static str,
    /// Whether it counts only when the app asks for it itself.
    is_direct: bool,
    headers: &'static [&'static str],
    libraries: &'static [&'static str],
}

const fn needs(gem: &'static str, headers: &'static [&'static str], libraries: &'static [&'static str]) -> Needs {
    Needs {
        gem,
        is_direct: false,
        headers,
        libraries,
    }
}

const NEEDS: &[Needs] = &[
    needs("charlock_holmes", &["libicu-dev"], &["libicu72"]),
    needs("curb", &["libcurl4-openssl-dev"], &["libcurl4"]),
    needs("ethon", &[], &["libcurl4"]),
    needs("image_processing", &[], &["libvips42"]),
    // Comes with image_processing too, which prefers libvips.
    Needs {
        gem: "mini_magick",
        is_direct: true,
        headers: &[],
        libraries: &["imagemagick"],
    },
    needs("mysql2", &["default-libmysqlclient-dev"], &["libmariadb3"]),
    needs("pg", &["libpq-dev"], &["libpq5"]),
    needs(
        "rmagick",
        &["libmagickwand-dev"],
        &["imagemagick", "libmagickwand-6.q16-6"],
    ),
    needs("ruby-vips", &[], &["libvips42"]),
    needs("sqlite3", &["libsqlite3-dev"], &["libsqlite3-0"]),
];

/// What every app's gems are compiled with.
const COMPILER: &[&str] = &["build-essential", "git", "libyaml-dev", "pkg-config"];

fn needed(gems: &Gemfile) -> impl Iterator<Item = &'static Needs> {
    NEEDS.iter().filter(|needs| {
        let names = if needs.is_direct { &gems.direct } else { &gems.all };
        names.contains(needs.gem)
    })
}

/// Packages for the stage that compiles.
pub fn headers(gems: &Gemfile) -> Vec<&'static str> {
    let headers = needed(gems).flat_map(|needs| needs.headers);
    COMPILER.iter().chain(headers).copied().collect()
}

/// Packages for every stage, and the gems that want them.
pub fn libraries(gems: &Gemfile) -> (Vec<&'static str>, Vec<&'static str>) {
    let with_libraries: Vec<&Needs> = needed(gems).filter(|needs| !needs.libraries.is_empty()).collect();
    (
        with_libraries
            .iter()
            .flat_map(|needs| needs.libraries)
            .copied()
            .collect(),
        with_libraries.iter().map(|needs| needs.gem).collect(),
    )
}
