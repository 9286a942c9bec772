use serde_json::json;

use super::*;
use crate::actions::Error;

fn minimal() -> Value {
    json!({"name": "Web", "source": {"kind": "git", "url": "https://git.example.com/a/b.git"}})
}

fn refused(error: Error) -> Vec<String> {
    let Error::Invalid(errors) = error else {
        panic!("{error:?}")
    };
    errors.into_iter().map(|error| error.field).collect()
}

#[test]
fn what_is_left_out_has_its_default() {
    let settings = AppInput::from_json(minimal()).unwrap().check(false).unwrap();
    assert_eq!((settings.run.port, settings.is_port_guessed), (Port::DEFAULT, true));
    assert_eq!(settings.build.dockerfile.as_str(), "Dockerfile");
    assert!(settings.auto_deploy && settings.run.health.path.is_none());
}

#[test]
fn an_edit_keeps_what_it_does_not_name_and_null_is_the_default() {
    let mut json = minimal();
    json["port"] = json!(8080);
    json["health"] = json!({"path": "/up", "timeout_s": 5});
    let input = AppInput::from_json(json).unwrap();
    let edited = input
        .changed_by(json!({"name": "Shop", "health": {"path": null}, "port": null}))
        .unwrap();
    assert_eq!(
        (edited.name.as_str(), input.port, edited.port),
        ("Shop", Some(8080), None)
    );
    let chosen = input.check(false).unwrap();
    assert_eq!((chosen.run.port.get(), chosen.is_port_guessed), (8080, false));
    assert!(edited.check(false).unwrap().is_port_guessed);
    assert_eq!(
        edited.health,
        HealthInput {
            path: None,
            timeout_s: 5
        }
    );
    assert_eq!(edited.source, input.source);
    let pushed = input.changed_by(json!({"source": {"kind": "push"}})).unwrap();
    assert_eq!(pushed.source.url, None);
}

#[test]
fn every_refused_field_is_named() {
    let input = AppInput::from_json(json!({
        "name": "", "source": {"kind": "git", "url": "file:///etc", "branch": "-f", "root_dir": "../x"},
        "build": {"builder": "magic", "context": "/etc", "dockerfile": ".", "target": "$(id)", "start_command": "a\nb"},
        "port": 0, "health": {"path": "x", "timeout_s": 0}, "resources": {"memory_mb": 1, "cpus": 0.0},
        "stop_timeout_s": 0,
    }));
    let fields = refused(input.unwrap().check(false).unwrap_err());
    assert_eq!(
        fields,
        [
            "name",
            "source.root_dir",
            "source.url",
            "source.branch",
            "build.builder",
            "build.context",
            "build.dockerfile",
            "build.target",
            "port",
            "health.path",
            "health.timeout_s",
            "resources.memory_mb",
            "resources.cpus",
            "stop_timeout_s",
            "build.start_command",
        ]
    );
}

#[test]
fn json_that_does_not_fit_is_named_by_its_path() {
    let cases = [
        (json!({"name": "x"}), "source"),
        (json!({"name": 5, "source": {"kind": "push"}}), "name"),
        (json!({"name": "x", "source": {}}), "source.kind"),
        (json!({"name": "x", "source": {"kind": "push"}, "port": "80"}), "port"),
        (
            json!({"name": "x", "source": {"kind": "push"}, "surprise": 1}),
            "surprise",
        ),
        (
            json!({"name": "x", "source": {"kind": "push", "surprise": 1}}),
            "source.surprise",
        ),
        (json!([]), "body"),
        (
            json!({"name": "x", "source": {"kind": "push"}, "health": ["/x", 5]}),
            "health",
        ),
    ];
    for (json, field) in cases {
        assert_eq!(
            refused(AppInput::from_json(json.clone()).unwrap_err()),
            [field],
            "{json}"
        );
    }
}

#[test]
fn plain_http_needs_permission() {
    let mut json = minimal();
    json["source"]["url"] = json!("http://git.example.com/a/b.git");
    let input = AppInput::from_json(json).unwrap();
    assert_eq!(refused(input.check(false).unwrap_err()), ["source.url"]);
    assert!(input.check(true).is_ok());
}
