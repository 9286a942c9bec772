//! Where domains lead, looked up again and again while it is wrong: no certificate is asked for before it is right.
//!
//! An authority counts failed attempts (Let's Encrypt: five an hour for a host), and a proxy that asks on every change
//! uses them up within minutes. What was seen is stored with the domain, so that a restart changes nothing.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::{Context, DeployError, routes};
use crate::db;
use crate::dns::own_addresses;
use crate::events::Event;
use crate::model::domain::{Domain, Tls};
use crate::model::host::Host;
use crate::model::ids::AppId;
use crate::model::pointing::{Found, Pointing, Verdict, reached_by_authority};

/// How often domains that do not lead here yet are looked up.
const PERIOD: Duration = Duration::from_secs(10);
/// Every so many times all others are, too: a quarter of an hour.
const ALL_EVERY: u32 = 90;

/// What the DNS said of hosts when they were last looked up.
#[derive(Default)]
pub(super) struct Pointings(Mutex<HashMap<Host, Pointing>>);

impl Pointings {
    /// What was seen of a host.
    pub(super) fn of(&self, host: &Host) -> Option<Pointing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(host).cloned()
    }

    fn put(&self, host: &Host, pointing: Pointing) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(host.clone(), pointing);
    }

    fn keep(&self, hosts: &[Host]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|host, _| hosts.contains(host));
    }
}

/// Looks until Dhow stops; without certificates there is nothing to wait for.
pub(super) async fn run(context: Arc<Context>) {
    if !context.config.has_acme() {
        return;
    }
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for round in (0..ALL_EVERY).cycle() {
        tokio::select! {
            () = context.shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = look(&context, round == 0).await {
            tracing::warn!(%error, "domains could not be looked up");
        }
    }
}

async fn look(context: &Context, is_all: bool) -> Result<(), DeployError> {
    let waiting = context
        .db
        .read(move |c| db::domains::list_automatic(c, !is_all))
        .await?;
    if is_all {
        let hosts: Vec<Host> = waiting.iter().map(|(_, host)| host.clone()).collect();
        context.pointings.keep(&hosts);
    }
    let mut apps: Vec<AppId> = waiting.into_iter().map(|(app, _)| app).collect();
    apps.sort_unstable();
    apps.dedup();
    for app in apps {
        if look_up(context, app).await? {
            routes::write(context, app).await?;
            context.events.announce(Event::App(app));
        }
    }
    Ok(())
}

/// Looks up where an app's domains lead; `true` when another one may have a certificate now, or may not any more, so
/// that its route is to be written.
pub(super) async fn look_up(context: &Context, app: AppId) -> Result<bool, DeployError> {
    let domains = context.db.read(move |c| db::domains::list_of_app(c, app)).await?;
    let is_meant = |domain: &&Domain| domain.tls == Tls::Auto && domain.may_have_certificate();
    let domains: Vec<Domain> = domains.iter().filter(is_meant).cloned().collect();
    if domains.is_empty() {
        return Ok(false);
    }
    let is_private = context.config.acme_directory.is_some();
    let own = reached_by_authority(own_addresses(), is_private);
    let known = reached_by_authority(known_addresses(context).await, is_private);
    let looks = domains.iter().map(|domain| context.dns.look_up(&domain.host));
    let found = futures_util::future::join_all(looks).await;
    let mut changed = Vec::new();
    for (domain, found) in domains.iter().zip(found) {
        let pointing = Pointing::new(found, &own, &known);
        let points_here = match pointing.verdict {
            Verdict::Right => true,
            Verdict::Wrong | Verdict::Missing => false,
            Verdict::Unknown => domain.points_here,
        };
        context.pointings.put(&domain.host, pointing);
        if points_here != domain.points_here {
            tracing::info!(host = %domain.host, points_here, "the DNS of a domain changed");
            changed.push((domain.id, points_here));
        }
    }
    let has_changed = !changed.is_empty();
    if has_changed {
        let write = context.db.write(move |tx| {
            changed
                .iter()
                .try_for_each(|(id, points_here)| db::domains::update_points_here(tx, *id, *points_here))
        });
        write.await.map_err(|error: db::Error| DeployError::from(error))?;
    }
    Ok(has_changed)
}

/// Where the operator's own name for this machine leads: its public address, also behind an address translation.
async fn known_addresses(context: &Context) -> Vec<IpAddr> {
    let host = &context.config.base_domain;
    if !host.is_public_name() {
        return Vec::new();
    }
    match context.dns.look_up(host).await {
        Found::Addresses(addresses) => addresses,
        Found::Unknown(_) => Vec::new(),
    }
}
