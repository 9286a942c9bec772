//! An app's route: derived from the database, written for the proxy.

use super::{Context, DeployError};
use crate::db;
use crate::model::app::RunSettings;
use crate::model::domain::{Domain, Https};
use crate::model::ids::AppId;
use crate::model::path_prefix::PathPrefix;
use crate::model::route::{AppRoutes, CertificatePair, HtpasswdLine, Route, Server};
use crate::traefik::{self, PublicPorts};

/// Writes (or removes) the route file of an app and answers what the proxy shall show; an app that is gone has none.
pub async fn write(context: &Context, app: AppId) -> Result<AppRoutes, DeployError> {
    let _newest_reading_wins = context.route_lock.lock().await;
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
