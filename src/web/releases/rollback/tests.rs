//! What a rollback is said to change.

use super::*;
use crate::model::app::{Health, Port, Resources, RunSettings};
use crate::model::difference::{ChangedSetting, ChangedVariable};
use crate::model::ids::{AppId, DeploymentId, ReleaseId};
use crate::model::time::Timestamp;

fn release(number: i64, sha: &str) -> Release {
    Release {
        id: ReleaseId(number),
        app_id: AppId(1),
        number,
        deployment_id: DeploymentId(number),
        image_id: "sha256:x".into(),
        commit: Some(CommitInfo {
            sha: sha.repeat(40),
            message: "<b>subject</b>".into(),
            author: "Ana".into(),
        }),
        image: None,
        run: RunSettings {
            port: Port::DEFAULT,
            health: Health {
                path: None,
                timeout_s: 60,
            },
            resources: Resources::default(),
            start_command: None,
            release_command: None,
            stop_timeout_s: 10,
        },
        build_inputs: None,
        created_at: Timestamp::from_millis(0),
    }
}

fn plan(difference: &Difference, shas: [&str; 2]) -> Plan {
    let facts = Facts {
        active: release(3, shas[0]),
        release: release(1, shas[1]),
        domains: Vec::new(),
        seconds: 2,
    };
    Plan::of(&facts, difference, Image::Here)
}

#[test]
fn variables_are_told_by_name_and_settings_by_their_labels() {
    let variable = |key: &str, change| ChangedVariable {
        key: key.to_owned(),
        change,
    };
    let difference = Difference {
        settings: vec![ChangedSetting {
            name: "health.path".into(),
            from: "/up".into(),
            to: String::new(),
        }],
        variables: vec![
            variable("A", Change::Added),
            variable("B", Change::Changed),
            variable("C", Change::Removed),
        ],
        needs_build: true,
    };
    let plan = plan(&difference, ["a", "b"]);
    let told: Vec<_> = plan.variables.iter().map(|row| (&*row.key, row.from, row.to)).collect();
    assert_eq!(
        told,
        [
            ("A", "not set", "set"),
            ("B", "set", "another value"),
            ("C", "set", "not set")
        ]
    );
    let setting = &plan.settings[0];
    assert_eq!(
        [&*setting.label, &*setting.from, &*setting.to],
        ["Health path", "/up", "open port"]
    );
    assert!(!plan.is_same_commit && !plan.changes_nothing());
}

#[test]
fn a_release_of_the_same_is_said_to_change_nothing() {
    assert!(plan(&Difference::default(), ["a", "a"]).changes_nothing());
    assert!(!plan(&Difference::default(), ["a", "b"]).changes_nothing());
    let untold = Plan {
        trouble: Some("The variable A cannot be opened.".into()),
        ..plan(&Difference::default(), ["a", "a"])
    };
    assert!(!untold.changes_nothing());
}
