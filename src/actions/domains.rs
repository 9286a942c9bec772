//! Domains of an app: add, remove; both apply at once.

use serde::{Deserialize, Serialize};

use super::{Actions, Error, Fields, Result};
use crate::db;
use crate::events::Event;
use crate::model::Invalid;
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::domain::{Domain, Tls, check_redirect};
use crate::model::host::Host;
use crate::model::ids::DomainId;
use crate::model::path_prefix::PathPrefix;
use crate::model::route::default_host;
use crate::model::slug::AppSlug;
use crate::model::user::Actor;

/// A domain as written or shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DomainInput {
    /// The host name.
    pub host: String,
    /// Only requests below this path.
    #[serde(default = "default_path_prefix")]
    pub path_prefix: String,
    /// `auto` or `off`.
    #[serde(default = "default_tls")]
    pub tls: String,
    /// Sends requests on to this host.
    #[serde(default)]
    pub redirect_to: Option<String>,
}

fn default_path_prefix() -> String {
    PathPrefix::root().as_str().to_owned()
}

fn default_tls() -> String {
    Tls::Auto.as_str().to_owned()
}

impl From<&Domain> for DomainInput {
    fn from(domain: &Domain) -> Self {
        Self {
            host: domain.host.to_string(),
            path_prefix: domain.path_prefix.as_str().to_owned(),
            tls: domain.tls.as_str().to_owned(),
            redirect_to: domain.redirect_to.as_ref().map(Host::to_string),
        }
    }
}

impl Actions {
    /// Attaches a host to an app.
    pub async fn add_domain(&self, actor: &Actor, app: &App, input: &DomainInput) -> Result<Domain> {
        self.require_in(actor, app, Right::Change).await?;
        let domain = check(input)?;
        let base_domain = self.config.base_domain.clone();
        let (actor, app_id, slug) = (actor.clone(), app.id, app.slug.clone());
        let stored = self
            .db
            .write(move |tx| {
                refuse_foreign_default_host(tx, &domain.host, &slug, &base_domain)?;
                if let Some(target) = &domain.redirect_to {
                    let others = db::domains::list_of_app(tx, app_id)?;
                    check_redirect(&domain.host, target, &others)
                        .map_err(|error| Error::field("redirect_to", error))?;
                }
                let id = match db::domains::insert(tx, app_id, &domain) {
                    Err(db::Error::Taken) => return Err(taken(tx, &domain)?),
                    other => other?,
                };
                db::audit::insert(tx, &actor, "domain.add", &format!("{slug}: {}", domain.host))?;
                Ok(Domain { id, ..domain })
            })
            .await?;
        self.apply_domains(app).await?;
        Ok(stored)
    }

    /// Takes a host away from an app, at all paths or at one.
    pub async fn remove_domain(&self, actor: &Actor, app: &App, host: &str, path_prefix: Option<&str>) -> Result<()> {
        self.require_in(actor, app, Right::Change).await?;
        let host = Host::parse(host).map_err(|_| Error::NotFound)?;
        let path_prefix = path_prefix
            .map(PathPrefix::parse)
            .transpose()
            .map_err(|_| Error::NotFound)?;
        let (actor, app_id, slug) = (actor.clone(), app.id, app.slug.clone());
        self.db
            .write(move |tx| {
                if db::domains::delete(tx, app_id, &host, path_prefix.as_ref())? == 0 {
                    return Err(Error::NotFound);
                }
                Ok(db::audit::insert(
                    tx,
                    &actor,
                    "domain.remove",
                    &format!("{slug}: {host}"),
                )?)
            })
            .await?;
        self.apply_domains(app).await
    }

    async fn apply_domains(&self, app: &App) -> Result<()> {
        self.events.announce(Event::App(app.id));
        self.deployer
            .apply_route(app.id)
            .await
            .map_err(|error| Error::Internal(error.into()))
    }
}

fn check(input: &DomainInput) -> Result<Domain> {
    let mut fields = Fields::default();
    let host = fields.check("host", Host::parse(&input.host));
    let path_prefix = fields.check("path_prefix", PathPrefix::parse(&input.path_prefix));
    let tls = fields.check("tls", check_tls(&input.tls));
    let redirect_to = fields.check_optional("redirect_to", input.redirect_to.as_deref(), Host::parse);
    fields.finish()?;
    let complete = "without refusals every field is there";
    Ok(Domain {
        id: DomainId(0),
        host: host.expect(complete),
        path_prefix: path_prefix.expect(complete),
        tls: tls.expect(complete),
        redirect_to,
    })
}

fn check_tls(text: &str) -> std::result::Result<Tls, Invalid> {
    match Tls::parse(text) {
        Ok(Tls::Custom) | Err(_) => Err(Invalid::new("Use one of: auto off.")),
        Ok(tls) => Ok(tls),
    }
}

fn refuse_foreign_default_host(tx: &db::Tx, host: &Host, slug: &AppSlug, base_domain: &Host) -> Result<()> {
    let Some(label) = host.as_str().strip_suffix(&format!(".{base_domain}")) else {
        return Ok(());
    };
    let Some(other) = db::apps::find_by_slug(tx, label)? else {
        return Ok(());
    };
    if other.slug == *slug || default_host(&other.slug, base_domain).ok().as_ref() != Some(host) {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "{host} is the own address of {}. Use another host.",
        other.slug
    )))
}

fn taken(tx: &db::Tx, domain: &Domain) -> Result<Error> {
    let holder = db::domains::find_app_by_address(tx, &domain.host, &domain.path_prefix)?.unwrap_or_default();
    let path = if domain.path_prefix.is_root() {
        ""
    } else {
        domain.path_prefix.as_str()
    };
    Ok(Error::Conflict(format!(
        "{}{path} belongs to {holder}. Remove it there first.",
        domain.host
    )))
}
