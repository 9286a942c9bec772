//! Apps whose build is a site of files, and the app's own wish for one.

use super::super::site::{self, Content};
use super::super::{Detected, Dockerfile, Reason, Undetected};
use super::package::FILE;
use super::recipe::{Build, Runtime};
use super::{App, version};

/// Writes the Dockerfile of a site in a directory, `.` being the root.
pub fn detect(app: &App<'_>, directory: &str, is_single_page: bool) -> Result<Detected, Undetected> {
    let directory = if directory == "." { "" } else { directory };
    let mut reasons: Vec<Reason> = Vec::new();
    if app.wishes.publish_dir.is_some() {
        let means = "is the publish folder of the settings: a static site";
        reasons.push(Reason::new(if directory.is_empty() { "." } else { directory }, means));
    }
    reasons.extend(app.framework_reasons());
    let mut dockerfile = Dockerfile::new(app.wishes);
    let mut summary = Vec::new();
    let content = match app.build() {
        Build::None if app.tree.has_dir(directory) => Content::Context(directory.to_owned()),
        Build::None => return Err(missing(directory)),
        build => {
            let node = version::choose(app.tree, app.package)?;
            let manifests = app.manifests()?;
            let recipe = app.recipe(&node, &manifests, Runtime::Node, false, build)?;
            summary.extend([format!("Node.js {}", node.tag), app.manager.name().to_owned()]);
            reasons.extend(app.reasons(&node, &recipe));
            if recipe.has_dependencies {
                recipe.write_dependencies(&mut dockerfile);
            }
            recipe.write_build(&mut dockerfile);
            Content::Stage {
                stage: "build",
                path: format!("/app/{directory}").trim_end_matches('/').to_owned(),
            }
        }
    };
    summary.extend(app.framework.as_ref().map(|framework| framework.name.to_owned()));
    summary.push("static site".to_owned());
    let served = site::serve(&mut dockerfile, &content, is_single_page, app.tree)?;
    reasons.extend(served.reasons);
    Ok(Detected {
        summary: summary.join(", "),
        reasons,
        dockerfile: dockerfile.finish(),
        files: vec![served.file],
    })
}

fn missing(directory: &str) -> Undetected {
    Undetected::Incomplete(format!(
        "{FILE} has no scripts.build, and the site's directory {directory} is not in the repository. Add the script, or \
         set a build command"
    ))
}
