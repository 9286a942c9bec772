//! PHP: Laravel, Symfony, other apps with Composer, and plain files with an `index.php`.
//!
//! Served by the official image with Apache: it is the one that answers HTTP by itself, it keeps `.htaccess` files
//! working, which most PHP apps bring, and its configuration reads `$PORT`. PHP-FPM would need a second server and a
//! supervisor in the container. Extensions are compiled in a stage of their own, so that no headers reach the last one.

mod apache;
mod composer;
mod extensions;

use apache::WebRoot;
use composer::Composer;
use extensions::Missing;

use super::assets::{self, Assets};
use super::plain::major_minor;
use super::range::{self, Range};
use super::versions::{COMPOSER, DEBIAN, PHP, PHP_KNOWN};
use super::{Cache, Detected, Dockerfile, Reason, Tree, Undetected, Wishes, apt, others, site};

/// Files that tell of PHP.
pub const LOOKED_FOR: &[&str] = &["composer.json", "index.php"];

/// Which conventions the app follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framework {
    Laravel,
    Symfony,
    Other,
}

/// Everything that was found out.
struct App<'a> {
    tree: &'a Tree,
    wishes: &'a Wishes,
    framework: Framework,
    composer: Option<Composer>,
    assets: Option<Assets>,
    missing: Missing,
    root: Option<WebRoot>,
    php: (u32, u32),
    reasons: Vec<Reason>,
}

/// Recognises PHP.
pub fn detect(tree: &Tree, wishes: &Wishes) -> Result<Option<Detected>, Undetected> {
    let root = apache::web_root(tree);
    let is_foreign = root.is_none() && (others::has_any(tree) || !tree.has("composer.json"));
    if is_foreign {
        return Ok(None);
    }
    let composer = Composer::read(tree)?;
    let is_started = wishes.has_start_command || wishes.publish_dir.is_some();
    if root.is_none() && !is_started {
        return Err(Undetected::Incomplete(format!(
            "composer.json is there, but no index.php in {}. Add one, or set a start command",
            apache::ROOTS.join(", ").replace(", .", " or the root directory")
        )));
    }
    let framework = match &composer {
        Some(composer) if composer.has("laravel/framework") => Framework::Laravel,
        Some(composer) if composer.has("symfony/framework-bundle") => Framework::Symfony,
        _ => Framework::Other,
    };
    let mut reasons = Vec::new();
    let php = version(composer.as_ref(), &mut reasons)?;
    let missing = missing(composer.as_ref(), php, &mut reasons)?;
    let app = App {
        tree,
        wishes,
        framework,
        composer,
        assets: Assets::find(tree)?.filter(|assets| assets.has_build || wishes.build_command.is_some()),
        missing,
        root,
        php,
        reasons,
    };
    app.plan().map(Some)
}

impl App<'_> {
    fn plan(mut self) -> Result<Detected, Undetected> {
        let mut dockerfile = Dockerfile::new(self.wishes.has_ca);
        if !self.missing.is_empty() {
            self.extensions(&mut dockerfile);
        }
        let has_build = self.composer.is_some() || self.assets.is_some() || self.wishes.build_command.is_some();
        if has_build {
            self.build(&mut dockerfile);
        }
        let mut files = Vec::new();
        if let Some(directory) = &self.wishes.publish_dir {
            let content = if has_build {
                site::Content::Stage {
                    stage: "build",
                    path: format!("/app/{}", directory.trim_start_matches("./")),
                }
            } else {
                site::Content::Context(directory.clone())
            };
            let served = site::serve(&mut dockerfile, &content, false, self.tree, self.wishes)?;
            files.push(served.file);
            self.reasons.extend(served.reasons);
        } else {
            let root = self.root.clone().unwrap_or_default();
            self.serve(&mut dockerfile, has_build, &root);
            files.push(apache::configuration(&root));
        }
        let reasons = self.all_reasons();
        Ok(Detected {
            summary: self.summary(),
            reasons,
            dockerfile: dockerfile.finish(),
            files,
        })
    }

    fn image(&self) -> String {
        format!("php:{}.{}-apache-{DEBIAN}", self.php.0, self.php.1)
    }

    fn extensions(&self, dockerfile: &mut Dockerfile) {
        dockerfile.from(&self.image(), Some("extensions"));
        let headers = self.missing.headers();
        if !headers.is_empty() {
            dockerfile.run_online(&apt::install(&headers), &[]);
        }
        if let Some(command) = self.missing.compile() {
            dockerfile.run(&command, &[]);
        }
        if let Some(command) = self.missing.load() {
            dockerfile.run_online(&command, &[]);
        }
    }

    /// The stage where packages are installed and assets are built, by the very PHP that will run them.
    fn build(&self, dockerfile: &mut Dockerfile) {
        let image = self.image();
        let base = if self.missing.is_empty() { &image } else { "extensions" };
        dockerfile.from(base, Some("build"));
        if self.composer.is_some() {
            dockerfile.run_online(&apt::install(&["git", "unzip"]), &[]);
            dockerfile.line(&format!(
                "COPY --from={COMPOSER} /usr/bin/composer /usr/local/bin/composer"
            ));
        }
        dockerfile.line("WORKDIR /app");
        if self.framework == Framework::Symfony {
            dockerfile.line("ENV APP_ENV=prod");
        }
        if let Some(composer) = &self.composer {
            dockerfile.line("ENV COMPOSER_ALLOW_SUPERUSER=1");
            let manifests: &[&str] = match composer {
                Composer {
                    has_local_packages: true,
                    ..
                } => &["."],
                Composer { has_lock: true, .. } => &["composer.json", "composer.lock"],
                Composer { .. } => &["composer.json"],
            };
            dockerfile.copy(manifests, "./");
            dockerfile.run_online(
                "composer install --no-dev --no-interaction --no-progress --no-scripts --no-autoloader",
                &[Cache::shared("/root/.composer/cache")],
            );
        }
        if let Some(assets) = &self.assets {
            assets.install(dockerfile);
        }
        dockerfile.copy(&["."], "./");
        self.finish_build(dockerfile);
    }

    fn finish_build(&self, dockerfile: &mut Dockerfile) {
        if let Some(composer) = &self.composer {
            let directories = if self.framework == Framework::Laravel {
                format!("mkdir -p {LARAVEL_DIRECTORIES} \\\n    && ")
            } else {
                String::new()
            };
            let scripts = if composer.has_post_install {
                " \\\n    && composer run-script --no-dev post-install-cmd"
            } else {
                ""
            };
            dockerfile.run_online(
                &format!("{directories}composer dump-autoload --no-dev --no-interaction --optimize{scripts}"),
                &[],
            );
        }
        if let Some(command) = &self.wishes.build_command {
            dockerfile.run_typed(command, &[]);
            if self.assets.is_some() {
                dockerfile.run(assets::REMOVE, &[]);
            }
        } else if let Some(assets) = &self.assets {
            let command = format!("{} \\\n    && {}", assets.build_command(), assets::REMOVE);
            dockerfile.run_online(&command, &[]);
        }
    }

    fn serve(&self, dockerfile: &mut Dockerfile, has_build: bool, root: &WebRoot) {
        dockerfile.from(&self.image(), None);
        let libraries = self.missing.libraries();
        if !libraries.is_empty() {
            dockerfile.run_online(&apt::install(&libraries), &[]);
        }
        if !self.missing.is_empty() {
            for directory in ["/usr/local/lib/php/extensions/", "/usr/local/etc/php/conf.d/"] {
                dockerfile.line(&format!("COPY --from=extensions {directory} {directory}"));
            }
        }
        dockerfile.comment("The site below says itself where it listens.");
        dockerfile.run(
            "mv \"$PHP_INI_DIR/php.ini-production\" \"$PHP_INI_DIR/php.ini\" \\\n    && a2enmod rewrite headers \\\n    && truncate -s 0 /etc/apache2/ports.conf",
            &[],
        );
        dockerfile.copy(&[apache::FILE], "/etc/apache2/sites-available/000-default.conf");
        dockerfile.line("WORKDIR /app");
        if has_build {
            dockerfile.line("COPY --from=build /app ./");
        } else {
            dockerfile.copy(&["."], "./");
        }
        if let Some(directories) = self.writable() {
            dockerfile.comment("All else belongs to root: the app cannot change its own code.");
            dockerfile.run(
                &format!("mkdir -p {directories} \\\n    && chown -R www-data:www-data {directories}"),
                &[],
            );
        }
        let port = self.wishes.port;
        if self.framework == Framework::Symfony {
            dockerfile.line(&format!("ENV APP_ENV=prod \\\n    PORT={port}"));
        } else {
            dockerfile.line(&format!("ENV PORT={port}"));
        }
        dockerfile.line(&format!("EXPOSE {port}"));
        dockerfile.comment("www-data");
        dockerfile.line("USER 33");
        // The image's entrypoint takes its first argument for an option of PHP's unless it is a command.
        if self.wishes.has_start_command || root.directory.is_none() {
            return;
        }
        if self.framework == Framework::Laravel {
            dockerfile.comment("Configuration is cached here, since only the running container has its variables.");
            dockerfile.cmd(&["/bin/sh", "-c", "php artisan optimize && exec apache2-foreground"]);
        } else {
            dockerfile.cmd(&["apache2-foreground"]);
        }
    }

    /// Directories that the running app writes to.
    fn writable(&self) -> Option<&'static str> {
        match self.framework {
            Framework::Laravel => Some("bootstrap/cache database storage"),
            Framework::Symfony => Some("var"),
            Framework::Other => None,
        }
    }

    fn all_reasons(&mut self) -> Vec<Reason> {
        let mut reasons = Vec::new();
        match self.framework {
            Framework::Laravel => {
                reasons.push(Reason::new("composer.json", "laravel/framework makes it a Laravel app"))
            }
            Framework::Symfony => {
                reasons.push(Reason::new(
                    "composer.json",
                    "symfony/framework-bundle makes it a Symfony app",
                ));
            }
            Framework::Other if self.composer.is_some() => {
                reasons.push(Reason::new("composer.json", "packages are installed with Composer"));
            }
            Framework::Other => {}
        }
        if let Some(root) = self.root.as_ref().and_then(|root| root.directory) {
            let index = if root == "." {
                "index.php".to_owned()
            } else {
                format!("{root}/index.php")
            };
            let place = if root == "." { "the root directory" } else { root };
            reasons.push(Reason::new(index, format!("{place} is what Apache serves")));
        }
        reasons.append(&mut self.reasons);
        reasons.extend(self.assets.as_ref().map(Assets::reason));
        if self.composer.as_ref().is_some_and(|composer| !composer.has_lock) {
            reasons.push(Reason::new(
                "composer.json",
                "without composer.lock, each build may take other versions of packages",
            ));
        }
        reasons
    }

    fn summary(&self) -> String {
        let mut summary = format!("PHP {}.{}", self.php.0, self.php.1);
        match self.framework {
            Framework::Laravel => summary.push_str(", Laravel"),
            Framework::Symfony => summary.push_str(", Symfony"),
            Framework::Other if self.composer.is_some() => summary.push_str(", Composer"),
            Framework::Other => {}
        }
        summary
    }
}

/// Git keeps no empty directories, and Laravel makes none of these.
const LARAVEL_DIRECTORIES: &str =
    "bootstrap/cache storage/framework/cache/data storage/framework/sessions storage/framework/views storage/logs";

fn version(composer: Option<&Composer>, reasons: &mut Vec<Reason>) -> Result<(u32, u32), Undetected> {
    let Some(composer) = composer else {
        return Ok(PHP);
    };
    if let Some(platform) = &composer.platform {
        let version = major_minor(platform).filter(|version| *version >= PHP_KNOWN[0]);
        let version = version.ok_or_else(|| unsupported("composer.json", "config.platform.php", platform))?;
        reasons.push(Reason::new(
            "composer.json",
            format!(
                "config.platform.php {platform:?} asks for PHP {}.{}",
                version.0, version.1
            ),
        ));
        return Ok(version);
    }
    let mut ranges = Vec::new();
    for requirement in &composer.php {
        let name = requirement.package.as_deref().unwrap_or("require.php");
        let range = Range::composer(&requirement.constraint);
        match range {
            Some(range) if range::pick(std::slice::from_ref(&range), PHP, PHP_KNOWN).is_some() => ranges.push(range),
            None if requirement.package.is_some() => {}
            _ => return Err(unsupported(requirement.file, name, &requirement.constraint)),
        }
    }
    let Some(version) = range::pick(&ranges, PHP, PHP_KNOWN) else {
        return Err(Undetected::Incomplete(
            "composer.json and the packages in composer.lock ask for PHP versions that exclude each other. Run `composer \
             update` with the PHP that is meant"
                .to_owned(),
        ));
    };
    if let Some(own) = composer.php.first() {
        let among = if composer.php.len() > 1 {
            " and those of its packages"
        } else {
            ""
        };
        reasons.push(Reason::new(
            own.file,
            format!(
                "require.php {:?}{among} admit PHP {}.{}",
                own.constraint, version.0, version.1
            ),
        ));
    }
    Ok(version)
}

fn unsupported(file: &str, what: &str, constraint: &str) -> Undetected {
    let (oldest, newest) = (PHP_KNOWN[0], PHP_KNOWN[PHP_KNOWN.len() - 1]);
    Undetected::Incomplete(format!(
        "{file} asks for a PHP that is not among {}.{} to {}.{} ({what:?}: {constraint:?}). Raise the requirement, or write \
         a Dockerfile",
        oldest.0, oldest.1, newest.0, newest.1
    ))
}

fn missing(composer: Option<&Composer>, php: (u32, u32), reasons: &mut Vec<Reason>) -> Result<Missing, Undetected> {
    let mut missing = Missing::default();
    missing.add("opcache", "composer.json", php)?;
    let Some(composer) = composer else {
        for name in ["mysqli", "pdo_mysql"] {
            missing.add(name, "index.php", php)?;
        }
        reasons.push(Reason::new(
            "index.php",
            "without composer.json, the extensions for MySQL are there on suspicion",
        ));
        return Ok(missing);
    };
    for (name, file) in &composer.extensions {
        missing.add(name, file, php)?;
        if missing.names().contains(&name.as_str()) {
            reasons.push(Reason::new(*file, format!("ext-{name} is installed")));
        }
    }
    let orm = ["laravel/framework", "doctrine/dbal"]
        .into_iter()
        .find(|name| composer.has(name));
    if let Some(orm) = orm {
        for name in ["pdo_mysql", "pdo_pgsql"] {
            missing.add(name, "composer.json", php)?;
        }
        reasons.push(Reason::new(
            "composer.json",
            format!("{orm} learns its database when it runs, so MySQL and PostgreSQL are both there"),
        ));
    }
    Ok(missing)
}
