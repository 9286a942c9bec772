//! Who may have a host: nobody twice, nobody the panel's or another app's own address, and below the host of another
//! project, or by a wildcard above it, only who may see all of them.
//!
//! A path below somebody's host takes visitors away from them, and an app there shares their cookies: within a
//! project that is everybody's own affair, across projects it is for an owner or admin of the instance to allow.

use crate::actions::{Error, Result, access};
use crate::config::Config;
use crate::db;
use crate::db::domains::Holder;
use crate::model::Invalid;
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::domain::{Domain, MAX_DOMAINS, is_endless};
use crate::model::host::Host;
use crate::model::ids::AppId;
use crate::model::route::default_host;
use crate::model::user::Actor;

/// Refuses a host that the actor may not give to the app.
pub(super) fn check(tx: &db::Tx, config: &Config, actor: &Actor, app: &App, domain: &Domain) -> Result<()> {
    if config.is_panels(&domain.host) {
        let message = format!(
            "{} may be the panel's own address, whose cookies an app there would be sent. Use another host.",
            domain.host
        );
        return Err(Error::Conflict(message));
    }
    refuse_foreign_default_host(tx, &domain.host, app, &config.base_domain)?;
    if let Some(parent) = domain.host.wildcard_parent()
        && !actor.sees_all()
    {
        refuse_wildcard_above_others(tx, actor, app, parent, &config.base_domain)?;
    }
    let wildcard = domain.host.covering_wildcard();
    let hosts: Vec<&Host> = [&domain.host].into_iter().chain(&wildcard).collect();
    let foreign = db::domains::list_holders(tx, &hosts)?
        .into_iter()
        .find(|holder| holder.project != app.project_id);
    match foreign {
        Some(holder) if !actor.sees_all() => Err(Error::Conflict(format!(
            "{} belongs to {}. Only an admin of this Dhow may give a part of it to another project.",
            holder.host,
            name_for(tx, actor, &holder)?
        ))),
        _ => Ok(()),
    }
}

/// A wildcard takes what comes for the hosts that it covers and that are not served: another app's own address while it is
/// stopped or has domains, and another project's host at paths that it does not have there.
fn refuse_wildcard_above_others(tx: &db::Tx, actor: &Actor, app: &App, parent: &str, base_domain: &Host) -> Result<()> {
    let only_an_admin = "Only an admin of this Dhow may add it.";
    let base = base_domain.as_str();
    if base
        .strip_suffix(parent)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    {
        let message =
            format!("*.{parent} would reach into {base}, where all apps have their own addresses. {only_an_admin}");
        return Err(Error::Conflict(message));
    }
    let below = db::domains::list_holders_below(tx, parent)?;
    match below.into_iter().find(|holder| holder.project != app.project_id) {
        Some(holder) => Err(Error::Conflict(format!(
            "*.{parent} would take in {}, which belongs to {}. {only_an_admin}",
            holder.host,
            name_for(tx, actor, &holder)?
        ))),
        None => Ok(()),
    }
}

/// Refuses one domain more than an app may have.
pub(super) fn refuse_too_many(tx: &db::Tx, app: AppId) -> Result<()> {
    if db::domains::count_of_app(tx, app)? < MAX_DOMAINS {
        return Ok(());
    }
    let message = format!("The app has {MAX_DOMAINS} domains, and more are not possible. Remove one first.");
    Err(Error::field("host", Invalid::new(message)))
}

/// The refusal of a host and path that somebody has.
pub(super) fn taken(tx: &db::Tx, actor: &Actor, domain: &Domain) -> Result<Error> {
    let holder = db::domains::list_holders(tx, &[&domain.host])?
        .into_iter()
        .find(|holder| holder.path_prefix == domain.path_prefix.as_str());
    let name = match holder {
        Some(holder) => name_for(tx, actor, &holder)?,
        None => "another app".to_owned(),
    };
    Ok(Error::Conflict(format!(
        "{} belongs to {name}. Remove it there first.",
        domain.written()
    )))
}

/// Refuses a change after which requests for this host would be sent round for ever, through whatever app.
pub(super) fn refuse_endless_redirect(tx: &db::Tx, host: &Host, redirect_to: Option<&Host>) -> Result<()> {
    let hops = db::domains::list_hops(tx)?;
    // A wildcard is no host that anybody asks for; what it leads to is.
    let start = redirect_to.unwrap_or(host);
    if !is_endless(start, &hops) {
        return Ok(());
    }
    let message = match redirect_to {
        Some(target) => format!("The redirect to {target} would come back to {host} for ever."),
        None => format!("Redirects would then lead to {host} and back for ever. Change them first."),
    };
    Err(Error::field("redirect_to", Invalid::new(message)))
}

/// What an actor may know of a holder.
pub(super) fn name_for(tx: &db::Tx, actor: &Actor, holder: &Holder) -> Result<String> {
    let is_seen = access::right_in(tx, actor, holder.project)?.is_some_and(|right| right >= Right::View);
    Ok(if is_seen {
        holder.slug.clone()
    } else {
        "an app of another project".to_owned()
    })
}

fn refuse_foreign_default_host(tx: &db::Tx, host: &Host, app: &App, base_domain: &Host) -> Result<()> {
    let Some(label) = host.as_str().strip_suffix(&format!(".{base_domain}")) else {
        return Ok(());
    };
    let Some(other) = db::apps::find_by_slug(tx, label)? else {
        return Ok(());
    };
    if other.id == app.id || default_host(&other.slug, base_domain).ok().as_ref() != Some(host) {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "{host} is the own address of {}. Use another host.",
        other.slug
    )))
}

#[cfg(test)]
mod tests {
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
}
