//! What differs between two configurations of an app: what serves and what its owner has typed since, or what serves
//! and a release that could come back.

use std::collections::{BTreeMap, BTreeSet};

use super::app::RunSettings;
use super::build_inputs::BuildInputs;

/// Settings and variables as a release has them frozen, or as an app would have them frozen now.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// How instances run.
    pub run: RunSettings,
    /// A digest of the value of each variable that instances see, by key.
    pub variables: BTreeMap<String, String>,
    /// What the image is made of, where it is known.
    pub build: Option<BuildInputs>,
}

/// What a change does to a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is there only afterwards.
    Added,
    /// Its value is another one.
    Changed,
    /// It is there only before.
    Removed,
}

/// A setting with another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedSetting {
    /// Its name in the API.
    pub name: String,
    /// Its value before; empty when it was not set.
    pub from: String,
    /// Its value afterwards; empty when it is not set.
    pub to: String,
}

/// A variable with another value, known by name only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedVariable {
    /// Its name.
    pub key: String,
    /// What happens to it.
    pub change: Change,
}

/// What differs between two configurations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Settings, by name.
    pub settings: Vec<ChangedSetting>,
    /// Variables, by key.
    pub variables: Vec<ChangedVariable>,
    /// Whether another image is needed, so that applying it takes a build.
    pub needs_build: bool,
}

impl Difference {
    /// Compares what is before with what would be afterwards.
    pub fn between(before: &Configuration, after: &Configuration) -> Self {
        let named = |configuration: &Configuration| {
            let run = configuration.run.named().map(|(name, value)| (name.to_owned(), value));
            let mut all = BTreeMap::from(run);
            all.extend(configuration.build.iter().flat_map(|build| build.settings.clone()));
            all
        };
        let mut variables = changes(&before.variables, &after.variables);
        let mut settings = changes(&named(before), &named(after));
        let needs_build = match (&before.build, &after.build) {
            (Some(before), Some(after)) => !before.makes_the_same(after),
            (None, None) => false,
            _ => true,
        };
        match (&before.build, &after.build) {
            (Some(before), Some(after)) => variables.extend(changes(&before.variables, &after.variables)),
            // What is known of one side only cannot be compared.
            _ => settings.retain(|(name, ..)| before.run.named().iter().any(|(known, _)| known == name)),
        }
        variables.sort();
        variables.dedup_by(|one, other| one.0 == other.0);
        Self {
            settings: settings
                .into_iter()
                .map(|(name, from, to)| ChangedSetting {
                    name,
                    from: from.unwrap_or_default(),
                    to: to.unwrap_or_default(),
                })
                .collect(),
            variables: variables
                .into_iter()
                .map(|(key, from, to)| ChangedVariable {
                    key,
                    change: match (from, to) {
                        (None, _) => Change::Added,
                        (_, None) => Change::Removed,
                        _ => Change::Changed,
                    },
                })
                .collect(),
            needs_build,
        }
    }

    /// Whether nothing differs that has a name.
    pub fn is_empty(&self) -> bool {
        self.settings.is_empty() && self.variables.is_empty()
    }
}

/// Name, value before, value afterwards, of everything that differs.
type Changes = Vec<(String, Option<String>, Option<String>)>;

fn changes(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Changes {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .map(|name| (name.clone(), before.get(name).cloned(), after.get(name).cloned()))
        .filter(|(_, from, to)| from != to)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::app::{Health, Port, Resources};

    fn configuration(port: i64, variables: &[(&str, &str)], target: &str) -> Configuration {
        let variables: BTreeMap<String, String> = variables
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        Configuration {
            run: RunSettings {
                port: Port::parse(port).unwrap(),
                health: Health {
                    path: None,
                    timeout_s: 60,
                },
                resources: Resources::default(),
                start_command: None,
                release_command: None,
                stop_timeout_s: 10,
            },
            build: Some(BuildInputs {
                commit: "c".repeat(40),
                settings: BTreeMap::from([("build.target".to_owned(), target.to_owned())]),
                files: None,
                variables: BTreeMap::new(),
                bases: BTreeMap::new(),
            }),
            variables,
        }
    }

    #[test]
    fn what_differs_is_named_and_only_build_inputs_need_a_build() {
        let before = configuration(3000, &[("A", "1"), ("GONE", "x")], "");
        let same = Difference::between(&before, &before);
        assert!(same.is_empty() && !same.needs_build);

        let after = configuration(8080, &[("A", "2"), ("NEW", "y")], "");
        let difference = Difference::between(&before, &after);
        let port = ChangedSetting {
            name: "port".into(),
            from: "3000".into(),
            to: "8080".into(),
        };
        assert_eq!(difference.settings, [port]);
        let variable = |key: &str, change| ChangedVariable {
            key: key.to_owned(),
            change,
        };
        assert_eq!(
            difference.variables,
            [
                variable("A", Change::Changed),
                variable("GONE", Change::Removed),
                variable("NEW", Change::Added)
            ]
        );
        assert!(!difference.needs_build);

        let target = Difference::between(&before, &configuration(3000, &[("A", "1"), ("GONE", "x")], "web"));
        assert_eq!(target.settings[0].name, "build.target");
        assert!(target.needs_build && !target.is_empty());
    }

    #[test]
    fn a_variable_of_builds_and_instances_is_named_once() {
        let mut before = configuration(3000, &[("BOTH", "1")], "");
        let mut after = configuration(3000, &[("BOTH", "2")], "");
        let digest = |value: &str| BTreeMap::from([("BOTH".to_owned(), value.to_owned())]);
        before.build.as_mut().unwrap().variables = digest("1");
        after.build.as_mut().unwrap().variables = digest("2");
        let difference = Difference::between(&before, &after);
        assert_eq!(difference.variables.len(), 1);
        assert!(difference.needs_build);
    }

    #[test]
    fn an_unknown_image_needs_a_build_and_hides_no_other_change() {
        let mut before = configuration(3000, &[], "");
        before.build = None;
        let difference = Difference::between(&before, &configuration(8080, &[], "web"));
        assert_eq!(difference.settings.len(), 1);
        assert!(difference.needs_build);
    }
}
