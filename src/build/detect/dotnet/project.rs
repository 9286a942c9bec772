//! What project files (`*.csproj` and its kin) say. Document types are refused by the reader, and with them every trick
//! with entities.

use roxmltree::{Document, Node};

use super::super::plain::plain;
use super::super::{Tree, Undetected};

/// How a project's file ends.
pub const ENDINGS: &[&str] = &[".csproj", ".fsproj", ".vbproj"];
/// How deep project files are looked for.
const MAX_DEPTH: usize = 4;
/// How many directories are looked into, and projects read.
const MAX_FOUND: usize = 200;

/// What becomes of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A server by ASP.NET.
    Web,
    /// A program without a server, a worker too.
    Console,
    /// A page that runs in the browser.
    BlazorWasm,
    /// A library, or tests.
    Other,
}

/// A project.
#[derive(Debug)]
pub struct Project {
    /// Its file, relative to the root.
    pub file: String,
    /// What becomes of it.
    pub kind: Kind,
    /// What the finished program is called, without `.dll`.
    pub assembly: String,
    /// Target frameworks as written, `net8.0`.
    pub frameworks: Vec<String>,
    /// The file that names them: the project's own, or one that gives them to several.
    pub frameworks_file: String,
    /// Files of the projects that it needs.
    pub references: Vec<String>,
    /// Whether it needs the libraries of ASP.NET.
    pub needs_aspnet: bool,
    /// Whether building it calls npm.
    pub calls_npm: bool,
}

/// All projects of a source.
pub fn all(tree: &Tree) -> Result<Vec<Project>, Undetected> {
    let mut files = Vec::new();
    let mut budget = MAX_FOUND;
    find(tree, "", 0, &mut budget, &mut files);
    files.iter().map(|file| Project::read(tree, file)).collect()
}

fn find(tree: &Tree, directory: &str, depth: usize, budget: &mut usize, files: &mut Vec<String>) {
    if *budget == 0 {
        return;
    }
    *budget -= 1;
    for name in tree.names(directory) {
        let path = format!("{directory}{name}");
        if ENDINGS.iter().any(|ending| name.ends_with(ending)) && tree.has(&path) && files.len() < MAX_FOUND {
            files.push(path);
        } else if depth < MAX_DEPTH
            && !name.starts_with('.')
            && !["bin", "obj", "node_modules", "wwwroot"].contains(&name.as_str())
            && tree.has_dir(&path)
        {
            find(tree, &format!("{path}/"), depth + 1, budget, files);
        }
    }
}

impl Project {
    fn read(tree: &Tree, file: &str) -> Result<Self, Undetected> {
        plain(file, "project")?;
        let text = tree.text(file).unwrap_or_default();
        let document = Document::parse(&text)
            .map_err(|error| Undetected::Incomplete(format!("{file} is no XML that can be read: {error}")))?;
        let root = document.root_element();
        let (directory, name) = file.rsplit_once('/').unwrap_or(("", file));
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let assembly = value(root, "AssemblyName").filter(|name| !name.contains('$'));
        let assembly = plain(assembly.as_deref().unwrap_or(stem), "assembly")?.to_owned();
        let frameworks = value(root, "TargetFramework").or_else(|| value(root, "TargetFrameworks"));
        let (frameworks_file, frameworks) = frameworks
            .map(|names| (file.to_owned(), names))
            .or_else(|| shared(tree, directory))
            .unwrap_or_default();
        let needs_aspnet = included(root, "FrameworkReference").any(|name| name == "Microsoft.AspNetCore.App");
        Ok(Self {
            kind: kind(root),
            assembly,
            frameworks: frameworks
                .split(';')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect(),
            frameworks_file,
            references: included(root, "ProjectReference")
                .filter_map(|path| resolve(directory, path))
                .collect(),
            needs_aspnet,
            calls_npm: root.descendants().any(|node| {
                node.tag_name().name() == "Exec" && node.attribute("Command").is_some_and(|line| line.contains("npm"))
            }),
            file: file.to_owned(),
        })
    }
}

fn kind(root: Node<'_, '_>) -> Kind {
    let is_test = value(root, "IsTestProject").as_deref() == Some("true")
        || included(root, "PackageReference").any(|name| name == "Microsoft.NET.Test.Sdk");
    let sdk = root.attribute("Sdk").unwrap_or_default();
    let is_program = value(root, "OutputType").is_some_and(|kind| kind.eq_ignore_ascii_case("exe"));
    let is_host = root
        .descendants()
        .any(|node| node.tag_name().name() == "Sdk" && node.attribute("Name") == Some("Aspire.AppHost.Sdk"));
    if is_test || is_host {
        return Kind::Other;
    }
    match sdk.split('/').next().unwrap_or_default() {
        "Microsoft.NET.Sdk.Web" => Kind::Web,
        "Microsoft.NET.Sdk.BlazorWebAssembly" => Kind::BlazorWasm,
        "Microsoft.NET.Sdk.Worker" => Kind::Console,
        _ if is_program => Kind::Console,
        _ => Kind::Other,
    }
}

/// A property's value, wherever its group stands.
fn value(root: Node<'_, '_>, name: &str) -> Option<String> {
    let node = root.descendants().find(|node| node.tag_name().name() == name)?;
    Some(node.text()?.trim().to_owned())
}

/// What items of this name include.
fn included<'a>(root: Node<'a, '_>, name: &'a str) -> impl Iterator<Item = &'a str> {
    root.descendants()
        .filter(move |node| node.tag_name().name() == name)
        .filter_map(|node| node.attribute("Include"))
}

/// The target framework that `Directory.Build.props` gives to every project below it.
fn shared(tree: &Tree, directory: &str) -> Option<(String, String)> {
    let mut place = Some(directory);
    while let Some(directory) = place {
        let slash = if directory.is_empty() { "" } else { "/" };
        let file = format!("{directory}{slash}Directory.Build.props");
        if let Some(text) = tree.text(&file) {
            let document = Document::parse(&text).ok()?;
            return Some((file, value(document.root_element(), "TargetFramework")?));
        }
        place = match directory.rsplit_once('/') {
            Some((parent, _)) => Some(parent),
            None if directory.is_empty() => None,
            None => Some(""),
        };
    }
    None
}

/// A path as a project writes it, relative to the root; none when it leads out.
fn resolve(directory: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split(['\\', '/']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn references_are_paths_within_the_source() {
        let resolved = |directory, path| resolve(directory, path);
        assert_eq!(
            resolved("src/Web", r"..\Core\Core.csproj").as_deref(),
            Some("src/Core/Core.csproj")
        );
        assert_eq!(resolved("", "Core/Core.csproj").as_deref(), Some("Core/Core.csproj"));
        assert_eq!(resolved("src", "../../x.csproj"), None);
    }
}
