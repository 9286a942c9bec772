//! .NET: servers by ASP.NET, programs and workers, and Blazor pages that run in the browser.
//!
//! Where the official images are is a build argument, since their registry is their maker's own.
//!
//! Project files are restored before the rest of the source is there, so that a change of code loads no packages. The
//! images have a user `app`, which is what runs.

mod project;
mod version;

use project::{Kind, Project};
use version::Versions;

use super::assets::{self, Assets};
use super::plain::{chosen, shell_word};
use super::versions::{ASSETS_NODE, DOTNET_IMAGES};
use super::{Cache, Detected, Dockerfile, PORT, Reason, Tree, Undetected, Wishes, draft, site};

/// Files that tell of .NET.
pub const LOOKED_FOR: &[&str] = &["*.csproj", "*.fsproj", "*.vbproj", "*.sln", "*.slnx"];
/// Files at the root that restoring reads too.
const SHARED: &[&str] = &[
    "global.json",
    "NuGet.config",
    "NuGet.Config",
    "nuget.config",
    "Directory.Build.props",
    "Directory.Build.targets",
    "Directory.Packages.props",
];
const PACKAGES: Cache = Cache::shared("/root/.nuget/packages");

struct App<'a> {
    tree: &'a Tree,
    wishes: &'a Wishes,
    project: &'a Project,
    /// Files of the project and of all that it needs.
    files: Vec<String>,
    versions: Versions,
    assets: Option<Assets>,
}

/// Recognises .NET.
pub fn detect(tree: &Tree, wishes: &Wishes) -> Result<Option<Detected>, Undetected> {
    let mut endings = LOOKED_FOR.iter().map(|pattern| pattern.trim_start_matches('*'));
    let names = tree.names("");
    let has_own = endings.any(|ending| names.iter().any(|name| name.ends_with(ending)));
    if !has_own && tree.first(SHARED).is_none() {
        return Ok(None);
    }
    let projects = project::all(tree)?;
    if projects.is_empty() && !has_own {
        return Ok(None);
    }
    let project = started(&projects, wishes)?;
    let versions = Versions::find(tree, project)?;
    let mut files = Vec::new();
    needed(project, &projects, &mut files);
    let app = App {
        tree,
        wishes,
        assets: if project.calls_npm { Assets::find(tree)? } else { None },
        project,
        files,
        versions,
    };
    app.plan().map(Some)
}

/// The project that is meant: a server before a page, a page before a program.
fn started<'a>(projects: &'a [Project], wishes: &Wishes) -> Result<&'a Project, Undetected> {
    let mut kinds = vec![Kind::Web, Kind::BlazorWasm, Kind::Console];
    if wishes.has_start_command || wishes.publish_dir.is_some() {
        kinds.push(Kind::Other);
    }
    let names = |kind: Kind| -> Vec<&'a str> {
        let of_kind = projects.iter().filter(|project| project.kind == kind);
        of_kind.map(|project| project.file.as_str()).collect()
    };
    let Some(found) = kinds.into_iter().map(names).find(|found| !found.is_empty()) else {
        let all: Vec<&str> = projects.iter().map(|project| project.file.as_str()).collect();
        let text = if all.is_empty() {
            "a .NET solution is there, but no project file. Commit it, or choose its directory as the root directory"
                .to_owned()
        } else {
            format!(
                "none of the .NET projects is a program: {}. Set OutputType to Exe, or use the SDK Microsoft.NET.Sdk.Web",
                all.join(", ")
            )
        };
        return Err(Undetected::Incomplete(text));
    };
    let chosen = chosen(&found, wishes.build_command.as_deref()).ok_or_else(|| {
        Undetected::Incomplete(format!(
            "several .NET projects can be started: {}. Name one in the build command, as in `dotnet publish {} -c Release -o \
             /out`",
            found.join(", "),
            shell_word(found[0])
        ))
    })?;
    let project = projects.iter().find(|project| project.file == chosen);
    Ok(project.expect("the chosen name is a project's"))
}

/// The files of a project and of those that it refers to, each once.
fn needed(project: &Project, projects: &[Project], files: &mut Vec<String>) {
    if files.contains(&project.file) {
        return;
    }
    files.push(project.file.clone());
    for reference in &project.references {
        if let Some(other) = projects.iter().find(|other| other.file == *reference) {
            needed(other, projects, files);
        }
    }
}

impl App<'_> {
    fn plan(self) -> Result<Detected, Undetected> {
        let mut dockerfile = Dockerfile::new(self.wishes);
        self.build(&mut dockerfile);
        let mut reasons = vec![Reason::new(&self.project.file, self.why())];
        reasons.extend(self.versions.reasons.iter().cloned());
        reasons.extend(self.assets.as_ref().map(Assets::reason));
        let mut files = Vec::new();
        let is_page = self.project.kind == Kind::BlazorWasm;
        let site = match &self.wishes.publish_dir {
            Some(directory) => Some(format!("/src/{}", directory.trim_start_matches("./"))),
            None if is_page => Some("/out/wwwroot".to_owned()),
            None => None,
        };
        if let Some(path) = site {
            let content = site::Content::Stage { stage: "build", path };
            let served = site::serve(&mut dockerfile, &content, is_page, self.tree)?;
            files.push(served.file);
            reasons.extend(served.reasons);
        } else {
            self.serve(&mut dockerfile);
        }
        let kind = match self.project.kind {
            Kind::Web => ", ASP.NET",
            Kind::BlazorWasm => ", Blazor WebAssembly",
            Kind::Console | Kind::Other => "",
        };
        Ok(Detected {
            summary: format!(".NET {}{kind}", self.versions.runtime),
            reasons,
            dockerfile: dockerfile.finish(),
            files,
        })
    }

    fn why(&self) -> &'static str {
        match self.project.kind {
            Kind::Web => "Microsoft.NET.Sdk.Web makes it a server",
            Kind::BlazorWasm => "Microsoft.NET.Sdk.BlazorWebAssembly makes it a page that runs in the browser",
            Kind::Console => "it is a program without a server",
            Kind::Other => "it is the only project",
        }
    }

    fn build(&self, dockerfile: &mut Dockerfile) {
        dockerfile.from(&format!("{DOTNET_IMAGES}/sdk:{}", self.versions.sdk), Some("build"));
        dockerfile.line("WORKDIR /src");
        let shared: Vec<&str> = SHARED.iter().copied().filter(|file| self.tree.has(file)).collect();
        if !shared.is_empty() {
            dockerfile.copy(&shared, "./");
        }
        for file in &self.files {
            let directory = file
                .rsplit_once('/')
                .map_or("./".to_owned(), |(directory, _)| format!("{directory}/"));
            let lock = format!("{}packages.lock.json", directory.trim_start_matches("./"));
            let mut manifests = vec![file.as_str()];
            if self.tree.has(&lock) {
                manifests.push(&lock);
            }
            dockerfile.copy(&manifests, &directory);
        }
        let file = shell_word(&self.project.file);
        dockerfile.run_online(&format!("dotnet restore {file}"), &[PACKAGES]);
        match &self.assets {
            Some(assets) => assets.install(dockerfile),
            // The build installs the packages itself, wherever they are.
            None if self.project.calls_npm => assets::bring(dockerfile, ASSETS_NODE),
            None => {}
        }
        dockerfile.copy(&["."], "./");
        // A project for several frameworks is not published without one of them.
        let framework = if self.project.frameworks.len() > 1 {
            format!(" -f net{}", self.versions.runtime)
        } else {
            String::new()
        };
        match &self.wishes.build_command {
            Some(command) => dockerfile.run_typed(command, &[PACKAGES]),
            // Restores once more: the packages are in the cache alone, which may be gone while the layer above is not.
            None => dockerfile.run_online(
                &format!("dotnet publish {file} -c Release{framework} -o /out"),
                &[PACKAGES],
            ),
        };
    }

    fn serve(&self, dockerfile: &mut Dockerfile) {
        let is_server = self.project.kind == Kind::Web;
        let image = if is_server || self.project.needs_aspnet {
            "aspnet"
        } else {
            "runtime"
        };
        dockerfile.from(&format!("{DOTNET_IMAGES}/{image}:{}", self.versions.runtime), None);
        dockerfile.line("WORKDIR /app");
        dockerfile.line("COPY --from=build /out ./");
        dockerfile.comment(draft::OWN_DIRECTORY);
        dockerfile.run("chown 1654:1654 .", &[]);
        dockerfile.line(&format!("ENV PORT={PORT}"));
        dockerfile.comment("app, as the image calls it");
        dockerfile.line("USER 1654");
        if self.wishes.has_start_command {
            return;
        }
        let program = format!("{}.dll", self.project.assembly);
        if is_server {
            let program = shell_word(&program);
            dockerfile.cmd_shell(&format!("env ASPNETCORE_HTTP_PORTS=$PORT dotnet {program}"));
        } else {
            dockerfile.cmd(&["dotnet", &program]);
        }
    }
}
