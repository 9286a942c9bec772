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
mod tests;
