//! Where domains lead, looked up again and again while it is wrong: no certificate is asked for before it is right.
//!
//! An authority counts failed attempts (Let's Encrypt: five an hour for a host), and a proxy that asks on every change
//! uses them up within minutes. What was seen is stored with the domain, so that a restart changes nothing.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use tokio::time::{MissedTickBehavior, interval};

use super::{Context, DeployError, panel, port_80, routes};
use crate::db;
use crate::dns::own_addresses;
use crate::events::Event;
use crate::model::domain::{Domain, Tls};
use crate::model::host::Host;
use crate::model::ids::AppId;
use crate::model::pointing::{Found, Pointing, Verdict, reached_by_authority};
use crate::traefik::Mark;

/// How often domains that do not lead here yet are looked up.
const PERIOD: Duration = Duration::from_secs(10);
/// Every so many times those are, too, whose port 80 does not lead to the proxy: a minute.
const ASTRAY_EVERY: u32 = 6;
/// Every so many times all others are, too: a quarter of an hour.
const ALL_EVERY: u32 = 90;

/// Looks until Dhow stops, and writes routes that could not be written before; without certificates there is nothing to
/// look for.
pub(super) async fn run(context: Arc<Context>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for round in (0..ALL_EVERY).cycle() {
        tokio::select! {
            () = context.shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        routes::write_what_is_left(&context).await;
        if !context.config.has_acme() {
            continue;
        }
        if let Err(error) = panel::look(&context, round == 0).await {
            tracing::warn!(%error, "the panel's route could not be written");
        }
        if let Err(error) = look(&context, round).await {
            tracing::warn!(%error, "domains could not be looked up");
        }
    }
}

async fn look(context: &Arc<Context>, round: u32) -> Result<(), DeployError> {
    let read = context.db.read(|c| {
        let (waiting, all) = (
            db::domains::list_automatic(c, true)?,
            db::domains::list_automatic(c, false)?,
        );
        Ok((waiting, all))
    });
    let (waiting, all) = read.await?;
    if round == 0 {
        let hosts: Vec<Host> = all.iter().map(|(_, host)| host.clone()).collect();
        context.looks.keep(&hosts);
    }
    let is_due =
        |host: &Host| round == 0 || (round.is_multiple_of(ASTRAY_EVERY) && context.looks.is_port_80_astray(host));
    let due = all.into_iter().filter(|(_, host)| is_due(host));
    let mut apps: Vec<AppId> = waiting.into_iter().chain(due).map(|(app, _)| app).collect();
    apps.sort_unstable();
    apps.dedup();
    for app in apps {
        match look_up(context, app).await {
            Ok(false) => {}
            Ok(true) => {
                // One that cannot be written is remembered, and the other apps have theirs.
                let _remembered = routes::write(context, app).await;
                context.events.announce(Event::App(app));
            }
            Err(error) => tracing::warn!(%app, %error, "the domains of an app could not be looked up"),
        }
    }
    Ok(())
}

/// Looks up where an app's domains lead; `true` when another one may have a certificate now, or may not any more, so
/// that its route is to be written. Their port 80 is asked besides, and nobody waits for that.
pub(super) async fn look_up(context: &Arc<Context>, app: AppId) -> Result<bool, DeployError> {
    let domains = context.db.read(move |c| db::domains::list_of_app(c, app)).await?;
    let is_meant = |domain: &&Domain| domain.tls == Tls::Auto && domain.may_have_certificate();
    let domains: Vec<Domain> = domains.iter().filter(is_meant).cloned().collect();
    if domains.is_empty() {
        return Ok(false);
    }
    let is_private = context.config.acme_directory.is_some();
    let own = reached_by_authority(own_addresses(), is_private);
    let known = reached_by_authority(known_addresses(context).await, is_private);
    let dns = &context.dns;
    let looks = domains
        .iter()
        .map(|domain| join(dns.look_up(&domain.host), dns.look_up_caa(&domain.host)));
    let found = join_all(looks).await;
    let (mut changed, mut unasked) = (Vec::new(), Vec::new());
    for (domain, (found, caa)) in domains.iter().zip(found) {
        let pointing = Pointing::new(found, &own, &known);
        let points_here = match pointing.verdict {
            Verdict::Right => true,
            Verdict::Wrong | Verdict::Missing => false,
            Verdict::Unknown => domain.points_here,
        };
        let addresses = pointing.found.clone();
        if context.looks.put(&domain.host, pointing, caa, Instant::now()) {
            unasked.push((domain.host.clone(), addresses));
        }
        if points_here != domain.points_here {
            tracing::info!(host = %domain.host, points_here, "the DNS of a domain changed");
            changed.push((domain.id, domain.host.clone(), points_here));
        }
    }
    if context.config.has_acme() && !unasked.is_empty() {
        tokio::spawn(ask_port_80(Arc::clone(context), app, unasked));
    }
    let has_changed = !changed.is_empty();
    if has_changed {
        let write = context.db.write(move |tx| {
            changed
                .iter()
                .try_for_each(|(id, host, points_here)| db::domains::update_points_here(tx, *id, host, *points_here))
        });
        write.await.map_err(|error: db::Error| DeployError::from(error))?;
    }
    Ok(has_changed)
}

/// Asks port 80 of hosts whose DNS leads here.
async fn ask_port_80(context: Arc<Context>, app: AppId, hosts: Vec<(Host, Vec<IpAddr>)>) {
    let mark = Mark::of(&context.proxy_password);
    let asks = hosts
        .iter()
        .map(|(host, addresses)| port_80::ask(host, addresses, &mark));
    let found = join_all(asks).await;
    let mut is_news = false;
    for ((host, _), found) in hosts.iter().zip(found) {
        is_news |= context.looks.put_port_80(host, found);
    }
    if is_news {
        context.events.announce(Event::App(app));
    }
}

/// Where the operator's own name for this machine leads: its public address, also behind an address translation.
pub(super) async fn known_addresses(context: &Context) -> Vec<IpAddr> {
    let host = &context.config.base_domain;
    if !host.is_public_name() {
        return Vec::new();
    }
    match context.dns.look_up(host).await {
        Found::Addresses(addresses) => addresses,
        Found::Unknown(_) => Vec::new(),
    }
}
