//! The programs of a Go module: directories with a package `main`, and whether one of the files needs C.

use super::super::{Tree, manifest};

/// The search for C stops after so many names: it is told by then, and a hostile source shall cost little.
const MAX_NAMES: usize = 20_000;
const MAX_DEPTH: usize = 8;

/// The directories that hold a program, `.` for the root; of those in `cmd`, else of those in the root.
pub fn find(tree: &Tree) -> Vec<String> {
    if is_main(tree, "") {
        return vec![".".to_owned()];
    }
    let below = |parent: &str| -> Vec<String> {
        let prefix = if parent.is_empty() {
            String::new()
        } else {
            format!("{parent}/")
        };
        let names = tree.names(parent).into_iter().filter(|name| manifest::is_word(name));
        let paths = names.map(|name| format!("{prefix}{name}"));
        paths
            .filter(|path| is_main(tree, path))
            .map(|path| format!("./{path}"))
            .collect()
    };
    let mut found = below("cmd");
    if found.is_empty() && is_main(tree, "cmd") {
        found.push("./cmd".to_owned());
    }
    if found.is_empty() { below("") } else { found }
}

/// Whether a directory's files are of a package `main`: each that is no test and not left out of builds.
fn is_main(tree: &Tree, directory: &str) -> bool {
    if !tree.has_dir(directory) {
        return false;
    }
    let files = tree
        .names(directory)
        .into_iter()
        .filter(|name| name.ends_with(".go") && !name.ends_with("_test.go"));
    let mut texts = files.filter_map(|name| tree.text(&join(directory, &name)));
    texts.any(|text| !is_left_out(&text) && package(&text) == Some("main"))
}

fn is_left_out(text: &str) -> bool {
    let mut heads = text.lines().take_while(|line| !line.starts_with("package "));
    heads.any(|line| {
        matches!(
            line.trim_end(),
            "//go:build ignore" | "// +build ignore" | "//go:build tools"
        )
    })
}

fn package(text: &str) -> Option<&str> {
    text.lines()
        .find_map(|line| line.strip_prefix("package ")?.split_whitespace().next())
}

/// The first file of the module with C in it (`import "C"`).
pub fn find_c(tree: &Tree) -> Option<String> {
    let mut left = MAX_NAMES;
    find_c_below(tree, "", 0, &mut left)
}

fn find_c_below(tree: &Tree, directory: &str, depth: usize, left: &mut usize) -> Option<String> {
    if depth > MAX_DEPTH {
        return None;
    }
    for name in tree.names(directory) {
        *left = left.checked_sub(1)?;
        let path = join(directory, &name);
        let is_skipped =
            name.starts_with(['.', '_']) || matches!(name.as_str(), "node_modules" | "testdata" | "vendor");
        if is_skipped || name.ends_with("_test.go") {
            continue;
        }
        if name.ends_with(".go") {
            if tree.text(&path).is_some_and(|text| imports_c(&text)) {
                return Some(path);
            }
        } else if let Some(found) = find_c_below(tree, &path, depth + 1, left) {
            return Some(found);
        }
    }
    None
}

fn imports_c(text: &str) -> bool {
    text.lines().any(|line| matches!(line.trim(), "import \"C\"" | "\"C\""))
}

fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    }
}

/// Which of several programs serves: the one named like the module, else the only one with a server's usual name.
pub fn choose<'a>(found: &'a [String], module: &str) -> Option<&'a str> {
    let named = |name: &str| {
        found
            .iter()
            .map(String::as_str)
            .find(|path| path.rsplit('/').next() == Some(name))
    };
    match found {
        [only] => Some(only),
        _ => {
            let usual: Vec<&str> = ["server", "web", "api"].into_iter().filter_map(named).collect();
            named(last_part(module)).or(if usual.len() == 1 { Some(usual[0]) } else { None })
        }
    }
}

/// The name of a module's program: its path's last part that is no major version.
pub fn last_part(module: &str) -> &str {
    let mut parts = module.rsplit('/');
    let last = parts.next().unwrap_or_default();
    let is_major = last
        .strip_prefix('v')
        .is_some_and(|number| manifest::numbers(number).is_some());
    if is_major { parts.next().unwrap_or(last) } else { last }
}

#[cfg(test)]
mod tests {
    use super::{choose, is_left_out, last_part, package};

    #[test]
    fn the_program_that_serves_is_chosen_by_its_name() {
        for (found, module, expected) in [
            (vec!["./cmd/a"], "x/y", Some("./cmd/a")),
            (
                vec!["./cmd/shop", "./cmd/web"],
                "example.com/shop/v2",
                Some("./cmd/shop"),
            ),
            (
                vec!["./cmd/migrate", "./cmd/server"],
                "example.com/shop",
                Some("./cmd/server"),
            ),
            (vec!["./cmd/api", "./cmd/web"], "example.com/shop", None),
            (vec!["./cmd/a", "./cmd/b"], "example.com/shop", None),
            (vec![], "example.com/shop", None),
        ] {
            let found: Vec<String> = found.into_iter().map(str::to_owned).collect();
            assert_eq!(choose(&found, module), expected, "{found:?}");
        }
    }

    #[test]
    fn packages_are_read_past_comments_and_left_out_where_go_leaves_them_out() {
        assert_eq!(package("// Package main\n\npackage main // x\n"), Some("main"));
        assert_eq!(package("package shop\n"), Some("shop"));
        assert!(is_left_out("//go:build ignore\n\npackage main\n"));
        assert!(!is_left_out("package main\n\n// +build ignore\n"));
        assert_eq!(last_part("example.com/shop"), "shop");
        assert_eq!(last_part("v2"), "v2");
    }
}
