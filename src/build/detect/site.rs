//! Static sites: served by a small pinned image with a configuration written for the site.

mod caching;
mod nginx;
mod redirects;
mod types;

use super::{Detected, Dockerfile, GeneratedFile, PORT, Reason, Tree, Undetected, Wishes, versions};
use redirects::Redirects;

/// Where the image has the site.
const ROOT: &str = "/srv/site";
/// The configuration's name in the context.
pub const CONFIGURATION: &str = ".dhow/nginx.conf";
/// Where the server has it.
const CONFIGURED_AT: &str = "/etc/nginx/nginx.conf";
/// nginx reads no variables, so the port is written into a copy of the configuration.
const START: &str =
    "sed \"s/\\${PORT}/$PORT/\" /etc/nginx/nginx.conf > /tmp/nginx.conf && exec nginx -c /tmp/nginx.conf";
/// Where a finished site usually lies; `""` is the root of the source.
const USUAL_DIRECTORIES: [&str; 10] = [
    "", "public", "site", "www", "dist", "build", "out", "_site", "docs", "html",
];
/// Directories whose files a build copies into the site as they are; `""` is the root of the source.
const COPIED_DIRECTORIES: [&str; 3] = ["public", "static", ""];
/// An error names at most so many directories.
const MAX_NAMED: usize = 8;

/// Where a finished site lies.
#[derive(Debug, Clone)]
pub enum Content {
    /// In the context, as it is; `""` is the whole of it.
    Context(String),
    /// In a stage that built it, by an absolute path.
    Stage {
        /// The stage's name.
        stage: &'static str,
        /// The directory.
        path: String,
    },
}

/// What a static site needs besides its files.
#[derive(Debug)]
pub struct Served {
    /// The configuration, which the Dockerfile copies.
    pub file: GeneratedFile,
    /// What was found out on the way: redirects, an own 404 page.
    pub reasons: Vec<Reason>,
}

/// Writes the last stage, which serves the site. `is_single_page` answers every unknown path with `index.html`.
pub fn serve(
    dockerfile: &mut Dockerfile,
    content: &Content,
    is_single_page: bool,
    tree: &Tree,
) -> Result<Served, Undetected> {
    let (redirects, mut reasons) = read_redirects(content, tree)?;
    if let Content::Context(directory) = content {
        let own_page = within(directory, "404.html");
        if tree.has(&own_page) {
            reasons.push(Reason::new(own_page, "is the answer where there is no page"));
        }
    }
    write_stages(dockerfile, content)?;
    let text = nginx::configuration(ROOT, is_single_page, &redirects);
    Ok(Served {
        file: GeneratedFile {
            path: CONFIGURATION.to_owned(),
            text,
        },
        reasons,
    })
}

/// Recognises a site that needs no build: a page and nothing that another ecosystem knows.
pub fn plain(tree: &Tree, wishes: &Wishes) -> Result<Option<Detected>, Undetected> {
    if wishes.publish_dir.is_some() {
        return publish(tree, wishes).map(Some);
    }
    let Some(directory) = find_site(tree) else {
        return Ok(None);
    };
    let page = within(directory, "index.html");
    if is_template(tree, &page) {
        return Err(Undetected::Incomplete(format!(
            "`{page}` is not a page yet but a template of Jekyll, as it begins with `---` and there is a _config.yml, \
             and no Gemfile says how to run that. Add one, bring a Dockerfile, or set the publish folder to that of \
             the finished site"
        )));
    }
    let reason = Reason::new(page, "is a page, and nothing else tells of a build: served as it is");
    as_it_is(directory, reason, tree, wishes).map(Some)
}

/// Serves a directory of the source as it is: the one that is wished, else the first one with a page.
pub fn publish(tree: &Tree, wishes: &Wishes) -> Result<Detected, Undetected> {
    if wishes.build_command.is_some() {
        return Err(Undetected::Incomplete(
            "the build command has nothing to run it: there is no package.json that says which program builds this \
             site. Take the build command out to publish the files as they are, or bring a Dockerfile"
                .to_owned(),
        ));
    }
    let Some(wished) = &wishes.publish_dir else {
        let directory = find_site(tree).ok_or_else(|| no_page(tree))?;
        let page = within(directory, "index.html");
        return as_it_is(
            directory,
            Reason::new(page, "is the first page of the site"),
            tree,
            wishes,
        );
    };
    let directory = clean_directory(wished)?;
    if !tree.has_dir(&directory) {
        return Err(Undetected::Incomplete(format!(
            "there is no directory `{directory}` to publish. {}",
            directories_of(tree)
        )));
    }
    let reason = Reason::new(format!("{directory}/"), "is the folder to publish: served as it is");
    as_it_is(&directory, reason, tree, wishes)
}

fn as_it_is(directory: &str, reason: Reason, tree: &Tree, wishes: &Wishes) -> Result<Detected, Undetected> {
    let mut dockerfile = Dockerfile::new(wishes);
    let served = serve(&mut dockerfile, &Content::Context(directory.to_owned()), false, tree)?;
    Ok(Detected {
        summary: "Static site".to_owned(),
        reasons: [reason].into_iter().chain(served.reasons).collect(),
        dockerfile: dockerfile.finish(),
        files: vec![served.file],
    })
}

fn write_stages(dockerfile: &mut Dockerfile, content: &Content) -> Result<(), Undetected> {
    let (stage, path) = match content {
        Content::Context(directory) if directory.is_empty() => {
            dockerfile.from(versions::NGINX, Some("site"));
            dockerfile.copy(&["./"], &format!("{ROOT}/"));
            dockerfile.comment("What tells how to build is no part of the site");
            dockerfile.run(
                &format!("rm -rf {ROOT}/.dhow {ROOT}/.dhow.Dockerfile {ROOT}/Dockerfile"),
                &[],
            );
            (Some("site"), ROOT.to_owned())
        }
        Content::Context(directory) => (None, clean_directory(directory)?),
        Content::Stage { stage, path } => (Some(*stage), format!("/{}", clean_directory(path)?)),
    };
    let from = format!("{path}/");
    dockerfile.from(versions::NGINX, None);
    dockerfile.copy(&[CONFIGURATION], CONFIGURED_AT);
    match stage {
        Some(stage) if from.contains(' ') => dockerfile.line(&format!("COPY --from={stage} [\"{from}\", \"{ROOT}/\"]")),
        Some(stage) => dockerfile.line(&format!("COPY --from={stage} {from} {ROOT}/")),
        None => dockerfile.copy(&[&from], &format!("{ROOT}/")),
    };
    dockerfile.line(&format!("ENV PORT={PORT}"));
    dockerfile.comment("nginx");
    dockerfile.line("USER 101");
    dockerfile.cmd(&["/bin/sh", "-c", START]);
    Ok(())
}

/// The rules of the site's own file, or of the one that its build will copy into it.
fn read_redirects(content: &Content, tree: &Tree) -> Result<(Redirects, Vec<Reason>), Undetected> {
    let directories = match content {
        Content::Context(directory) => vec![directory.as_str()],
        Content::Stage { .. } => COPIED_DIRECTORIES.to_vec(),
    };
    let mut paths = directories
        .into_iter()
        .map(|directory| within(directory, redirects::NAME));
    let Some(path) = paths.find(|path| tree.has(path)) else {
        return Ok((Redirects::default(), Vec::new()));
    };
    let text = tree.text(&path).unwrap_or_default();
    let redirects = Redirects::parse(&text).map_err(|why| Undetected::Incomplete(format!("`{path}` {why}")))?;
    let means = match redirects.len() {
        0 => return Ok((redirects, Vec::new())),
        1 => "holds a rule that the server follows".to_owned(),
        count => format!("holds {count} rules that the server follows"),
    };
    Ok((redirects, vec![Reason::new(path, means)]))
}

fn find_site(tree: &Tree) -> Option<&'static str> {
    let mut directories = USUAL_DIRECTORIES.iter().copied();
    directories.find(|directory| tree.has(&within(directory, "index.html")))
}

fn is_template(tree: &Tree, page: &str) -> bool {
    tree.has("_config.yml") && tree.text(page).is_some_and(|text| text.starts_with("---"))
}

/// A directory's path as `COPY` takes it to the letter: no `$`, no wildcard, nothing that leads up.
fn clean_directory(directory: &str) -> Result<String, Undetected> {
    let is_harmless = |character: char| character.is_alphanumeric() || "/._-@+~ ".contains(character);
    let parts: Vec<&str> = directory
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    if parts.contains(&"..") || !directory.chars().all(is_harmless) || parts.first().is_some_and(|p| p.starts_with('-'))
    {
        return Err(Undetected::Incomplete(format!(
            "the folder to publish cannot be {directory:?}. Name one below the root directory, such as `dist`, in \
             letters, digits, spaces and the characters . _ - @ + ~"
        )));
    }
    Ok(parts.join("/"))
}

fn no_page(tree: &Tree) -> Undetected {
    Undetected::Incomplete(format!(
        "no index.html was found, neither at the root nor in {}. {}",
        USUAL_DIRECTORIES[1..].join(", "),
        directories_of(tree)
    ))
}

/// What there is to choose from, as the second half of an error.
fn directories_of(tree: &Tree) -> String {
    let names = tree.names("");
    let directories: Vec<String> = names
        .into_iter()
        .filter(|name| !name.starts_with('.') && tree.has_dir(name))
        .map(|name| format!("`{name}`"))
        .collect();
    match directories.len() {
        0 => "The source has no directories at all: set the publish folder to `.` to publish its root".to_owned(),
        count if count > MAX_NAMED => format!(
            "Set the publish folder to one of those that the source has: {} and {} more",
            directories[..MAX_NAMED].join(", "),
            count - MAX_NAMED
        ),
        _ => format!(
            "Set the publish folder to one of those that the source has: {}",
            directories.join(", ")
        ),
    }
}

/// A file's path in a directory of the source.
fn within(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    }
}

#[cfg(test)]
mod tests;
