//! Domains of an app: added, changed, put in order and removed, all at once and without a deployment.

use serde_json::Value;

use super::json::{merge, parse_json};
use super::{Actions, Error, Result, access};
use crate::db;
use crate::deploy::AcmeOutcome;
use crate::events::Event;
use crate::model::Invalid;
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::domain::{Domain, Https, Tls};
use crate::model::host::Host;
use crate::model::ids::{AppId, DomainId};
use crate::model::path_prefix::PathPrefix;
use crate::model::time::Timestamp;
use crate::model::user::Actor;

mod claim;
mod input;
mod sealing;
mod uploaded;
mod view;
mod words;

pub use input::{DomainInput, SiteUserInput};
use view::Seen;
pub use view::{CaaState, DnsState, DomainState, DomainView};

/// An app's domains in its own order.
pub struct DomainList {
    /// Counts the changes.
    pub version: i64,
    /// The domains; the first one is the app's address.
    pub domains: Vec<Domain>,
}

/// Which domain of an app is meant.
#[derive(Debug, Clone, Default)]
pub struct Which {
    /// The host as it is stored, or in any other spelling.
    pub host: String,
    /// The path, where the host has several.
    pub path_prefix: Option<String>,
}

impl Actions {
    /// An app's domains as they are stored.
    pub async fn list_domains(&self, app: &App) -> Result<DomainList> {
        let id = app.id;
        let read = self.db.read(move |c| {
            Ok(DomainList {
                version: db::domains::find_version(c, id)?,
                domains: db::domains::list_of_app(c, id)?,
            })
        });
        Ok(read.await?)
    }

    /// An app's domains as they are shown, in the app's order, with the list's version.
    pub async fn show_domains(&self, app: &App) -> Result<(i64, Vec<DomainView>)> {
        let list = self.list_domains(app).await?;
        let (has_acme, now) = (self.config.has_acme(), Timestamp::now());
        let by_acme = |domain: &&Domain| domain.https(has_acme) == Https::Acme;
        let hosts: Vec<Host> = list
            .domains
            .iter()
            .filter(by_acme)
            .map(|domain| domain.host.clone())
            .collect();
        let outcomes = if hosts.is_empty() {
            Vec::new()
        } else {
            self.deployer.certificates(&hosts).await
        };
        let uploaded = if outcomes.contains(&AcmeOutcome::Pending) {
            uploaded::list(&self.db).await?
        } else {
            Vec::new()
        };
        let mut outcomes = outcomes.into_iter();
        let unwritten = self.deployer.unwritten(app.id);
        let show = |(position, domain): (usize, &Domain)| {
            let outcome = if by_acme(&domain) { outcomes.next() } else { None };
            let seen = Seen {
                has_acme,
                authority: self.config.caa_authority(),
                http_port: self.config.http_port,
                look: self
                    .deployer
                    .last_look(&domain.host)
                    .filter(|_| domain.tls == Tls::Auto),
                outcome: outcome.unwrap_or(AcmeOutcome::Pending),
                uploaded: uploaded.iter().find(|chain| chain.acts_on(&domain.host)),
            };
            let state = DomainState::of(domain, seen, now).unless_unwritten(unwritten.as_deref());
            DomainView::new(position, domain, state)
        };
        Ok((list.version, (1..).zip(&list.domains).map(show).collect()))
    }

    /// Attaches a host to an app; answers the domain and the list's new version.
    pub async fn add_domain(&self, actor: &Actor, app: &App, input: DomainInput) -> Result<(DomainView, i64)> {
        self.require_in(actor, app, Right::Change).await?;
        let checked = input::check(&input, None)?;
        let (position, version) = (input.position, input.version);
        let stored = self.change_domains(actor, app, version, move |change| {
            let domain = &checked.domain;
            claim::refuse_too_many(change.tx, change.app.id)?;
            claim::check(change.tx, change.config, change.actor, change.app, domain)?;
            let id = match db::domains::insert(change.tx, change.app.id, domain) {
                Err(db::Error::Taken) => return Err(claim::taken(change.tx, change.actor, domain)?),
                other => other?,
            };
            let domain = change.store(id, None, checked, position)?;
            change.note("domain.add", &domain)?;
            Ok(id)
        });
        let id = stored.await?;
        self.show_domain(app, id).await
    }

    /// Lays `changes`, the JSON of a [`DomainInput`] with some fields, over a domain; answers it and the list's new
    /// version.
    pub async fn change_domain(
        &self,
        actor: &Actor,
        app: &App,
        which: &Which,
        changes: Value,
    ) -> Result<(DomainView, i64)> {
        self.require_in(actor, app, Right::Change).await?;
        let version = based_on(&changes)?;
        let which = which.clone();
        let stored = self.change_domains(actor, app, version, move |change| {
            let before = find(change.tx, change.app.id, &which)?;
            let present = serde_json::to_value(DomainInput::from(&before)).map_err(anyhow::Error::from)?;
            let input: DomainInput = parse_json(merge(present, changes))?;
            let stored = before.certificate.as_ref().map(|stored| stored.chain.as_str());
            let mut checked = input::check(&input, stored)?;
            checked.domain.points_here = before.points_here && before.host == checked.domain.host;
            if (&before.host, &before.path_prefix) != (&checked.domain.host, &checked.domain.path_prefix) {
                claim::check(change.tx, change.config, change.actor, change.app, &checked.domain)?;
            }
            let id = before.id;
            let domain = change.store(id, Some(&before), checked, input.position)?;
            if (&before.host, &before.path_prefix) != (&domain.host, &domain.path_prefix) {
                claim::refuse_endless_redirect(change.tx, &before.host, None)?;
            }
            change.note("domain.change", &domain)?;
            Ok(id)
        });
        let id = stored.await?;
        self.show_domain(app, id).await
    }

    /// Takes a host away from an app, at all paths or at one; answers the list's new version.
    pub async fn remove_domain(&self, actor: &Actor, app: &App, which: &Which, version: Option<i64>) -> Result<()> {
        self.require_in(actor, app, Right::Change).await?;
        let host = Host::parse_pattern(&which.host).map_err(|_| Error::NotFound)?;
        let path_prefix = which.path_prefix.as_deref().map(PathPrefix::parse);
        let path_prefix = path_prefix.transpose().map_err(|_| Error::NotFound)?;
        let removed = self.change_domains(actor, app, version, move |change| {
            if db::domains::delete(change.tx, change.app.id, &host, path_prefix.as_ref())? == 0 {
                return Err(Error::NotFound);
            }
            claim::refuse_endless_redirect(change.tx, &host, None)?;
            change.note("domain.remove", &Domain::new(host, path_prefix.unwrap_or_default()))
        });
        removed.await
    }

    async fn show_domain(&self, app: &App, id: DomainId) -> Result<(DomainView, i64)> {
        let (version, domains) = self.show_domains(app).await?;
        let domain = domains.into_iter().find(|domain| domain.id == id);
        Ok((domain.ok_or(Error::NotFound)?, version))
    }

    /// Changes an app's domains in one transaction, counts it, and has the proxy serve it.
    async fn change_domains<T: Send + 'static>(
        &self,
        actor: &Actor,
        app: &App,
        based_on: Option<i64>,
        work: impl FnOnce(&Change<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (actor, app_now, actions) = (actor.clone(), app.clone(), self.clone());
        let answer = self
            .db
            .write(move |tx| {
                access::require(tx, &actor, app_now.project_id, Right::Change)?;
                let version = db::domains::find_version(tx, app_now.id)?;
                if based_on.is_some_and(|based_on| based_on != version) {
                    let message = "Somebody else changed the domains in the meantime. Load them again, then save.";
                    return Err(Error::Conflict(message.into()));
                }
                let answer = work(&Change {
                    tx,
                    actor: &actor,
                    app: &app_now,
                    config: &actions.config,
                    secrets: &actions.secrets,
                })?;
                db::domains::update_version(tx, app_now.id)?;
                Ok(answer)
            })
            .await?;
        self.events.announce(Event::App(app.id));
        // The change is stored: what fails from here on is tried again, and the domains' state says so meanwhile.
        if let Err(error) = self.deployer.look_up_domains(app.id).await {
            tracing::warn!(app = %app.slug, %error, "changed domains could not be looked up");
        }
        let _remembered = self.deployer.apply_route(app.id).await;
        Ok(answer)
    }
}

/// A change of an app's domains while it is made.
struct Change<'a> {
    tx: &'a db::Tx,
    actor: &'a Actor,
    app: &'a App,
    config: &'a crate::config::Config,
    secrets: &'a crate::secrets::SecretKey,
}

impl Change<'_> {
    /// Stores everything about a domain whose row is there.
    fn store(
        &self,
        id: DomainId,
        before: Option<&Domain>,
        checked: input::Checked,
        position: Option<i64>,
    ) -> Result<Domain> {
        let panel = self.config.panel_domain.as_ref();
        uploaded::check(self.tx, panel, self.actor, self.app.project_id, before, &checked)?;
        let domain = sealing::seal(self.secrets, id, before, checked)?;
        match db::domains::update(self.tx, id, &domain) {
            Err(db::Error::Taken) => return Err(claim::taken(self.tx, self.actor, &domain)?),
            other => other?,
        }
        db::domains::update_users(self.tx, id, &domain.users)?;
        if let Some(position) = position {
            self.put_at(id, position)?;
        }
        claim::refuse_endless_redirect(self.tx, &domain.host, domain.redirect_to.as_ref())?;
        Ok(domain)
    }

    /// Puts a domain at a place among the app's, from 1 on.
    fn put_at(&self, id: DomainId, position: i64) -> Result<()> {
        let domains = db::domains::list_of_app(self.tx, self.app.id)?;
        let mut ids: Vec<DomainId> = domains
            .iter()
            .map(|domain| domain.id)
            .filter(|&other| other != id)
            .collect();
        let place = usize::try_from(position)
            .ok()
            .and_then(|position| position.checked_sub(1));
        let place = place.filter(|&place| place <= ids.len());
        let Some(place) = place else {
            let message = format!("Use 1 to {}.", ids.len() + 1);
            return Err(Error::field("position", Invalid::new(message)));
        };
        ids.insert(place, id);
        Ok(db::domains::update_positions(self.tx, &ids)?)
    }

    fn note(&self, what: &'static str, domain: &Domain) -> Result<()> {
        let detail = format!("{}: {}", self.app.slug, domain.written());
        Ok(db::audit::insert(self.tx, self.actor, what, &detail)?)
    }
}

/// The version in some JSON, which is looked at before anything else of it.
fn based_on(changes: &Value) -> Result<Option<i64>> {
    match changes.get("version") {
        None | Some(Value::Null) => Ok(None),
        Some(version) => version
            .as_i64()
            .map(Some)
            .ok_or_else(|| Error::field("version", Invalid::new("Use the “version” of the list."))),
    }
}

/// The domain that is meant.
fn find(tx: &db::Tx, app: AppId, which: &Which) -> Result<Domain> {
    let host = Host::parse_pattern(&which.host).map_err(|_| Error::NotFound)?;
    let path_prefix = which.path_prefix.as_deref().map(PathPrefix::parse);
    let path_prefix = path_prefix.transpose().map_err(|_| Error::NotFound)?;
    let mut found = db::domains::list_of_app(tx, app)?;
    found.retain(|domain| domain.host == host && path_prefix.as_ref().is_none_or(|path| domain.path_prefix == *path));
    match found.len() {
        0 => Err(Error::NotFound),
        1 => Ok(found.remove(0)),
        _ => {
            let message = format!("{host} has several paths here; say which one is meant.");
            Err(Error::field("path_prefix", Invalid::new(message)))
        }
    }
}
