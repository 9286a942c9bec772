//! Ruby: Rails, Sinatra and whatever else speaks Rack, and sites by Jekyll.
//!
//! Three stages: `base` has what gems need when they run, `build` compiles them, and the last one takes them over. A
//! database is never touched here: that is the work of a command at each release.

mod gemfile;
mod packages;
mod start;
mod version;

use gemfile::Gemfile;
use start::Start;

use super::assets::{self, Assets};
use super::plain::major_minor;
use super::versions::DEBIAN;
use super::{
    Cache, Detected, Dockerfile, GeneratedFile, PORT, Reason, Tree, Undetected, Wishes, apt, draft, others, site,
};

/// Files that tell of Ruby.
pub const LOOKED_FOR: &[&str] = &["Gemfile"];

/// Gems that give `assets:precompile` something to do.
const ASSET_GEMS: &[&str] = &["propshaft", "shakapacker", "sprockets-rails", "vite_rails", "webpacker"];

struct App<'a> {
    tree: &'a Tree,
    wishes: &'a Wishes,
    gems: Gemfile,
    assets: Option<Assets>,
    is_rails: bool,
    ruby: String,
    start: Option<Start>,
    reasons: Vec<Reason>,
}

/// Recognises Ruby.
pub fn detect(tree: &Tree, wishes: &Wishes) -> Result<Option<Detected>, Undetected> {
    let Some(gems) = Gemfile::read(tree) else {
        return Ok(None);
    };
    let is_rails = gems.has("rails") || gems.has("railties");
    // Tools are written in Ruby too: a Gemfile beside another language's manifest does not make an app.
    let is_app = is_rails || tree.has("config.ru") || ["rack", "sinatra", "jekyll"].iter().any(|gem| gems.has(gem));
    if !is_app && others::has_any(tree) {
        return Ok(None);
    }
    let is_jekyll = gems.has("jekyll") && wishes.publish_dir.is_none() && !wishes.has_start_command;
    let start = Start::find(tree, &gems, is_rails);
    let is_known = start.is_some() || is_jekyll || wishes.has_start_command || wishes.publish_dir.is_some();
    if !is_known {
        return Err(Undetected::Incomplete(no_start(tree)));
    }
    check_platforms(&gems)?;
    let (ruby, asked) = version::version(tree, &gems)?;
    let (start, why_started) = start.unzip();
    let mut reasons = Vec::new();
    if is_rails {
        reasons.push(Reason::new("Gemfile", "rails makes it a Rails app"));
    } else if is_jekyll {
        reasons.push(Reason::new("Gemfile", "jekyll makes it a static site"));
    }
    reasons.extend(why_started.filter(|_| !wishes.has_start_command && wishes.publish_dir.is_none() && !is_jekyll));
    reasons.extend(asked);
    let app = App {
        tree,
        wishes,
        assets: Assets::find(tree)?,
        gems,
        is_rails,
        ruby,
        start,
        reasons,
    };
    let publish_dir = match &wishes.publish_dir {
        None if is_jekyll => Some("_site".to_owned()),
        other => other.clone(),
    };
    app.plan(publish_dir).map(Some)
}

fn no_start(tree: &Tree) -> String {
    if tree.has("config.ru") {
        return "config.ru is there, but no server among the gems. Add `gem \"puma\"` to the Gemfile, or set a start command"
            .to_owned();
    }
    "Gemfile is there, but nothing tells what to start: no web process in a Procfile, no config.ru, no Rails and no Sinatra \
     with a server. Add one of them, or set a start command"
        .to_owned()
}

/// Bundler refuses a lock file that names other systems only.
fn check_platforms(gems: &Gemfile) -> Result<(), Undetected> {
    let is_usable = |platform: &String| platform == "ruby" || platform.contains("linux");
    if gems.platforms.is_empty() || gems.platforms.iter().any(is_usable) {
        return Ok(());
    }
    Err(Undetected::Incomplete(format!(
        "Gemfile.lock is made for {:?} only, and Bundler would refuse it on Linux. Run `bundle lock --add-platform \
         x86_64-linux aarch64-linux` and commit the file",
        gems.platforms.join(", ")
    )))
}

impl App<'_> {
    fn plan(mut self, publish_dir: Option<String>) -> Result<Detected, Undetected> {
        let mut dockerfile = Dockerfile::new(self.wishes);
        self.base(&mut dockerfile);
        self.build(&mut dockerfile, publish_dir.is_some());
        let mut files: Vec<GeneratedFile> = Vec::new();
        let mut summary = format!("Ruby {}", self.ruby);
        if let Some(directory) = publish_dir {
            let content = site::Content::Stage {
                stage: "build",
                path: format!("/app/{}", directory.trim_start_matches("./")),
            };
            let served = site::serve(&mut dockerfile, &content, false, self.tree)?;
            files.push(served.file);
            self.reasons.extend(served.reasons);
            summary.push_str(", static site");
        } else {
            self.serve(&mut dockerfile);
            let is_sinatra = self.gems.has("sinatra");
            summary.push_str(if self.is_rails {
                ", Rails"
            } else if is_sinatra {
                ", Sinatra"
            } else {
                ""
            });
        }
        let (_, gems) = packages::libraries(&self.gems);
        if !gems.is_empty() {
            let means = format!("packages of Debian's are there for {}", gems.join(", "));
            self.reasons.push(Reason::new("Gemfile", means));
        }
        self.reasons.extend(self.assets.as_ref().map(Assets::reason));
        if !self.gems.has_lock {
            let means = "without Gemfile.lock, each build may take other versions of gems";
            self.reasons.push(Reason::new("Gemfile", means));
        }
        Ok(Detected {
            summary,
            reasons: self.reasons,
            dockerfile: dockerfile.finish(),
            files,
        })
    }

    fn base(&self, dockerfile: &mut Dockerfile) {
        dockerfile.from(&format!("ruby:{}-slim-{DEBIAN}", self.ruby), Some("base"));
        dockerfile.line("WORKDIR /app");
        let environment = if self.is_rails {
            "RAILS_ENV=production"
        } else {
            "RACK_ENV=production"
        };
        let frozen = if self.gems.has_lock {
            "BUNDLE_FROZEN=1 \\\n    "
        } else {
            ""
        };
        dockerfile.line(&format!(
            "ENV {environment} \\\n    {frozen}BUNDLE_WITHOUT=development:test"
        ));
        let (libraries, _) = packages::libraries(&self.gems);
        if !libraries.is_empty() {
            dockerfile.run_online(&apt::install(&libraries), &[]);
        }
    }

    fn build(&self, dockerfile: &mut Dockerfile, is_site: bool) {
        dockerfile.from("base", Some("build"));
        dockerfile.run_online(&apt::install(&packages::headers(&self.gems)), &[]);
        let manifests = ["Gemfile", "Gemfile.lock", ".ruby-version", ".tool-versions"];
        let manifests: Vec<&str> = if self.gems.reads_more {
            vec!["."]
        } else {
            manifests.into_iter().filter(|file| self.tree.has(file)).collect()
        };
        dockerfile.copy(&manifests, "./");
        dockerfile.run_online("bundle install", &[Cache::exclusive("/usr/local/bundle/cache")]);
        if let Some(assets) = &self.assets {
            assets.install(dockerfile);
        }
        dockerfile.copy(&["."], "./");
        let removal = if self.assets.is_some() && !is_site {
            Some(assets::REMOVE.to_owned())
        } else {
            None
        };
        if let Some(command) = &self.wishes.build_command {
            dockerfile.run_typed(command, &[]);
            if let Some(removal) = removal {
                dockerfile.run(&removal, &[]);
            }
            return;
        }
        let mut commands = self.build_commands(dockerfile, is_site);
        commands.extend(removal);
        if !commands.is_empty() {
            dockerfile.run_online(&commands.join(" \\\n    && "), &[]);
        }
    }

    fn build_commands(&self, dockerfile: &mut Dockerfile, is_site: bool) -> Vec<String> {
        let mut commands = Vec::new();
        if self.is_rails && self.gems.has("bootsnap") {
            commands.push("bundle exec bootsnap precompile --gemfile app/ lib/".to_owned());
        }
        let has_asset_gem = ASSET_GEMS.iter().any(|gem| self.gems.has(gem));
        if self.is_rails && has_asset_gem {
            if self.assets.as_ref().is_some_and(Assets::needs_old_hashes) {
                dockerfile.comment("webpack 4 takes hashes by MD4, which OpenSSL 3 counts among the old ones.");
            }
            dockerfile.comment("No secret of the app's is needed for this: Rails is content with a made-up one.");
            // Before 7.1, Rails does not know that it may make one up.
            let rails = self.gems.rails.as_deref().and_then(major_minor);
            let secret = match rails {
                Some(rails) if rails < (7, 1) => "SECRET_KEY_BASE=none-while-building",
                _ => "SECRET_KEY_BASE_DUMMY=1",
            };
            let old = self.assets.as_ref().filter(|assets| assets.needs_old_hashes());
            let options = old.map_or("", |_| "NODE_OPTIONS=--openssl-legacy-provider ");
            commands.push(format!("{options}{secret} bundle exec rails assets:precompile"));
        } else if is_site && self.gems.has("jekyll") {
            commands.push("JEKYLL_ENV=production bundle exec jekyll build".to_owned());
        } else if let Some(assets) = self.assets.as_ref().filter(|assets| assets.has_build) {
            commands.push(assets.build_command());
        }
        commands
    }

    fn serve(&self, dockerfile: &mut Dockerfile) {
        dockerfile.from("base", None);
        dockerfile.run("useradd --uid 10001 --create-home app", &[]);
        dockerfile.line("COPY --from=build /usr/local/bundle /usr/local/bundle");
        dockerfile.line("COPY --from=build /app ./");
        if self.is_rails {
            let directories = "db log storage tmp";
            dockerfile.comment("All else belongs to root: the app cannot change its own code.");
            dockerfile.run(
                &format!("mkdir -p {directories} \\\n    && chown -R app:app {directories}"),
                &[],
            );
        } else {
            dockerfile.comment(draft::OWN_DIRECTORY);
            dockerfile.run("chown app:app .", &[]);
        }
        if self.is_rails {
            dockerfile.line(&format!(
                "ENV PORT={PORT} \\\n    RAILS_LOG_TO_STDOUT=1 \\\n    RAILS_SERVE_STATIC_FILES=1"
            ));
        } else {
            dockerfile.line(&format!("ENV PORT={PORT}"));
        }
        dockerfile.line("USER 10001");
        if let Some(start) = self.start.as_ref().filter(|_| !self.wishes.has_start_command) {
            start.write(dockerfile);
        }
    }
}
