//! Frameworks whose build is a static site.

use serde_json::Value;

use super::super::super::Tree;
use super::super::config::Config;
use super::super::package::Package;
use super::super::script::{commands, without_prefix};
use super::rendered::plain;
use super::{Framework, Output, words};

/// Gatsby.
pub fn gatsby(_: &Tree, package: &Package) -> Option<Framework> {
    fixed(package, "Gatsby", "gatsby", "gatsby", "public", false)
}

/// Docusaurus.
pub fn docusaurus(_: &Tree, package: &Package) -> Option<Framework> {
    fixed(package, "Docusaurus", "docusaurus", "@docusaurus/core", "build", false)
}

/// Eleventy; its output is an option or a setting.
pub fn eleventy(tree: &Tree, package: &Package) -> Option<Framework> {
    let mut eleventy = fixed(package, "Eleventy", "eleventy", "@11ty/eleventy", "_site", false)?;
    let option = package.script("build").and_then(|text| {
        let words: Vec<&str> = text.split_whitespace().collect();
        words
            .iter()
            .find_map(|word| word.strip_prefix("--output="))
            .map(str::to_owned)
    });
    let config = Config::find(tree, &[".eleventy", "eleventy.config"]);
    let set = config.as_ref().and_then(|config| config.value("output"));
    eleventy.output = Output::Site {
        directory: plain(option.as_deref().or(set), "_site"),
        is_single_page: false,
    };
    Some(eleventy)
}

/// VitePress, whose pages lie in a directory of their own as a rule.
pub fn vitepress(_: &Tree, package: &Package) -> Option<Framework> {
    let mut vitepress = fixed(package, "VitePress", "vitepress", "vitepress", ".vitepress/dist", false)?;
    let root = package.script("build").and_then(|text| {
        commands(text).find_map(|words| match without_prefix(&words) {
            ["vitepress", "build", root, ..] if !root.starts_with('-') => Some(plain(Some(root), "")),
            _ => None,
        })
    });
    if let Some(root) = root.filter(|root| !root.is_empty()) {
        vitepress.output = Output::Site {
            directory: format!("{root}/.vitepress/dist"),
            is_single_page: false,
        };
    }
    Some(vitepress)
}

/// Create React App and Vue CLI.
pub fn packed(_: &Tree, package: &Package) -> Option<Framework> {
    fixed(
        package,
        "Create React App",
        "react-scripts",
        "react-scripts",
        "build",
        true,
    )
    .or_else(|| fixed(package, "Vue CLI", "vue-cli-service", "@vue/cli-service", "dist", true))
}

/// Vite, where there is a page for it: it often only builds a server's assets, or runs tests.
pub fn vite(tree: &Tree, package: &Package) -> Option<Framework> {
    let config = Config::find(tree, &["vite.config"]);
    let value = |key: &str| config.as_ref().and_then(|config| config.value(key));
    let root = value("root")
        .map(|root| plain(Some(root), ""))
        .filter(|root| !root.is_empty() && root != ".");
    let below = |path: &str| root.as_ref().map_or(path.to_owned(), |root| format!("{root}/{path}"));
    if !tree.has(&below("index.html")) {
        return None;
    }
    let mut vite = fixed(package, "Vite", "vite", "vite", "dist", true)?;
    let directory = match value("outDir") {
        // It is relative to the root, which is one directory deep as a rule.
        Some(found) if found.starts_with("../") => plain(found.strip_prefix("../"), "dist"),
        found => below(&plain(found, "dist")),
    };
    if let Some(config) = &config
        && directory != "dist"
    {
        vite = vite.because(&config.file, format!("the site is built to {directory}"));
    }
    vite.output = Output::Site {
        directory,
        is_single_page: true,
    };
    Some(vite)
}

/// Angular, by `angular.json`: the builder decides whether there is a directory `browser` in its output.
pub fn angular(tree: &Tree, package: &Package) -> Option<Framework> {
    package.version_of("@angular/core")?;
    let workspace: Value = serde_json::from_str(&tree.text("angular.json")?).ok()?;
    let (name, build) = angular_build(&workspace)?;
    let builder = build.get("builder").and_then(Value::as_str).unwrap_or("");
    let options = build.get("options").unwrap_or(&Value::Null);
    let path = options.get("outputPath").unwrap_or(&Value::Null);
    let base = path.as_str().or_else(|| path.get("base")?.as_str());
    let base = plain(base, &plain(Some(&format!("dist/{name}")), "dist"));
    let has_server = options
        .get("ssr")
        .is_some_and(|ssr| ssr.is_object() || ssr == &Value::Bool(true));
    if has_server && options.get("outputMode").is_none_or(|mode| mode != "static") {
        let command = words(&["node", &format!("{base}/server/server.mjs")]);
        let angular = Framework::new("Angular", "ng", "@angular/core", Output::App { command });
        return Some(angular.because("angular.json", "ssr makes a server"));
    }
    let directory = match path.get("browser").and_then(Value::as_str) {
        Some("") => base,
        Some(other) => format!("{base}/{}", plain(Some(other), "browser")),
        None if builder.ends_with(":application") => format!("{base}/browser"),
        None => base,
    };
    let mut angular = fixed(package, "Angular", "ng", "@angular/core", "dist", true)?;
    angular = angular.because("angular.json", format!("the site is built to {directory}"));
    angular.output = Output::Site {
        directory,
        is_single_page: true,
    };
    Some(angular)
}

/// The name and the build target of the application: the default project's, else the first one's.
fn angular_build(workspace: &Value) -> Option<(&str, &Value)> {
    let projects = workspace.get("projects")?.as_object()?;
    let default = workspace.get("defaultProject").and_then(Value::as_str);
    projects
        .iter()
        .filter(|(name, _)| default.is_none_or(|default| default == *name))
        .filter(|(_, project)| project.get("projectType").is_none_or(|kind| kind == "application"))
        .find_map(|(name, project)| {
            let targets = project.get("architect").or_else(|| project.get("targets"))?;
            Some((name.as_str(), targets.get("build")?))
        })
}

fn fixed(
    package: &Package,
    name: &'static str,
    program: &'static str,
    dependency: &str,
    directory: &str,
    is_single_page: bool,
) -> Option<Framework> {
    package.version_of(dependency)?;
    let output = Output::Site {
        directory: directory.to_owned(),
        is_single_page,
    };
    Some(Framework::new(name, program, dependency, output))
}
