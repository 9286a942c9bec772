//! From what is typed to settings, with every refusal at its field.

use super::*;
use crate::actions::{Error, Result};
use crate::model::app::AppSettings;

fn typed(pairs: &[(&str, &str)]) -> Typed {
    let mut typed = Typed::default();
    pairs.iter().for_each(|(name, value)| typed.set(name, *value));
    typed
}

fn checked(typed: &Typed) -> Result<AppSettings> {
    AppInput::from_json(to_new_json(typed))?.check(false)
}

#[test]
fn name_and_address_are_enough() {
    let url = "https://git.example.org/acme/web.git";
    for form in [typed(&[("name", "Web"), ("url", url), ("port", "3000")]), {
        let mut form = of_new_app();
        form.set("name", "Web");
        form.set("url", format!(" {url} "));
        form
    }] {
        let settings = checked(&form).unwrap();
        let SettingsSummary {
            source,
            dockerfile,
            is_automatic,
        } = summary(&settings);
        assert_eq!(source, format!("git {url} submodules"));
        assert_eq!((dockerfile.as_str(), is_automatic), ("Dockerfile", true));
    }
}

struct SettingsSummary {
    source: String,
    dockerfile: String,
    is_automatic: bool,
}

fn summary(settings: &AppSettings) -> SettingsSummary {
    use crate::model::source::Source;
    let source = match &settings.source {
        Source::Git {
            url, submodules: true, ..
        } => format!("git {url} submodules"),
        Source::Git { url, .. } => format!("git {url}"),
        Source::Push { .. } => "push".to_owned(),
        Source::Image { image } => format!("image {image}"),
    };
    let dockerfile = settings.build.dockerfile.as_str().to_owned();
    SettingsSummary {
        source,
        dockerfile,
        is_automatic: settings.auto_deploy,
    }
}

#[test]
fn a_pushed_app_ignores_what_its_hidden_fields_hold() {
    let mut form = of_new_app();
    for (name, value) in [
        ("name", "Web"),
        ("kind", "push"),
        ("url", "https://x.example/a.git"),
        ("branch", "main"),
    ] {
        form.set(name, value);
    }
    assert_eq!(summary(&checked(&form).unwrap()).source, "push");
}

#[test]
fn an_image_has_neither_repository_nor_build_whatever_the_hidden_fields_hold() {
    let mut form = of_new_app();
    for (name, value) in [
        ("name", "Web"),
        ("kind", "image"),
        ("image", "ghcr.io/acme/web:1.4"),
        ("url", "https://x.example/a.git"),
        ("branch", "main"),
        ("build_command", "make"),
        ("publish_dir", "dist"),
        ("target", "web"),
    ] {
        form.set(name, value);
    }
    let settings = checked(&form).unwrap();
    assert_eq!(summary(&settings).source, "image ghcr.io/acme/web:1.4");
    assert!(settings.build.target.is_none() && settings.build.build_command.is_none());
}

#[test]
fn a_field_that_the_builder_does_not_have_is_left_out() {
    let mut form = of_new_app();
    for (name, value) in [
        ("name", "Web"),
        ("url", "https://x.example/a.git"),
        ("build_command", "make"),
        ("target", "web"),
    ] {
        form.set(name, value);
    }
    for (builder, has_command, has_target) in [
        ("auto", true, true),
        ("dockerfile", false, true),
        ("static", true, false),
    ] {
        form.set("builder", builder);
        let build = checked(&form).unwrap().build;
        let found = (build.build_command.is_some(), build.target.is_some());
        assert_eq!(found, (has_command, has_target), "{builder}");
    }
}

#[test]
fn every_wrong_field_is_refused_at_once_and_keeps_what_was_typed() {
    let wrong = [
        ("name", ""),
        ("url", "git@x:22/a/b"),
        ("branch", "-x"),
        ("root_dir", "../x"),
        ("context", "/"),
        ("dockerfile", "."),
        ("target", "$(id)"),
        ("port", "http"),
        ("path", "x y"),
        ("timeout_s", "1.5"),
        ("memory_mb", "lots"),
        ("cpus", "nan"),
        ("builder", "magic"),
    ];
    let form = typed(&wrong);
    let Err(Error::Invalid(refused)) = checked(&form) else {
        panic!("all of it is wrong")
    };
    let errors = errors(refused);
    for (name, value) in wrong {
        assert!(errors.of(name).is_some(), "{name} is refused");
        assert_eq!(form.value(name), value);
    }
    let lines = errors.lines();
    assert_eq!(lines.len(), wrong.len());
    assert!(
        lines.iter().all(|line| line.id.is_some()),
        "each has a label: {lines:?}"
    );
}

#[test]
fn switches_can_be_turned_off_and_empty_fields_are_defaults() {
    let mut form = of_new_app();
    for (name, value) in [
        ("name", "Web"),
        ("url", "https://git.example.org/a/b.git"),
        ("submodules", "false"),
        ("auto_deploy", "false"),
        ("dockerfile", ""),
        ("context", " "),
        ("port", ""),
        ("cpus", "0.5"),
    ] {
        form.set(name, value);
    }
    let settings = checked(&form).unwrap();
    let SettingsSummary {
        source,
        dockerfile,
        is_automatic,
    } = summary(&settings);
    assert_eq!(
        (source.as_str(), dockerfile.as_str()),
        ("git https://git.example.org/a/b.git", "Dockerfile")
    );
    assert!(!is_automatic && settings.run.resources.cpus == Some(0.5) && settings.is_port_guessed);
}
