//! PHP: Laravel, Symfony, other apps with Composer, and plain files with an `index.php`.
//!
//! Served by the official image with Apache: it is the one that answers HTTP by itself, it keeps `.htaccess` files
//! working, which most PHP apps bring, and its configuration reads `$PORT`. PHP-FPM would need a second server and a
//! supervisor in the container. Extensions are compiled in a stage of their own, so that no headers reach the last one.

mod apache;
mod composer;
mod extensions;
mod stages;
mod version;

use apache::WebRoot;
use composer::Composer;
use extensions::Missing;

use super::assets::Assets;
use super::{Detected, Dockerfile, Reason, Tree, Undetected, Wishes, others, site};

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
    let php = version::version(composer.as_ref(), &mut reasons)?;
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
        let mut dockerfile = Dockerfile::new(self.wishes);
        let has_build = self.composer.is_some() || self.assets.is_some() || self.wishes.build_command.is_some();
        if !self.missing.is_empty() && (has_build || self.wishes.publish_dir.is_none()) {
            self.extensions(&mut dockerfile);
        }
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
            let served = site::serve(&mut dockerfile, &content, false, self.tree)?;
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

    fn all_reasons(&mut self) -> Vec<Reason> {
        let mut reasons = Vec::new();
        match self.framework {
            Framework::Laravel => {
                reasons.push(Reason::new("composer.json", "laravel/framework makes it a Laravel app"));
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
        let root = self.root.as_ref().filter(|_| self.wishes.publish_dir.is_none());
        if let Some(root) = root.and_then(|root| root.directory) {
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
        if self.wishes.publish_dir.is_some() {
            summary.push_str(", static site");
        }
        summary
    }
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
            "nothing names the extensions that it needs, so those for MySQL are there in any case",
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
