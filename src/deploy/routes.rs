//! An app's route: derived from the database, written for the proxy.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Context, DeployError};
use crate::db;
use crate::events::Event;
use crate::model::app::{App, RunSettings};
use crate::model::domain::{Domain, Https};
use crate::model::ids::AppId;
use crate::model::path_prefix::PathPrefix;
use crate::model::route::{AppRoutes, CertificatePair, HtpasswdLine, Route, Server};
use crate::traefik::{self, PublicPorts};

/// Apps whose route could not be written when it was last tried, and why in words for their people: the proxy goes on
/// with the former one, and it is tried again until it can be.
#[derive(Default)]
pub(super) struct Unwritten(Mutex<BTreeMap<AppId, String>>);

impl Unwritten {
    /// Notes how a writing ended; `true` when it is the app's first failure in a row.
    fn note<T>(&self, app: AppId, written: &Result<T, DeployError>) -> bool {
        let mut known = self.known();
        match written {
            Ok(_) => {
                known.remove(&app);
                false
            }
            Err(error) => known.insert(app, unwritten_words(error)).is_none(),
        }
    }

    /// Why an app's route is not written.
    pub(super) fn reason(&self, app: AppId) -> Option<String> {
        self.known().get(&app).cloned()
    }

    fn list(&self) -> Vec<AppId> {
        self.known().keys().copied().collect()
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<AppId, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unwritten_words(error: &DeployError) -> String {
    let is_full = |source: &std::io::Error| source.kind() == std::io::ErrorKind::StorageFull;
    match error {
        DeployError::DomainUnreadable(_) => error.to_string(),
        DeployError::NoSpace => "The server's disk is full.".to_owned(),
        DeployError::RouteFailed(traefik::Error::File { source, .. }) if is_full(source) => {
            "The server's disk is full.".to_owned()
        }
        _ => "The proxy's file could not be written; Dhow's own log says why.".to_owned(),
    }
}

/// Writes (or removes) the route file of an app and answers what the proxy shall show; an app that is gone has none. A
/// failure is remembered, and what the database then says is written by [`write_what_is_left`].
pub async fn write(context: &Context, app: AppId) -> Result<AppRoutes, DeployError> {
    let _newest_reading_wins = context.route_lock.lock().await;
    let written = write_now(context, app).await;
    let is_new = context.unwritten.note(app, &written);
    if let Err(error) = &written
        && is_new
    {
        tracing::warn!(%app, %error, "a route could not be written; it is tried again every few seconds");
    }
    written
}

async fn write_now(context: &Context, app: AppId) -> Result<AppRoutes, DeployError> {
    let Some(routes) = derive(context, app).await? else {
        return Ok(AppRoutes::none(&app.to_string()));
    };
    let file = traefik::app_file(&routes.app);
    match traefik::render(&routes, public_ports(context)) {
        Some(text) => context.routes.write(&file, &text).await?,
        None => context.routes.remove(&file).await?,
    };
    Ok(routes)
}

/// Tries again what could not be written.
pub async fn write_what_is_left(context: &Context) {
    for app in context.unwritten.list() {
        if write(context, app).await.is_ok() {
            tracing::info!(%app, "a route that could not be written is written now");
            context.events.announce(Event::App(app));
        }
    }
}

/// Removes route files of apps that the database does not know.
pub async fn remove_strays(context: &Context) -> Result<(), DeployError> {
    let _newest_reading_wins = context.route_lock.lock().await;
    let slugs = context.db.read(db::apps::list_slugs).await?;
    let known: Vec<String> = slugs.iter().map(|slug| traefik::app_file(slug)).collect();
    for file in context.routes.list().await? {
        let is_panels = file == traefik::panel_file() && context.config.panel_domain.is_some();
        if file != traefik::api_file() && !is_panels && !known.contains(&file) {
            tracing::info!(file, "removing a route file that no app knows");
            context.routes.remove(&file).await?;
        }
    }
    Ok(())
}

/// The address at which an app serves, as text; the first of several, none that only sends on or stands for many hosts.
pub async fn first_address(context: &Context, app: &App) -> Result<Option<String>, DeployError> {
    let id = app.id;
    let domains = context.db.read(move |c| db::domains::list_of_app(c, id)).await?;
    let (config, ports) = (&context.config, public_ports(context));
    let routes = AppRoutes::of_app(&app.slug, &domains, &config.base_domain, None, config.has_acme())
        .map_err(|error| DeployError::Internal(error.to_string()))?;
    let serving = routes.routes.iter().filter(|route| route.redirect.is_none());
    let mut addresses = serving.map(|route| route.address(ports.http, ports.https));
    Ok(addresses.find(|address| !address.contains('*')))
}

/// Ports on which sites are reached from outside.
pub fn public_ports(context: &Context) -> PublicPorts {
    PublicPorts {
        http: context.config.http_port,
        https: context.config.https_port,
    }
}

/// The routes of an app as the database has them; none while it is stopped, being deleted, or nothing is live.
async fn derive(context: &Context, app: AppId) -> Result<Option<AppRoutes>, DeployError> {
    let read = context.db.read(move |c| {
        let Some(row) = db::apps::find(c, app)? else {
            return Ok(None);
        };
        let is_gone = row.stopped_at.is_some() || db::apps::is_deleting(c, app)?;
        let active = if is_gone { None } else { db::apps::find_active(c, app)? };
        let live = match active {
            Some((release, deployment)) => db::releases::find(c, release)?.map(|release| (deployment, release)),
            None => None,
        };
        Ok(Some((row, db::domains::list_of_app(c, app)?, live)))
    });
    let Some((row, domains, live)) = read.await? else {
        return Ok(None);
    };
    let slug = row.slug.as_str();
    let Some((deployment, release)) = live else {
        return Ok(Some(AppRoutes::none(slug)));
    };
    let server = Server {
        container: context.name_of(slug, deployment),
        port: release.run.port.get(),
    };
    let config = &context.config;
    let mut routes = AppRoutes::of_app(
        &row.slug,
        &domains,
        &config.base_domain,
        Some(server),
        config.has_acme(),
    )
    .map_err(|error| DeployError::Internal(error.to_string()))?;
    for (route, domain) in routes.routes.iter_mut().zip(&domains) {
        open(context, route, domain)?;
        route.plain_path = plain_path(domain, &release.run);
    }
    Ok(Some(routes))
}

/// Puts what is sealed into a route. What cannot be opened is an error: a site must not lose its password.
fn open(context: &Context, route: &mut Route, domain: &Domain) -> Result<(), DeployError> {
    let unseal = |identity: &str, sealed: &[u8]| {
        let opened = context.secrets.unseal(identity, sealed);
        opened.map_err(|_| DeployError::DomainUnreadable(domain.written()))
    };
    for user in &domain.users {
        let line = unseal(&Domain::user_identity(domain.id, &user.name), &user.sealed)?;
        route.users.push(HtpasswdLine(line));
    }
    if let (Https::Custom, Some(stored)) = (route.https, &domain.certificate) {
        let key = unseal(&Domain::key_identity(domain.id), &stored.sealed_key)?;
        let chain = stored.chain.clone();
        route.certificate = Some(CertificatePair { chain, key });
    }
    Ok(())
}

/// The health path as visitors ask for it, where it is to be answered over plain http and is below the domain's path.
fn plain_path(domain: &Domain, run: &RunSettings) -> Option<PathPrefix> {
    let health = run.health.path.as_ref().filter(|_| domain.has_plain_health)?;
    let path = health.as_str().split('?').next().unwrap_or_default();
    let prefix = domain.path_prefix.as_str().trim_end_matches('/');
    if domain.strips_prefix {
        return PathPrefix::parse(&format!("{prefix}{path}")).ok();
    }
    let path = PathPrefix::parse(path).ok()?;
    let is_below = path
        .as_str()
        .strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    is_below.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::{DeployError, Unwritten};
    use crate::model::ids::AppId;
    use crate::traefik;

    #[test]
    fn a_route_that_was_not_written_is_remembered_until_it_is() {
        let (unwritten, app) = (Unwritten::default(), AppId(3));
        let full = || -> Result<(), DeployError> {
            let (path, source) = ("/x".into(), std::io::ErrorKind::StorageFull.into());
            Err(traefik::Error::File { path, source }.into())
        };
        assert!(!unwritten.note(app, &Ok(())));
        assert!(
            unwritten.note(app, &full()) && !unwritten.note(app, &full()),
            "told once"
        );
        assert!(unwritten.note(AppId(4), &Err::<(), _>(DeployError::Interrupted)));
        assert_eq!(unwritten.list(), [app, AppId(4)]);
        assert_eq!(unwritten.reason(app).as_deref(), Some("The server's disk is full."));
        unwritten.note(app, &Ok(()));
        assert_eq!((unwritten.list(), unwritten.reason(app)), (vec![AppId(4)], None));
    }
}
