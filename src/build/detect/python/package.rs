//! Whether a Python project is a package that can be installed, or just an app with a list of what it depends on.

use toml::{Table, Value};

use super::super::Tree;

/// Whether a project lists what it depends on, and is not laid out as its backend wants a package. Most apps are not:
/// setuptools refuses several directories side by side, hatchling a project without one of its name.
pub fn is_only_listed(tree: &Tree, project: &Table) -> bool {
    let Some(standard) = project.get("project").and_then(Value::as_table) else {
        return false;
    };
    let dynamic = standard.get("dynamic").and_then(Value::as_array);
    if dynamic.is_some_and(|dynamic| dynamic.iter().any(|name| name.as_str() == Some("dependencies"))) {
        return false;
    }
    let system = project.get("build-system").and_then(Value::as_table);
    let Some(backend) = system.map(|system| system.get("build-backend").and_then(Value::as_str)) else {
        // pip takes setuptools then, which finds whatever is in src.
        return !standard.contains_key("scripts") && !tree.has_dir("src");
    };
    let tool = |name: &str| project.get("tool")?.get(name);
    let setuptools = tool("setuptools").and_then(Value::as_table);
    let keys = ["packages", "py-modules", "package-dir"];
    let is_told = setuptools.is_some_and(|told| keys.iter().any(|key| told.contains_key(*key)))
        || tool("hatch").is_some_and(|hatch| hatch.get("build").is_some())
        || tool("poetry").is_some_and(|poetry| poetry.get("packages").is_some())
        || tool("uv").is_some_and(|uv| uv.get("build-backend").is_some())
        || tree.has("setup.py");
    // Without a backend's name it is setuptools; uv's looks into src alone.
    let finds_name = backend.is_some_and(|backend| !backend.starts_with("setuptools") && !backend.starts_with("uv"));
    let name = standard.get("name").and_then(Value::as_str).unwrap_or_default();
    !(is_told || tree.has_dir("src") || finds_name && has_package(tree, name))
}

/// Whether there is a package, or a module, of a project's name.
pub fn has_package(tree: &Tree, name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['-', '.'], "_");
    let files = [
        format!("{name}/__init__.py"),
        format!("src/{name}/__init__.py"),
        format!("{name}.py"),
    ];
    !name.is_empty() && files.iter().any(|file| tree.has(file))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Table, Tree, is_only_listed};

    #[test]
    fn a_project_is_installed_where_its_backend_finds_a_package() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("shop.py"), "").unwrap();
        let tree = Tree::open(root.path()).unwrap();
        let hatch = "[build-system]\nbuild-backend = \"hatchling.build\"";
        let setuptools = "[build-system]\nbuild-backend = \"setuptools.build_meta\"";
        for (name, more, is_listed) in [
            ("shop", String::new(), true),
            ("shop", "[project.scripts]\nshop = \"shop:main\"".to_owned(), false),
            ("shop", hatch.to_owned(), false),
            ("other", hatch.to_owned(), true),
            (
                "other",
                format!("{hatch}\n[tool.hatch.build]\npackages = [\"a\"]"),
                false,
            ),
            ("shop", setuptools.to_owned(), true),
            (
                "shop",
                format!("{setuptools}\n[tool.setuptools]\npackages = [\"a\"]"),
                false,
            ),
            (
                "other\"\ndynamic = [\"dependencies\"]\nversion = \"1",
                String::new(),
                false,
            ),
        ] {
            let text = format!("[project]\nname = \"{name}\"\n{more}");
            let project: Table = text.parse().unwrap();
            assert_eq!(is_only_listed(&tree, &project), is_listed, "{text}");
        }
    }
}
