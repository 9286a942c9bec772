//! Tables `domains` and `domain_users`.

use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};

use super::{Result, row};
use crate::model::domain::{Domain, Hop, SiteUser, StoredCertificate, Tls, hops};
use crate::model::host::Host;
use crate::model::ids::{AppId, DomainId, ProjectId};
use crate::model::ip_range::IpRange;
use crate::model::path_prefix::PathPrefix;
use crate::model::site_user::SiteUserName;
use crate::model::time::Timestamp;

const COLUMNS: &str = "id, host, path_prefix, strip_prefix, tls, is_forced, points_here, redirect_to, has_hsts, \
                       has_plain_health, is_grpc, allow_ips, certificate, sealed_key";

/// A domain without its users.
fn from_row(row: &Row<'_>) -> rusqlite::Result<Domain> {
    let host = row::text(row, "host", Host::parse_pattern)?;
    let chain: Option<String> = row.get("certificate")?;
    let sealed_key: Option<Vec<u8>> = row.get("sealed_key")?;
    Ok(Domain {
        id: DomainId(row.get("id")?),
        strips_prefix: row.get("strip_prefix")?,
        tls: row::text(row, "tls", Tls::parse)?,
        is_forced: row.get("is_forced")?,
        points_here: row.get("points_here")?,
        redirect_to: row::optional_text(row, "redirect_to", Host::parse)?,
        has_hsts: row.get("has_hsts")?,
        has_plain_health: row.get("has_plain_health")?,
        is_grpc: row.get("is_grpc")?,
        allow_ips: row::text(row, "allow_ips", IpRange::parse_list)?,
        certificate: chain
            .zip(sealed_key)
            .map(|(chain, sealed_key)| StoredCertificate { chain, sealed_key }),
        ..Domain::new(host, row::text(row, "path_prefix", PathPrefix::parse)?)
    })
}

/// An app's domains in the app's own order; few, since each is typed by hand.
pub fn list_of_app(connection: &Connection, app: AppId) -> Result<Vec<Domain>> {
    let sql = format!("SELECT {COLUMNS} FROM domains WHERE app_id = ?1 ORDER BY position, id");
    let mut domains: Vec<Domain> = connection
        .prepare_cached(&sql)?
        .query_map([app.0], from_row)?
        .collect::<rusqlite::Result<_>>()?;
    if domains.is_empty() {
        return Ok(domains);
    }
    let sql = "SELECT domain_id, domain_users.name, sealed FROM domain_users \
               JOIN domains ON domains.id = domain_id WHERE app_id = ?1 ORDER BY domain_users.name";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([app.0])?;
    while let Some(row) = rows.next()? {
        let user = SiteUser {
            name: row::text(row, "name", SiteUserName::parse)?,
            sealed: row.get("sealed")?,
        };
        let id = DomainId(row.get("domain_id")?);
        if let Some(domain) = domains.iter_mut().find(|domain| domain.id == id) {
            domain.users.push(user);
        }
    }
    Ok(domains)
}

/// How many domains an app has.
pub fn count_of_app(connection: &Connection, app: AppId) -> Result<u32> {
    let mut statement = connection.prepare_cached("SELECT COUNT(*) FROM domains WHERE app_id = ?1")?;
    Ok(statement.query_row([app.0], |row| row.get(0))?)
}

/// How often an app's domains were changed; 0 for an app that is gone.
pub fn find_version(connection: &Connection, app: AppId) -> Result<i64> {
    let mut statement = connection.prepare_cached("SELECT domains_version FROM apps WHERE id = ?1")?;
    Ok(statement.query_row([app.0], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Counts a change of an app's domains; answers the new version.
pub fn update_version(connection: &Connection, app: AppId) -> Result<i64> {
    let sql = "UPDATE apps SET domains_version = domains_version + 1 WHERE id = ?1 RETURNING domains_version";
    Ok(connection.prepare_cached(sql)?.query_row([app.0], |row| row.get(0))?)
}

/// Hosts of all apps, and where they lead.
pub fn list_hops(connection: &Connection) -> Result<Vec<Hop>> {
    let mut statement = connection.prepare_cached("SELECT host, path_prefix, redirect_to FROM domains")?;
    let domains = statement.query_map([], |row| {
        Ok((
            row::text(row, "host", Host::parse_pattern)?,
            row::text(row, "path_prefix", PathPrefix::parse)?,
            row::optional_text(row, "redirect_to", Host::parse)?,
        ))
    })?;
    Ok(hops(domains.collect::<rusqlite::Result<_>>()?))
}

/// Hosts that are to have a certificate by themselves, and their apps; only those whose DNS was not seen to lead here
/// where that is wanted.
pub fn list_automatic(connection: &Connection, is_waiting: bool) -> Result<Vec<(AppId, Host)>> {
    let sql = "SELECT app_id, host FROM domains WHERE tls = 'auto' AND (NOT ?1 OR NOT points_here)";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement
        .query_map([is_waiting], |row| {
            Ok((AppId(row.get("app_id")?), row::text(row, "host", Host::parse_pattern)?))
        })?
        .collect::<rusqlite::Result<_>>()?)
}

/// Notes whether the DNS of a domain's host leads here; nothing where the domain has another host by now.
pub fn update_points_here(connection: &Connection, id: DomainId, host: &Host, points_here: bool) -> Result<()> {
    connection
        .prepare_cached("UPDATE domains SET points_here = ?3 WHERE id = ?1 AND host = ?2")?
        .execute(params![id.0, host.as_str(), points_here])?;
    Ok(())
}

/// Somebody who has a host, at some path.
#[derive(Debug)]
pub struct Holder {
    /// The app.
    pub app: AppId,
    /// Its slug.
    pub slug: String,
    /// Its project.
    pub project: ProjectId,
    /// The host as the app has it, which may be a wildcard.
    pub host: Host,
    /// The path.
    pub path_prefix: String,
}

fn holder(row: &Row<'_>) -> rusqlite::Result<Holder> {
    Ok(Holder {
        app: AppId(row.get("id")?),
        slug: row.get("slug")?,
        project: ProjectId(row.get("project_id")?),
        host: row::text(row, "host", Host::parse_pattern)?,
        path_prefix: row.get("path_prefix")?,
    })
}

/// Everybody who has a domain at one of these hosts.
pub fn list_holders(connection: &Connection, hosts: &[&Host]) -> Result<Vec<Holder>> {
    let mut holders = Vec::new();
    for host in hosts {
        holders.extend(holders_where(connection, "host = ?1", host.as_str())?);
    }
    Ok(holders)
}

/// Everybody who has a domain at a host with one label more than this name.
pub fn list_holders_below(connection: &Connection, name: &str) -> Result<Vec<Holder>> {
    let condition = "host LIKE '%' || ?1 AND instr(host, '.') = length(host) - length(?1) + 1 AND host NOT LIKE '*%'";
    holders_where(connection, condition, format!(".{name}"))
}

/// Everybody outside a project who has a domain.
pub fn list_holders_outside(connection: &Connection, project: ProjectId) -> Result<Vec<Holder>> {
    holders_where(connection, "apps.project_id <> ?1", project.0)
}

fn holders_where(connection: &Connection, condition: &str, parameter: impl ToSql) -> Result<Vec<Holder>> {
    let sql = format!(
        "SELECT apps.id, apps.slug, apps.project_id, host, path_prefix \
         FROM domains JOIN apps ON apps.id = app_id WHERE {condition} ORDER BY domains.id"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement
        .query_map([parameter], holder)?
        .collect::<rusqlite::Result<_>>()?)
}

/// The uploaded certificates that the proxy has: those of apps that are live, as PEM.
pub fn list_certificates(connection: &Connection) -> Result<Vec<String>> {
    let sql = "SELECT certificate FROM domains JOIN apps ON apps.id = app_id WHERE tls = 'custom' \
               AND certificate IS NOT NULL AND stopped_at IS NULL AND active_release_id IS NOT NULL";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?)
}

/// The slug of the app that has a host, at any path.
pub fn find_app_by_host(connection: &Connection, host: &Host) -> Result<Option<(AppId, String)>> {
    let sql = "SELECT apps.id, apps.slug FROM domains JOIN apps ON apps.id = app_id WHERE host = ?1 LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement
        .query_row([host.as_str()], |row| Ok((AppId(row.get(0)?), row.get(1)?)))
        .optional()?)
}

/// Adds a domain as the app's last one; `Error::Taken` when the host and path belong to somebody. The id in `domain`
/// does not count, and users and certificate are stored apart, since they are sealed for the id.
pub fn insert(connection: &Connection, app: AppId, domain: &Domain) -> Result<DomainId> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO domains (app_id, host, path_prefix, tls, created_at, position) VALUES (?1, ?2, ?3, ?4, ?5, \
         (SELECT COALESCE(MAX(position), 0) + 1 FROM domains WHERE app_id = ?1))",
    )?;
    let id = DomainId(statement.insert(params![
        app.0,
        domain.host.as_str(),
        domain.path_prefix.as_str(),
        domain.tls.as_str(),
        Timestamp::now().as_millis(),
    ])?);
    update(connection, id, domain)?;
    Ok(id)
}

/// Changes everything about a domain but its users; `Error::Taken` when host and path belong to another one.
pub fn update(connection: &Connection, id: DomainId, domain: &Domain) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE domains SET host = ?2, path_prefix = ?3, strip_prefix = ?4, tls = ?5, is_forced = ?6, points_here = ?7, \
         redirect_to = ?8, has_hsts = ?9, has_plain_health = ?10, allow_ips = ?11, certificate = ?12, sealed_key = ?13, is_grpc = ?14 \
         WHERE id = ?1",
    )?;
    let ranges: Vec<String> = domain.allow_ips.iter().map(IpRange::to_string).collect();
    statement.execute(params![
        id.0,
        domain.host.as_str(),
        domain.path_prefix.as_str(),
        domain.strips_prefix,
        domain.tls.as_str(),
        domain.is_forced,
        domain.points_here,
        domain.redirect_to.as_ref().map(Host::as_str),
        domain.has_hsts,
        domain.has_plain_health,
        ranges.join(" "),
        domain.certificate.as_ref().map(|certificate| &certificate.chain),
        domain.certificate.as_ref().map(|certificate| &certificate.sealed_key),
        domain.is_grpc,
    ])?;
    Ok(())
}

/// Replaces everybody who may open a domain.
pub fn update_users(connection: &Connection, id: DomainId, users: &[SiteUser]) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM domain_users WHERE domain_id = ?1")?
        .execute([id.0])?;
    let mut statement =
        connection.prepare_cached("INSERT INTO domain_users (domain_id, name, sealed) VALUES (?1, ?2, ?3)")?;
    for user in users {
        statement.execute(params![id.0, user.name.as_str(), user.sealed])?;
    }
    Ok(())
}

/// Puts an app's domains into this order.
pub fn update_positions(connection: &Connection, ids: &[DomainId]) -> Result<()> {
    let mut statement = connection.prepare_cached("UPDATE domains SET position = ?2 WHERE id = ?1")?;
    for (position, id) in (1_i64..).zip(ids) {
        statement.execute([id.0, position])?;
    }
    Ok(())
}

/// Removes an app's domains at a host, or the one at a path of it; how many there were.
pub fn delete(connection: &Connection, app: AppId, host: &Host, path_prefix: Option<&PathPrefix>) -> Result<usize> {
    let sql = "DELETE FROM domains WHERE app_id = ?1 AND host = ?2 AND (?3 IS NULL OR path_prefix = ?3)";
    let path_prefix = path_prefix.map(PathPrefix::as_str);
    Ok(connection
        .prepare_cached(sql)?
        .execute(params![app.0, host.as_str(), path_prefix])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Db;

    #[test]
    fn what_the_dns_said_of_a_host_is_not_noted_for_the_one_that_took_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dhow.db");
        drop(Db::open(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        let row = "INSERT INTO domains (id, app_id, host, path_prefix, tls, created_at) \
                   VALUES (8, 3, 'new.example', '/', 'auto', 0)";
        connection.execute_batch(row).unwrap();
        for (host, points_here) in [("old.example", false), ("new.example", true)] {
            update_points_here(&connection, DomainId(8), &Host::parse(host).unwrap(), true).unwrap();
            let domains = list_of_app(&connection, AppId(3)).unwrap();
            assert_eq!(domains[0].points_here, points_here, "{host}");
        }
    }
}
