//! The stages of a PHP app's Dockerfile: `extensions` compiles, `build` installs packages and builds assets, and the last
//! one serves.

use super::super::versions::{COMPOSER, DEBIAN};
use super::super::{Cache, Dockerfile, PORT, apt, assets, draft};
use super::apache::{self, WebRoot};
use super::composer::Composer;
use super::{App, Framework};

/// Git keeps no empty directories, and Laravel makes none of these.
const LARAVEL_DIRECTORIES: &str = "bootstrap/cache storage/app/public storage/framework/cache/data \
                                   storage/framework/sessions storage/framework/views storage/logs";

impl App<'_> {
    fn image(&self) -> String {
        format!("php:{}.{}-apache-{DEBIAN}", self.php.0, self.php.1)
    }

    pub(super) fn extensions(&self, dockerfile: &mut Dockerfile) {
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
    pub(super) fn build(&self, dockerfile: &mut Dockerfile) {
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
            let directories = self.laravel_directories();
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
        let mapped = self.asset_mapper();
        if !mapped.is_empty() && self.wishes.build_command.is_none() {
            let commands: Vec<String> = mapped.iter().map(|name| format!("php bin/console {name}")).collect();
            dockerfile.run_online(&commands.join(" \\\n    && "), &[]);
        }
    }

    /// What makes the directories and the link that Laravel expects, up to the next command.
    fn laravel_directories(&self) -> String {
        if self.framework != Framework::Laravel {
            return String::new();
        }
        let is_linked = !self.tree.has_dir("public") || self.tree.has_dir("public/storage");
        let link = if is_linked {
            ""
        } else {
            " \\\n    && ln -sfn ../storage/app/public public/storage"
        };
        format!("mkdir -p {LARAVEL_DIRECTORIES}{link} \\\n    && ")
    }

    /// Commands of Symfony's console that make the assets without Node.js: in production nothing else does.
    fn asset_mapper(&self) -> Vec<&'static str> {
        let has = |package: &str| self.composer.as_ref().is_some_and(|composer| composer.has(package));
        if self.framework != Framework::Symfony || !has("symfony/asset-mapper") {
            return Vec::new();
        }
        let steps = [
            (self.tree.has("importmap.php"), "importmap:install"),
            (has("symfonycasts/sass-bundle"), "sass:build"),
            (has("symfonycasts/tailwind-bundle"), "tailwind:build --minify"),
            (true, "asset-map:compile"),
        ];
        let needed = steps.into_iter().filter(|(is_needed, _)| *is_needed);
        needed.map(|(_, name)| name).collect()
    }

    pub(super) fn serve(&self, dockerfile: &mut Dockerfile, has_build: bool, root: &WebRoot) {
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
            "mv \"$PHP_INI_DIR/php.ini-production\" \"$PHP_INI_DIR/php.ini\" \\\n    \
             && a2enmod rewrite headers \\\n    \
             && truncate -s 0 /etc/apache2/ports.conf",
            &[],
        );
        dockerfile.copy(&[apache::FILE], "/etc/apache2/sites-available/000-default.conf");
        dockerfile.line("WORKDIR /app");
        if has_build {
            dockerfile.line("COPY --from=build /app ./");
        } else {
            dockerfile.copy(&["."], "./");
        }
        self.settle(dockerfile, root);
        if self.wishes.has_start_command || root.directory.is_none() {
            return;
        }
        if self.framework == Framework::Laravel {
            dockerfile.comment("Configuration is cached here, since only the running container has its variables.");
            dockerfile.comment("The app runs without a cache, too: half a one goes where not all can be cached.");
            let optimize = "php artisan optimize || rm -f bootstrap/cache/*.php";
            dockerfile.cmd(&["/bin/sh", "-c", &format!("{optimize}; exec apache2-foreground")]);
        } else {
            dockerfile.cmd(&["apache2-foreground"]);
        }
    }

    /// Who runs the app, where it may write, and what it hears.
    fn settle(&self, dockerfile: &mut Dockerfile, root: &WebRoot) {
        if let Some(directories) = self.writable() {
            dockerfile.comment("All else belongs to root: the app cannot change its own code.");
            dockerfile.run(
                &format!("mkdir -p {directories} \\\n    && chown -R www-data:www-data {directories}"),
                &[],
            );
        } else {
            self.give_directories(dockerfile, root.directory.unwrap_or("."));
        }
        if self.framework == Framework::Symfony {
            dockerfile.line(&format!("ENV APP_ENV=prod \\\n    PORT={PORT}"));
        } else {
            dockerfile.line(&format!("ENV PORT={PORT}"));
        }
        dockerfile.comment("www-data");
        dockerfile.line("USER 33");
    }

    /// Nothing tells where a plain app writes: beside its pages, most often. WordPress loads plugins and pictures, too.
    fn give_directories(&self, dockerfile: &mut Dockerfile, root: &str) {
        let directories = if root == "." {
            ".".to_owned()
        } else {
            format!(". {root}")
        };
        let content = format!("{root}/wp-content");
        let is_wordpress = self.tree.has(&format!("{root}/wp-config-sample.php")) && self.tree.has_dir(&content);
        let content = content.trim_start_matches("./");
        let more = if is_wordpress {
            format!(" \\\n    && chown -R www-data:www-data {content}")
        } else {
            String::new()
        };
        dockerfile.comment(draft::OWN_DIRECTORY);
        dockerfile.run(&format!("chown www-data:www-data {directories}{more}"), &[]);
    }

    /// Directories that the running app writes to.
    fn writable(&self) -> Option<&'static str> {
        match self.framework {
            Framework::Laravel => Some("bootstrap/cache database storage"),
            Framework::Symfony => Some("var"),
            Framework::Other => None,
        }
    }
}
