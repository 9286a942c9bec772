//! Node.js in the build stage of an app in another language, for its styles and scripts. It is copied beside the
//! language from the official image: bundlers call the app itself (Laravel's routes, Rails' tasks), so both must be there.

use super::plain::number;
use super::versions::{ASSETS_NODE, DEBIAN};
use super::{Cache, Dockerfile, Reason, Tree, Undetected};

/// Files that a package manager reads besides `package.json`.
const MANIFESTS: &[&str] = &[
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "bun.lock",
    "bun.lockb",
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
];

/// The command that drops the packages once the assets are built.
pub const REMOVE: &str = "rm -rf node_modules";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    Npm { has_lock: bool },
    YarnClassic,
    Yarn,
    Pnpm,
    Bun,
}

/// The assets of an app.
#[derive(Debug)]
pub struct Assets {
    manager: Manager,
    manifests: Vec<&'static str>,
    node: u32,
    /// Whether `package.json` has a build script.
    pub has_build: bool,
    has_webpack_4: bool,
}

impl Assets {
    /// The app's assets, where it has a `package.json`.
    pub fn find(tree: &Tree) -> Result<Option<Self>, Undetected> {
        let Some(text) = tree.text("package.json") else {
            return Ok(None);
        };
        let package: serde_json::Value = serde_json::from_str(&text)
            .map_err(|error| Undetected::Incomplete(format!("package.json is no valid JSON: {error}")))?;
        let asked = [".nvmrc", ".node-version"]
            .iter()
            .find_map(|file| number(tree.text(file)?.trim().trim_start_matches('v')).map(|(major, _)| major));
        Ok(Some(Self {
            manager: manager(tree),
            manifests: MANIFESTS.iter().copied().filter(|file| tree.has(file)).collect(),
            node: asked.unwrap_or(ASSETS_NODE),
            has_build: package["scripts"]["build"].is_string(),
            has_webpack_4: has_webpack_4(&package),
        }))
    }

    /// What led to it.
    pub fn reason(&self) -> Reason {
        let name = self.program();
        Reason::new(
            "package.json",
            format!("assets are built with Node.js {} and {name}", self.node),
        )
    }

    /// Brings Node.js into the stage, and installs the packages.
    pub fn install(&self, dockerfile: &mut Dockerfile) {
        bring(dockerfile, self.node);
        match self.manager {
            Manager::YarnClassic | Manager::Yarn => {
                dockerfile.line(&format!("COPY --from={} /opt/ /opt/", image(self.node)));
            }
            Manager::Bun => {
                dockerfile.line("COPY --from=oven/bun:1-slim /usr/local/bin/bun /usr/local/bin/bun");
            }
            Manager::Npm { .. } | Manager::Pnpm => {}
        }
        dockerfile.copy(&self.manifests, "./");
        let (command, cache) = match self.manager {
            Manager::Npm { has_lock: true } => ("npm ci", Cache::shared("/root/.npm")),
            Manager::Npm { has_lock: false } => ("npm install", Cache::shared("/root/.npm")),
            Manager::YarnClassic => (
                "yarn install --frozen-lockfile",
                Cache::shared("/usr/local/share/.cache/yarn"),
            ),
            Manager::Yarn => (
                "corepack enable && yarn install --immutable",
                Cache::exclusive("/root/.yarn/berry"),
            ),
            Manager::Pnpm => (
                "corepack enable && pnpm install --frozen-lockfile",
                Cache::shared("/root/.local/share/pnpm/store"),
            ),
            Manager::Bun => (
                "bun install --frozen-lockfile",
                Cache::shared("/root/.bun/install/cache"),
            ),
        };
        dockerfile.run_online(command, &[cache]);
    }

    /// Whether webpack 4 meets OpenSSL 3, which Node.js has from version 17 on.
    pub fn needs_old_hashes(&self) -> bool {
        self.has_webpack_4 && self.node >= 17
    }

    /// The command that runs the build script.
    pub fn build_command(&self) -> String {
        format!("{} run build", self.program())
    }

    fn program(&self) -> &'static str {
        match self.manager {
            Manager::Npm { .. } => "npm",
            Manager::YarnClassic | Manager::Yarn => "yarn",
            Manager::Pnpm => "pnpm",
            Manager::Bun => "bun",
        }
    }
}

/// Brings Node.js and npm into the stage.
pub fn bring(dockerfile: &mut Dockerfile, node: u32) {
    let image = image(node);
    for directory in ["/usr/local/bin/", "/usr/local/lib/node_modules/"] {
        dockerfile.line(&format!("COPY --from={image} {directory} {directory}"));
    }
}

fn image(node: u32) -> String {
    format!("node:{node}-{DEBIAN}-slim")
}

/// Whether webpack is of version 4, by itself or as Rails' webpacker brings it up to its version 5.
fn has_webpack_4(package: &serde_json::Value) -> bool {
    let asked = |name: &str| {
        let groups = ["dependencies", "devDependencies"].map(|group| &package[group][name]);
        groups.into_iter().find_map(serde_json::Value::as_str)
    };
    let major = |version: &str| number(version.trim_start_matches(['^', '~', '=', 'v'])).map(|(major, _)| major);
    let webpack = asked("webpack").and_then(major);
    let webpacker = asked("@rails/webpacker").map(|version| major(version).unwrap_or(5));
    webpack.map_or(webpacker.is_some_and(|major| major < 6), |major| major == 4)
}

fn manager(tree: &Tree) -> Manager {
    if tree.has("pnpm-lock.yaml") {
        return Manager::Pnpm;
    }
    if tree.has("bun.lock") || tree.has("bun.lockb") {
        return Manager::Bun;
    }
    match tree.text("yarn.lock") {
        Some(lock) if lock.contains("# yarn lockfile v1") => Manager::YarnClassic,
        Some(_) => Manager::Yarn,
        None => Manager::Npm {
            has_lock: tree.has("package-lock.json") || tree.has("npm-shrinkwrap.json"),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::has_webpack_4;

    #[test]
    fn webpack_4_is_known_by_itself_and_below_webpacker() {
        for (package, expected) in [
            (json!({"devDependencies": {"webpack": "^4.46.0"}}), true),
            (json!({"devDependencies": {"webpack": "^5.0.0"}}), false),
            (json!({"dependencies": {"@rails/webpacker": "5.4.4"}}), true),
            (json!({"dependencies": {"@rails/webpacker": "^6.0.0-rc.6"}}), false),
            (
                json!({"dependencies": {"@rails/webpacker": "~5"}, "devDependencies": {"webpack": "5"}}),
                false,
            ),
            (json!({"dependencies": {"webpack": "$(id)"}}), false),
            (json!([]), false),
        ] {
            assert_eq!(has_webpack_4(&package), expected, "{package}");
        }
    }
}
