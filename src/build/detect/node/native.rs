//! Dependencies whose installation needs more than a slim image has: a compiler, or git.

use super::super::{Reason, Tree};
use super::manager::Manager;
use super::package::{FILE, Package};

/// Packages that compile C or C++ where no prebuilt file fits. Those that always bring one (sharp, esbuild) are none.
const COMPILED: [&str; 24] = [
    "argon2",
    "bcrypt",
    "better-sqlite3",
    "bufferutil",
    "canvas",
    "cpu-features",
    "farmhash",
    "isolated-vm",
    "kerberos",
    "leveldown",
    "libpq",
    "libxmljs",
    "libxmljs2",
    "node-libcurl",
    "node-pty",
    "node-rdkafka",
    "node-sass",
    "pg-native",
    "re2",
    "robotjs",
    "serialport",
    "sqlite3",
    "usb",
    "zeromq",
];

/// Why the dependencies are installed in the full image.
pub fn needs_full_image(tree: &Tree, package: &Package, manager: &Manager) -> Option<Reason> {
    if let Some((name, _)) = package.all_dependencies().find(|(_, version)| is_from_git(version)) {
        let name = super::package::shown(name);
        return Some(Reason::new(
            FILE,
            format!("takes {name} from a git repository: the image that installs it has git"),
        ));
    }
    if let Some(name) = COMPILED.iter().find(|name| package.uses(name)) {
        return Some(Reason::new(FILE, because(name)));
    }
    let lock = manager.lock?;
    let text = tree.text(lock)?;
    let name = COMPILED.iter().find(|name| locks(&text, name))?;
    Some(Reason::new(lock, because(name)))
}

/// Whether a dependency that the app names is compiled.
pub fn has_compiled(package: &Package) -> bool {
    COMPILED.iter().any(|name| package.uses(name))
}

fn because(name: &str) -> String {
    format!("{name} may have to be compiled: the image that installs it has a compiler, the one that runs has none")
}

/// Whether a lock file lists a package: `"node_modules/x"` in npm's, `x@1.0.0` in the others'.
fn locks(lock: &str, name: &str) -> bool {
    let is_boundary = |at: usize| {
        let before = lock[..at].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || "-_/@.".contains(letter))
    };
    lock.contains(&format!("\"node_modules/{name}\""))
        || lock.contains(&format!("/node_modules/{name}\""))
        || lock.contains(&format!("\n  /{name}@"))
        || lock.match_indices(&format!("{name}@")).any(|(at, _)| is_boundary(at))
}

fn is_from_git(version: &str) -> bool {
    let is_short = || {
        let mut parts = version.split('#').next().unwrap_or("").split('/');
        let is_name = |part: &str| !part.is_empty() && !part.starts_with(['.', '@', '~']) && !part.contains(':');
        matches!((parts.next(), parts.next(), parts.next()), (Some(owner), Some(name), None) if is_name(owner) && is_name(name))
    };
    ["git+", "git:", "git@", "github:", "gitlab:", "bitbucket:"]
        .iter()
        .any(|start| version.starts_with(start))
        || is_short()
}
