//! What `pom.xml` files say. Document types are refused by the reader, and with them every trick with entities.

use std::collections::BTreeSet;

use roxmltree::{Document, Node};

use super::super::plain::{chosen, plain_word};
use super::super::{Reason, Tree, Undetected, Wishes};
use super::Build;
use super::start::Start;
use super::version::Asked;

/// How deep modules are looked for.
const MAX_DEPTH: usize = 4;
/// How many modules are read.
const MAX_MODULES: usize = 200;
/// Properties that name a version of Java, most decisive first.
const VERSION_PROPERTIES: &[&str] = &[
    "maven.compiler.release",
    "java.version",
    "maven.compiler.target",
    "maven.compiler.source",
    "kotlin.compiler.jvmTarget",
];

/// One `pom.xml` as far as it matters.
#[derive(Debug, Default)]
struct Pom {
    modules: Vec<String>,
    is_war: bool,
    plugins: Vec<String>,
    properties: Vec<(String, String)>,
}

/// Reads a Maven build, which must be there.
pub fn read(tree: &Tree, wishes: &Wishes) -> Result<Build, Undetected> {
    let root = Pom::read(tree, "pom.xml")?;
    let mut found = Vec::new();
    if let Some(start) = root.start("pom.xml")?.filter(|_| root.modules.is_empty()) {
        found.push((None, start, Pom::default()));
    }
    let mut seen = BTreeSet::new();
    collect(tree, "", &root, 0, &mut seen, &mut found)?;
    let names: Vec<&str> = found.iter().map(|(name, ..)| name.as_deref().unwrap_or(".")).collect();
    let only = match chosen(&names, wishes.build_command.as_deref()) {
        Some(name) => names.iter().position(|other| *other == name),
        None if names.is_empty() || wishes.has_start_command => None,
        None => return Err(several(&names)),
    };
    let (module, start, pom) = match only {
        Some(place) => {
            let (module, start, pom) = found.swap_remove(place);
            (module, Some(start), pom)
        }
        None => (None, None, Pom::default()),
    };
    let file = module
        .as_ref()
        .map_or("pom.xml".to_owned(), |module| format!("{module}/pom.xml"));
    let mut reasons = Vec::new();
    reasons.extend(start.map(|start| Reason::new(&file, start.why())));
    let java = pom.java(&file).or_else(|| root.java("pom.xml"));
    let is_kotlin = [&root, &pom].iter().any(|pom| pom.has("kotlin-maven-plugin"));
    Ok(Build {
        directory: module,
        start,
        java,
        is_kotlin,
        reasons,
    })
}

fn collect(
    tree: &Tree,
    directory: &str,
    pom: &Pom,
    depth: usize,
    seen: &mut BTreeSet<String>,
    found: &mut Vec<(Option<String>, Start, Pom)>,
) -> Result<(), Undetected> {
    for module in &pom.modules {
        if depth == MAX_DEPTH || seen.len() == MAX_MODULES {
            return Ok(());
        }
        let parts = plain_word(module, "module")?
            .split('/')
            .filter(|part| !matches!(*part, "" | "."));
        let path = format!("{directory}{}", parts.collect::<Vec<_>>().join("/"));
        if path.is_empty() || path.ends_with('/') || !seen.insert(path.clone()) {
            continue;
        }
        let file = format!("{path}/pom.xml");
        if !tree.has(&file) {
            continue;
        }
        let pom = Pom::read(tree, &file)?;
        collect(tree, &format!("{path}/"), &pom, depth + 1, seen, found)?;
        if let Some(start) = pom.start(&file)? {
            found.push((Some(path), start, pom));
        }
    }
    Ok(())
}

fn several(names: &[&str]) -> Undetected {
    Undetected::Incomplete(format!(
        "pom.xml has several modules that can be started: {}. Name one in the build command, as in `mvn -B -DskipTests -pl {} \
         -am package`",
        names.join(", "),
        names[0]
    ))
}

impl Pom {
    fn read(tree: &Tree, file: &str) -> Result<Self, Undetected> {
        let text = tree.text(file).unwrap_or_default();
        let document = Document::parse(&text)
            .map_err(|error| Undetected::Incomplete(format!("{file} is no XML that can be read: {error}")))?;
        let project = document.root_element();
        let plugins = path(project, &["build", "plugins"])
            .into_iter()
            .flat_map(|plugins| plugins.children())
            .filter_map(|plugin| text_of(plugin, "artifactId"))
            .collect();
        let modules = path(project, &["modules"])
            .into_iter()
            .flat_map(|modules| modules.children())
            .filter_map(|module| Some(module.text()?.trim().to_owned()))
            .filter(|module| !module.is_empty())
            .collect();
        let properties = path(project, &["properties"])
            .into_iter()
            .flat_map(|properties| properties.children())
            .filter_map(|property| {
                Some((
                    property.tag_name().name().to_owned(),
                    property.text()?.trim().to_owned(),
                ))
            })
            .collect();
        Ok(Self {
            modules,
            is_war: text_of(project, "packaging").as_deref() == Some("war"),
            plugins,
            properties,
        })
    }

    fn has(&self, plugin: &str) -> bool {
        self.plugins.iter().any(|name| name == plugin)
    }

    fn start(&self, file: &str) -> Result<Option<Start>, Undetected> {
        let start = if self.has("spring-boot-maven-plugin") {
            Start::SpringBoot { is_war: self.is_war }
        } else if self.has("quarkus-maven-plugin") {
            Start::Quarkus
        } else if self.is_war {
            return Err(Undetected::Incomplete(format!(
                "{file} makes a WAR, which needs a servlet container. Write a Dockerfile on the image of one, or have it made \
                 into a JAR that starts by itself"
            )));
        } else if self.has("micronaut-maven-plugin") {
            Start::Micronaut
        } else if self.has("maven-shade-plugin") {
            Start::FatJar("maven-shade-plugin")
        } else if self.has("maven-assembly-plugin") {
            Start::Assembly
        } else {
            return Ok(None);
        };
        Ok(Some(start))
    }

    fn property(&self, name: &str) -> Option<&str> {
        self.properties
            .iter()
            .find_map(|(key, value)| (key == name).then_some(value.as_str()))
    }

    fn java(&self, file: &str) -> Option<Asked> {
        VERSION_PROPERTIES.iter().find_map(|name| {
            let mut value = self.property(name)?;
            if let Some(other) = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
                value = self.property(other)?;
            }
            Asked::target(value, file, name)
        })
    }
}

fn path<'a, 'input>(node: Node<'a, 'input>, names: &[&str]) -> Option<Node<'a, 'input>> {
    names.iter().try_fold(node, |node, name| {
        node.children().find(|child| child.tag_name().name() == *name)
    })
}

fn text_of(node: Node<'_, '_>, name: &str) -> Option<String> {
    Some(path(node, &[name])?.text()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::super::Tree;
    use super::Pom;

    #[test]
    fn properties_name_the_java() {
        for (properties, expected) in [
            ("<java.version>17</java.version>", Some(17)),
            ("<maven.compiler.source>1.8</maven.compiler.source>", Some(8)),
            ("<maven.compiler.target>16</maven.compiler.target>", Some(17)),
            (
                "<v>25</v><maven.compiler.release>${v}</maven.compiler.release>",
                Some(25),
            ),
            (
                "<java.version>11</java.version><maven.compiler.release>21</maven.compiler.release>",
                Some(21),
            ),
            ("<maven.compiler.release>${missing}</maven.compiler.release>", None),
            ("<java.version>latest</java.version>", None),
            ("", None),
        ] {
            let root = tempfile::tempdir().unwrap();
            let text = format!("<project><properties>{properties}</properties></project>");
            fs::write(root.path().join("pom.xml"), text).unwrap();
            let pom = Pom::read(&Tree::open(root.path()).unwrap(), "pom.xml").unwrap();
            let found = pom.java("pom.xml").map(|asked| asked.version);
            assert_eq!(found, expected, "{properties}");
        }
    }
}
