//! Apache for a PHP app: where its pages lie, and the site's configuration.

use super::super::{GeneratedFile, Tree};

/// Directories that hold the first page, the usual ones before the root itself.
pub const ROOTS: &[&str] = &["public", "web", "webroot", "public_html", "htdocs", "www", "."];
/// The configuration in the context.
pub const FILE: &str = ".dhow/apache.conf";

/// What Apache serves.
#[derive(Debug, Clone, Default)]
pub struct WebRoot {
    /// The directory; none when there is none, and a start command does without.
    pub directory: Option<&'static str>,
    /// Whether unknown paths go to `index.php`, since no `.htaccess` says what to do with them.
    is_front_controller: bool,
}

/// Finds the directory with the first page.
pub fn web_root(tree: &Tree) -> Option<WebRoot> {
    let directory = ROOTS.iter().find(|root| tree.has(&format!("{root}/index.php")))?;
    let has_rules = tree.has(&format!("{directory}/.htaccess"));
    Some(WebRoot {
        directory: Some(directory),
        is_front_controller: tree.has("composer.json") && *directory != "." && !has_rules,
    })
}

/// The site's configuration.
pub fn configuration(root: &WebRoot) -> GeneratedFile {
    let directory = match root.directory {
        None | Some(".") => "/app".to_owned(),
        Some(directory) => format!("/app/{directory}"),
    };
    let fallback = if root.is_front_controller {
        "    FallbackResource /index.php\n"
    } else {
        ""
    };
    let hidden = if directory == "/app" {
        "# The whole source is served: what is no page stays hidden.\n\
         <FilesMatch \"^(composer\\.|package|Dockerfile|Procfile)\">\n    Require all denied\n</FilesMatch>\n\
         <LocationMatch \"^/(vendor/.*\\.php$|node_modules/)\">\n    Require all denied\n</LocationMatch>\n"
    } else {
        ""
    };
    GeneratedFile {
        path: FILE.to_owned(),
        text: format!(
            "Listen ${{PORT}}\n\
             ServerName localhost\n\
             ServerTokens Prod\n\
             DocumentRoot {directory}\n\
             DirectoryIndex index.php index.html\n\
             ErrorLog /dev/stderr\n\
             CustomLog /dev/stdout combined\n\
             # The proxy in front ends TLS; PHP shall know of it.\n\
             SetEnvIf X-Forwarded-Proto \"^https$\" HTTPS=on\n\n\
             <Directory {directory}>\n\
             \x20   Options FollowSymLinks\n\
             \x20   AllowOverride All\n\
             \x20   Require all granted\n\
             {fallback}\
             </Directory>\n\
             # Dotfiles hold secrets or history, but .well-known is for everyone.\n\
             <LocationMatch \"/\\.(?!well-known/)\">\n    Require all denied\n</LocationMatch>\n\
             {hidden}"
        ),
    }
}
