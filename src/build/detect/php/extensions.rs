//! PHP's extensions in its official image: which it has, which it compiles, and which packages of Debian's each needs
//! for that and afterwards. The names belong to the release in `versions::DEBIAN`.

use super::super::Undetected;

/// In every official image; from its own list of modules.
const BUILT_IN: &[&str] = &[
    "core",
    "ctype",
    "curl",
    "date",
    "dom",
    "fileinfo",
    "filter",
    "ftp",
    "hash",
    "iconv",
    "json",
    "libxml",
    "mbstring",
    "mysqlnd",
    "openssl",
    "pcre",
    "pdo",
    "pdo_sqlite",
    "phar",
    "posix",
    "random",
    "readline",
    "reflection",
    "session",
    "simplexml",
    "sodium",
    "spl",
    "sqlite3",
    "standard",
    "tokenizer",
    "xml",
    "xmlreader",
    "xmlwriter",
    "zlib",
];

/// How an extension gets into the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Its sources are in the image.
    Compiled,
    /// So are these, but they have to be told what to use.
    Configured(&'static str),
    /// From PECL.
    Loaded,
}

#[derive(Debug)]
struct Extension {
    name: &'static str,
    way: Way,
    /// Packages to compile it with.
    headers: &'static [&'static str],
    /// Packages that it needs when it runs, beyond those in the image.
    libraries: &'static [&'static str],
}

const fn known(
    name: &'static str,
    way: Way,
    headers: &'static [&'static str],
    libraries: &'static [&'static str],
) -> Extension {
    Extension {
        name,
        way,
        headers,
        libraries,
    }
}

const KNOWN: &[Extension] = &[
    known("apcu", Way::Loaded, &[], &[]),
    known("bcmath", Way::Compiled, &[], &[]),
    known("bz2", Way::Compiled, &["libbz2-dev"], &[]),
    known("calendar", Way::Compiled, &[], &[]),
    known("exif", Way::Compiled, &[], &[]),
    known("ffi", Way::Compiled, &["libffi-dev"], &["libffi8"]),
    known(
        "gd",
        Way::Configured("--with-freetype --with-jpeg --with-webp"),
        &["libfreetype-dev", "libjpeg62-turbo-dev", "libpng-dev", "libwebp-dev"],
        &["libfreetype6", "libjpeg62-turbo", "libpng16-16", "libwebp7"],
    ),
    known("gettext", Way::Compiled, &[], &[]),
    known("gmp", Way::Compiled, &["libgmp-dev"], &["libgmp10"]),
    known("igbinary", Way::Loaded, &[], &[]),
    known(
        "imagick",
        Way::Loaded,
        &["libmagickwand-dev"],
        &["libmagickwand-6.q16-6"],
    ),
    known("intl", Way::Compiled, &["libicu-dev"], &["libicu72"]),
    known(
        "ldap",
        Way::Configured("--with-libdir=\"lib/$(dpkg-architecture --query DEB_BUILD_MULTIARCH)\""),
        &["libldap-dev"],
        &["libldap-2.5-0"],
    ),
    known("mongodb", Way::Loaded, &["libssl-dev"], &[]),
    known("msgpack", Way::Loaded, &[], &[]),
    known("mysqli", Way::Compiled, &[], &[]),
    known("opcache", Way::Compiled, &[], &[]),
    known("pcntl", Way::Compiled, &[], &[]),
    known("pdo_mysql", Way::Compiled, &[], &[]),
    known("pdo_pgsql", Way::Compiled, &["libpq-dev"], &["libpq5"]),
    known("pgsql", Way::Compiled, &["libpq-dev"], &["libpq5"]),
    known("redis", Way::Loaded, &[], &[]),
    known("shmop", Way::Compiled, &[], &[]),
    known("soap", Way::Compiled, &["libxml2-dev"], &[]),
    known("sockets", Way::Compiled, &[], &[]),
    known("sysvmsg", Way::Compiled, &[], &[]),
    known("sysvsem", Way::Compiled, &[], &[]),
    known("sysvshm", Way::Compiled, &[], &[]),
    known("tidy", Way::Compiled, &["libtidy-dev"], &["libtidy5deb1"]),
    known("xsl", Way::Compiled, &["libxslt1-dev"], &["libxslt1.1"]),
    known("zip", Way::Compiled, &["libzip-dev"], &["libzip4"]),
];

/// What an image lacks for an app.
#[derive(Debug, Default)]
pub struct Missing {
    found: Vec<&'static Extension>,
}

impl Missing {
    /// Adds an extension that `file` asks for, unless an image of this version has it.
    pub fn add(&mut self, name: &str, file: &str, php: (u32, u32)) -> Result<(), Undetected> {
        let name = if name == "zend-opcache" { "opcache" } else { name };
        let is_built_in = BUILT_IN.contains(&name) || (name == "opcache" && php >= (8, 5));
        if is_built_in || self.found.iter().any(|known| known.name == name) {
            return Ok(());
        }
        let Some(extension) = KNOWN.iter().find(|known| known.name == name) else {
            return Err(Undetected::Incomplete(format!(
                "{file} asks for PHP's extension {name:?}, and how that gets into the official image is not known here. \
                 Write a Dockerfile, or do without the extension"
            )));
        };
        self.found.push(extension);
        self.found.sort_unstable_by_key(|extension| extension.name);
        Ok(())
    }

    /// Whether the image has all.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Their names.
    pub fn names(&self) -> Vec<&'static str> {
        self.found.iter().map(|extension| extension.name).collect()
    }

    /// Packages to compile them with.
    pub fn headers(&self) -> Vec<&'static str> {
        self.found
            .iter()
            .flat_map(|extension| extension.headers)
            .copied()
            .collect()
    }

    /// Packages that they run with.
    pub fn libraries(&self) -> Vec<&'static str> {
        self.found
            .iter()
            .flat_map(|extension| extension.libraries)
            .copied()
            .collect()
    }

    /// The command that compiles those whose sources are in the image.
    pub fn compile(&self) -> Option<String> {
        let mut steps = Vec::new();
        let mut names = Vec::new();
        for extension in &self.found {
            match extension.way {
                Way::Loaded => continue,
                Way::Configured(options) => {
                    steps.push(format!("docker-php-ext-configure {} {options}", extension.name));
                }
                Way::Compiled => {}
            }
            names.push(extension.name);
        }
        if names.is_empty() {
            return None;
        }
        steps.push(format!("docker-php-ext-install -j\"$(nproc)\" {}", names.join(" ")));
        Some(steps.join(" \\\n    && "))
    }

    /// The command that loads the others.
    pub fn load(&self) -> Option<String> {
        let loaded: Vec<&str> = self
            .found
            .iter()
            .filter(|extension| extension.way == Way::Loaded)
            .map(|extension| extension.name)
            .collect();
        let names = loaded.join(" ");
        (!loaded.is_empty()).then(|| format!("pecl install {names} \\\n    && docker-php-ext-enable {names}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Missing;

    #[test]
    fn only_what_the_image_lacks_is_installed() {
        let mut missing = Missing::default();
        for name in ["json", "zip", "redis", "zend-opcache", "zip", "mbstring"] {
            missing.add(name, "composer.json", (8, 4)).unwrap();
        }
        assert_eq!(missing.names(), ["opcache", "redis", "zip"]);
        let mut newer = Missing::default();
        newer.add("opcache", "composer.json", (8, 5)).unwrap();
        assert!(newer.is_empty());
    }

    #[test]
    fn an_unknown_extension_is_refused_whatever_its_name_holds() {
        for name in ["oci8", "zip; rm -rf /", "zip\nRUN id", "$(id)", ""] {
            let refused = Missing::default()
                .add(name, "composer.json", (8, 4))
                .unwrap_err()
                .to_string();
            assert!(!refused.contains('\n'), "{refused}");
        }
    }
}
