//! Which Node.js an app runs on. A version that a file names is taken as it is; a range gets the default where that
//! satisfies it, else the newest major that does.

use nodejs_semver::{Range, Version};

use super::super::versions::{KNOWN_NODE, NODE, NODE_LTS};
use super::super::{Reason, Tree, Undetected, manifest};
use super::package::{FILE, Package, shown};

/// More than any minor or patch version has reached.
const FAR: u64 = 999;
/// Minors and patches that are tried for a range that holds no whole major.
const TRIED: u64 = 40;

/// A chosen Node.js.
#[derive(Debug)]
pub struct NodeVersion {
    /// As the image is tagged: `24`, `22.11`, `22.11.0`.
    pub tag: String,
    /// Its first number.
    pub major: u64,
    /// Who asked for it.
    pub reasons: Vec<Reason>,
}

/// Chooses by the files that pin a version, then by `package.json`, then the default.
pub fn choose(tree: &Tree, package: &Package) -> Result<NodeVersion, Undetected> {
    let Some(asked) = asked(tree, package) else {
        let means = format!("names no version of Node.js: {NODE} is the default");
        return Ok(chosen(NODE.to_string(), Reason::new(FILE, means)));
    };
    let tag = resolve(&asked.version).map_err(|why| {
        let (file, what, version) = (&asked.file, asked.what, shown(&asked.version));
        Undetected::Incomplete(format!(
            "{file} asks for a Node.js that cannot be chosen: {what}\"{version}\" {why}. Name a version such as {NODE}"
        ))
    })?;
    let means = format!("{}\"{}\" asks for Node.js {tag}", asked.what, shown(&asked.version));
    let mut node = chosen(tag, Reason::new(asked.file.clone(), means));
    if asked.file != FILE {
        node.reasons.extend(contradiction(package, &node, &asked.file));
    }
    Ok(node)
}

struct Asked {
    file: String,
    /// What in the file says so, with a space behind it, unless the file says nothing else.
    what: &'static str,
    version: String,
}

fn asked(tree: &Tree, package: &Package) -> Option<Asked> {
    for file in [".node-version", ".nvmrc"] {
        if let Some(version) = tree.text(file).as_deref().and_then(first_line) {
            return Some(Asked {
                file: file.to_owned(),
                what: "",
                version: version.to_owned(),
            });
        }
    }
    if let Some(version) = manifest::tool_version(tree, &["nodejs", "node"]) {
        return Some(Asked {
            file: ".tool-versions".to_owned(),
            what: "nodejs ",
            version,
        });
    }
    let fields: [(&str, &[&str]); 3] = [
        ("volta.node ", &["volta", "node"]),
        ("engines.node ", &["engines", "node"]),
        ("devEngines.runtime ", &["devEngines", "runtime", "version"]),
    ];
    let is_node = package
        .string(&["devEngines", "runtime", "name"])
        .is_none_or(|name| name == "node");
    let mut found = fields.iter().filter_map(|(what, keys)| {
        let version = package.string(keys).filter(|version| !version.trim().is_empty())?;
        (is_node || keys[0] != "devEngines").then(|| Asked {
            file: FILE.to_owned(),
            what,
            version: version.to_owned(),
        })
    });
    found.next()
}

/// The first line that says something, without the comment behind it.
pub fn first_line(text: &str) -> Option<&str> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or("").trim());
    lines.into_iter().find(|line| !line.is_empty())
}

/// The tag for what a file asks for, or why there is none.
fn resolve(asked: &str) -> Result<String, &'static str> {
    let text = asked.trim();
    if let Some(major) = alias(text) {
        return Ok(major.to_string());
    }
    if let Some(tag) = plain(text) {
        return Ok(tag);
    }
    let range = Range::parse(text).ok().filter(|_| is_range(text));
    let range = range.ok_or("is no version and no range")?;
    satisfying(&range).ok_or("is satisfied by none of 18, 20, 22, 24 and 26")
}

/// Whether a text is made of what ranges are made of; the parser passes over what it does not know.
fn is_range(text: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || " .-+*^~<>=|".contains(letter);
    let is_name = |word: &str| word.starts_with(|letter: char| letter.is_ascii_alphabetic() && !"vxX".contains(letter));
    text.chars().all(is_part) && !text.split_whitespace().any(is_name)
}

fn alias(text: &str) -> Option<u64> {
    let name = text.to_ascii_lowercase();
    match name.as_str() {
        "lts/*" | "lts" | "--lts" => Some(NODE),
        "node" | "latest" | "current" | "stable" => Some(KNOWN_NODE[0]),
        name => {
            let name = name.strip_prefix("lts/").or_else(|| name.strip_prefix("lts-"))?;
            NODE_LTS.iter().find(|(lts, _)| *lts == name).map(|(_, major)| *major)
        }
    }
}

/// A version without a range, `v22`, `22.11`, `22.x`, as a tag.
pub fn plain(text: &str) -> Option<String> {
    let text = text.strip_prefix(['v', '=']).unwrap_or(text);
    let mut numbers: Vec<&str> = text.split('.').collect();
    while numbers.len() > 1 && matches!(numbers.last(), Some(&("x" | "X" | "*"))) {
        numbers.pop();
    }
    let is_number =
        |number: &&str| matches!(number.len(), 1..=5) && number.chars().all(|letter| letter.is_ascii_digit());
    (numbers.len() <= 3 && numbers.iter().all(is_number)).then(|| numbers.join("."))
}

fn satisfying(range: &Range) -> Option<String> {
    let majors = || [NODE].into_iter().chain(KNOWN_NODE);
    let holds = |major, minor, patch| range.satisfies(&Version::from((major, minor, patch)));
    if let Some(major) = majors().find(|major| holds(*major, FAR, FAR)) {
        return Some(major.to_string());
    }
    for major in majors() {
        for minor in (0..TRIED).rev() {
            if holds(major, minor, FAR) {
                return Some(format!("{major}.{minor}"));
            }
            if let Some(patch) = (0..TRIED).rev().find(|patch| holds(major, minor, *patch)) {
                return Some(format!("{major}.{minor}.{patch}"));
            }
        }
    }
    None
}

fn chosen(tag: String, reason: Reason) -> NodeVersion {
    let major = tag.split('.').next().and_then(|number| number.parse().ok());
    NodeVersion {
        major: major.unwrap_or(NODE),
        tag,
        reasons: vec![reason],
    }
}

/// Where `package.json` does not allow what another file pins.
fn contradiction(package: &Package, node: &NodeVersion, file: &str) -> Option<Reason> {
    let engines = package.string(&["engines", "node"])?;
    let range = Range::parse(engines).ok()?;
    let mut numbers = node.tag.split('.').map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(FAR);
    let version = Version::from((next(), next(), next()));
    (!range.satisfies(&version)).then(|| {
        let (engines, tag) = (shown(engines), &node.tag);
        let means = format!("engines.node \"{engines}\" does not allow Node.js {tag}, but {file} counts");
        Reason::new(FILE, means)
    })
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn a_version_is_taken_as_it_is_and_a_range_gets_the_default_or_the_newest_major_that_satisfies_it() {
        for (asked, tag) in [
            ("22", "22"),
            ("v22.11.0", "22.11.0"),
            (" 16.20 ", "16.20"),
            ("=20.1.0", "20.1.0"),
            ("22.x", "22"),
            ("22.11.x", "22.11"),
            ("30", "30"),
            ("lts/*", "24"),
            ("lts/Iron", "20"),
            ("node", "26"),
            ("*", "24"),
            ("x", "24"),
            (">=18", "24"),
            (">=18.0.0 <23", "22"),
            ("^20 || ^22", "22"),
            ("18 || 20", "20"),
            ("18 - 22", "22"),
            ("~20.1", "20.1"),
            ("~22.11.0", "22.11"),
            (">=22.5.1 <22.5.3", "22.5.2"),
            (">24", "26"),
            ("<22.4", "20"),
            ("^24.1.0", "24"),
            (">= 20", "24"),
        ] {
            assert_eq!(resolve(asked).as_deref(), Ok(tag), "{asked}");
        }
    }

    #[test]
    fn what_no_version_satisfies_is_told_apart_from_what_is_none() {
        for asked in ["^16", ">=99", "<18", "123456"] {
            assert_eq!(
                resolve(asked),
                Err("is satisfied by none of 18, 20, 22, 24 and 26"),
                "{asked}"
            );
        }
        for asked in [
            "system",
            "iojs",
            "lts/nothing",
            "24\nRUN id",
            "$(id)",
            "1.2.3.4",
            "24 $(id)",
            "--",
        ] {
            assert_eq!(resolve(asked), Err("is no version and no range"), "{asked}");
        }
    }
}
