//! Which Python a source asks for: files that name one version come before those that only set bounds.

use toml::Table;

use super::super::{Reason, Tree, Undetected, manifest, versions};

/// Major, minor, patch; a candidate has the greatest patch, since images follow them.
type Version = [u32; 3];

/// The version as an image's tag has it, and what led to it.
pub fn choose(tree: &Tree, project: Option<&Table>, pipfile: Option<&Table>) -> Result<(String, Reason), Undetected> {
    let mut unread = None;
    for (file, text) in [
        (".python-version", tree.text(".python-version")),
        ("runtime.txt", tree.text("runtime.txt")),
        (".tool-versions", manifest::tool_version(tree, &["python"])),
        ("Pipfile", pipfile.and_then(pipfile_version)),
    ] {
        let Some(text) = text else { continue };
        if let Some(version) = named(&text) {
            let means = format!("asks for Python {version}");
            return Ok((version, Reason::new(file, means)));
        }
        unread.get_or_insert(file);
    }
    if let Some(specifier) = project.and_then(bounds) {
        return bounded(&specifier);
    }
    let means = match unread {
        Some(_) => format!("names no version such as {0}, so Python is {0}", versions::PYTHON),
        None => format!("no version of Python is asked for, so it is {}", versions::PYTHON),
    };
    let file = unread.or_else(|| tree.first(super::FILES)).unwrap_or("requirements");
    Ok((versions::PYTHON.to_owned(), Reason::new(file, means)))
}

/// The first line that is no comment: `3.12`, `python-3.12.4` (Heroku), `cpython-3.12.4` or `cpython@3.12` (uv).
fn named(text: &str) -> Option<String> {
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))?;
    let version = line
        .trim_start_matches("cpython")
        .trim_start_matches("python")
        .trim_start_matches(['-', '@']);
    (manifest::numbers(version)?.first() == Some(&3)).then(|| version.to_owned())
}

fn pipfile_version(pipfile: &Table) -> Option<String> {
    let requires = pipfile.get("requires")?;
    let version = requires
        .get("python_full_version")
        .or_else(|| requires.get("python_version"))?;
    version.as_str().map(str::to_owned)
}

fn bounds(project: &Table) -> Option<String> {
    let standard = project
        .get("project")
        .and_then(|project| project.get("requires-python"));
    let poetry = || project.get("tool")?.get("poetry")?.get("dependencies")?.get("python");
    standard.or_else(poetry)?.as_str().map(str::to_owned)
}

fn bounded(specifier: &str) -> Result<(String, Reason), Undetected> {
    let shown = manifest::shown(specifier);
    let exact = specifier.trim().trim_start_matches('=').trim();
    if specifier.trim().starts_with("==") && manifest::numbers(exact).is_some_and(|numbers| numbers.len() == 3) {
        return Ok((
            exact.to_owned(),
            Reason::new("pyproject.toml", format!("asks for Python {exact}")),
        ));
    }
    let default = versions::PYTHON.trim_start_matches("3.").parse().ok();
    let candidates = default.into_iter().chain(versions::PYTHON_MINORS);
    for minor in candidates {
        match is_satisfied(specifier, [3, minor, u32::MAX]) {
            Some(true) => {
                let version = format!("3.{minor}");
                let means = format!("Python `{shown}` allows {version}");
                return Ok((version, Reason::new("pyproject.toml", means)));
            }
            Some(false) => {}
            None => {
                let means = format!("`{shown}` tells no version of Python, so it is {}", versions::PYTHON);
                return Ok((versions::PYTHON.to_owned(), Reason::new("pyproject.toml", means)));
            }
        }
    }
    Err(Undetected::Incomplete(format!(
        "pyproject.toml asks for Python `{shown}`, which none from 3.9 to 3.14 is: name the version to use in .python-version"
    )))
}

/// Whether a version fits a specifier of PEP 440 or of Poetry; `None` when it is neither.
fn is_satisfied(specifier: &str, version: Version) -> Option<bool> {
    let alternatives = specifier.split("||").map(|alternative| {
        let clauses = alternative.split([',']).map(|clause| fits(clause.trim(), version));
        clauses
            .collect::<Option<Vec<bool>>>()
            .map(|fit| fit.iter().all(|fits| *fits))
    });
    let fit: Option<Vec<bool>> = alternatives.collect();
    fit.map(|fit| fit.contains(&true))
}

fn fits(clause: &str, version: Version) -> Option<bool> {
    if clause == "*" {
        return Some(true);
    }
    let digits = clause.find(|letter: char| letter.is_ascii_digit())?;
    let (operator, number) = clause.split_at(digits);
    let is_series = number.ends_with(".*");
    let parts = manifest::numbers(number.trim_end_matches(".*"))?;
    let mut bound: Version = [0; 3];
    bound.iter_mut().zip(&parts).for_each(|(bound, part)| *bound = *part);
    let is_in = |length: usize| version[..length] == bound[..length];
    let length = parts.len();
    Some(match operator.trim() {
        ">=" => version >= bound,
        ">" => version > bound,
        "<" => version < bound,
        "<=" => version <= bound || (length == 2 && is_in(2)),
        "!=" => !(is_series && is_in(length)),
        "" | "==" | "===" | "=" => is_in(length.min(2)),
        "~=" if length > 1 => version >= bound && is_in(length - 1),
        "~" => version >= bound && is_in(length.min(2)),
        "^" => version >= bound && is_in(1),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{bounded, named};

    #[test]
    fn files_that_name_a_version_are_read_in_each_spelling() {
        for (text, expected) in [
            ("3.12\n", Some("3.12")),
            ("3.12.4", Some("3.12.4")),
            ("# ours\n\n3.11\n3.10\n", Some("3.11")),
            ("python-3.11.9", Some("3.11.9")),
            ("cpython-3.13.1", Some("3.13.1")),
            ("3", Some("3")),
            ("2.7.18", None),
            ("pypy3.10-7.3.12", None),
            ("my-env", None),
            ("3.12$(id)", None),
            ("3.12 AS x", None),
            ("", None),
        ] {
            assert_eq!(named(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn bounds_choose_the_default_where_it_fits_else_the_newest() {
        for (specifier, expected) in [
            (">=3.9", "3.13"),
            (">=3.14", "3.14"),
            (">=3.9,<3.12", "3.11"),
            (">=3.9, <=3.12", "3.12"),
            ("~=3.10", "3.13"),
            ("~=3.10.2", "3.10"),
            ("==3.11.*", "3.11"),
            ("==3.11.4", "3.11.4"),
            ("^3.9", "3.13"),
            ("~3.12", "3.12"),
            ("3.10.*", "3.10"),
            (">=3.9,!=3.13.*", "3.14"),
            ("<3.10 || >=3.12,<3.13", "3.12"),
            ("*", "3.13"),
            ("newest", "3.13"),
            ("", "3.13"),
            (">=3.11; rm", "3.13"),
        ] {
            assert_eq!(bounded(specifier).unwrap().0, expected, "{specifier}");
        }
    }

    #[test]
    fn bounds_that_nothing_fits_are_refused_with_the_remedy() {
        let told = bounded(">=3.99").unwrap_err().to_string();
        assert!(told.contains(".python-version"), "{told}");
    }
}
