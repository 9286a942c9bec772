use clap::Parser as _;
use serde_json::json;

use super::*;
use crate::actions::app_input::AppInput;
use crate::actions::invitations::tests::Office;
use crate::config::{CommandLine, Verb};
use crate::model::path_prefix::PathPrefix;
use crate::model::slug::{AppSlug, ProjectSlug};
use crate::model::text::Name;
use crate::model::user::Role;

fn config(arguments: &[&str]) -> Config {
    let line = CommandLine::try_parse_from(
        ["dhow", "serve", "--base-domain=apps.example.com"]
            .iter()
            .chain(arguments),
    );
    match line.unwrap().verb {
        Verb::Serve(config) => *config,
        _ => unreachable!("it is serve"),
    }
}

fn domain(host: &str) -> Domain {
    Domain::new(Host::parse_pattern(host).unwrap(), PathPrefix::root())
}

/// The apps `web` and `other`, each in a project of its own name.
async fn two_apps(office: &Office) -> [App; 2] {
    let made = office.write(|tx| {
        let make = |name: &str| {
            let (slug, title) = (ProjectSlug::parse(name).unwrap(), Name::parse(name).unwrap());
            let project = db::projects::insert(tx, &slug, &title)?;
            let input: AppInput =
                serde_json::from_value(json!({ "name": name, "source": { "kind": "push" } })).unwrap();
            let id = db::apps::insert(tx, project, &AppSlug::parse(name).unwrap(), &input.check(false)?)?;
            Ok::<_, Error>(db::apps::find(tx, id)?.unwrap())
        };
        Ok([make("web")?, make("other")?])
    });
    made.await.unwrap()
}

/// The refusal of a host for an app, if it is one.
async fn refusal(office: &Office, config: Config, actor: &Actor, app: &App, host: &str) -> Option<String> {
    let (actor, app, domain) = (actor.clone(), app.clone(), domain(host));
    let checked = office.write(move |tx| check(tx, &config, &actor, &app, &domain)).await;
    checked.err().map(|error| error.to_string())
}

async fn add(office: &Office, app: &App, host: &str) {
    let (app, domain) = (app.id, domain(host));
    office
        .write(move |tx| Ok(db::domains::insert(tx, app, &domain)?))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_wildcard_above_the_hosts_of_others_is_for_an_admin_to_add() {
    let office = Office::open().await;
    let [web, other] = two_apps(&office).await;
    let (owner, developer) = (office.owner(), office.user("dev@x", Role::Member).await);
    add(&office, &web, "a.example.com").await;
    add(&office, &web, "deep.below.example.org").await;
    add(&office, &other, "own.example.net").await;
    for (host, reason) in [
        ("*.apps.example.com", Some("all apps have their own addresses")),
        ("*.example.com", Some("all apps have their own addresses")),
        ("*.com", Some("all apps have their own addresses")),
        (
            "*.below.example.org",
            Some("deep.below.example.org, which belongs to an app of another project"),
        ),
        ("*.example.org", None),
        ("*.low.example.org", None),
        ("*.example.net", None),
        ("*.sub.apps.example.com", None),
    ] {
        let refused = refusal(&office, config(&[]), &developer, &other, host).await;
        match (&refused, reason) {
            (Some(words), Some(reason)) => assert!(words.contains(reason), "{host}: {words}"),
            _ => assert_eq!(refused.as_deref(), reason, "{host}"),
        }
        assert_eq!(
            refusal(&office, config(&[]), &owner, &other, host).await,
            None,
            "{host}"
        );
    }
}

#[tokio::test]
async fn a_host_at_which_the_panel_may_be_visited_is_nobodys() {
    let office = Office::open().await;
    let ([web, _], owner) = (two_apps(&office).await, office.owner());
    for (arguments, host, is_free) in [
        (&[][..], "203.0.113.7", true),
        (&["--listen=0.0.0.0:7070"], "203.0.113.7", false),
        (
            &["--listen=0.0.0.0:7070", "--panel-domain=dhow.example.com"],
            "apps.example.com",
            false,
        ),
        (&["--panel-domain=dhow.example.com"], "dhow.example.com", false),
    ] {
        let refused = refusal(&office, config(arguments), &owner, &web, host).await;
        assert_eq!(refused.is_none(), is_free, "{arguments:?} {host}: {refused:?}");
    }
}

#[tokio::test]
async fn an_app_has_a_hundred_domains_at_most() {
    let office = Office::open().await;
    let [web, _] = two_apps(&office).await;
    for number in 1..MAX_DOMAINS {
        add(&office, &web, &format!("a{number}.example.com")).await;
    }
    let app = web.id;
    office.write(move |tx| refuse_too_many(tx, app)).await.unwrap();
    add(&office, &web, "last.example.com").await;
    let refused = office.write(move |tx| refuse_too_many(tx, app)).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
}
