//! Table `domains`.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Result, row};
use crate::model::domain::{Domain, Tls};
use crate::model::host::Host;
use crate::model::ids::{AppId, DomainId};
use crate::model::path_prefix::PathPrefix;
use crate::model::time::Timestamp;

const COLUMNS: &str = "id, host, path_prefix, tls, redirect_to";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Domain> {
    Ok(Domain {
        id: DomainId(row.get("id")?),
        host: row::text(row, "host", Host::parse)?,
        path_prefix: row::text(row, "path_prefix", PathPrefix::parse)?,
        tls: row::text(row, "tls", Tls::parse)?,
        redirect_to: row::optional_text(row, "redirect_to", Host::parse)?,
    })
}

/// An app's domains in the order they were added; few, since each is typed by hand.
pub fn list_of_app(connection: &Connection, app: AppId) -> Result<Vec<Domain>> {
    let sql = format!("SELECT {COLUMNS} FROM domains WHERE app_id = ?1 ORDER BY id");
    Ok(connection
        .prepare_cached(&sql)?
        .query_map([app.0], from_row)?
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

/// The slug of the app that has a host at exactly this path.
pub fn find_app_by_address(connection: &Connection, host: &Host, path_prefix: &PathPrefix) -> Result<Option<String>> {
    let sql = "SELECT apps.slug FROM domains JOIN apps ON apps.id = app_id WHERE host = ?1 AND path_prefix = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement
        .query_row([host.as_str(), path_prefix.as_str()], |row| row.get(0))
        .optional()?)
}

/// Adds a domain; `Error::Taken` when the host and path belong to somebody. The id in `domain` does not count.
pub fn insert(connection: &Connection, app: AppId, domain: &Domain) -> Result<DomainId> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO domains (app_id, host, path_prefix, tls, redirect_to, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let id = statement.insert(params![
        app.0,
        domain.host.as_str(),
        domain.path_prefix.as_str(),
        domain.tls.as_str(),
        domain.redirect_to.as_ref().map(Host::as_str),
        Timestamp::now().as_millis(),
    ])?;
    Ok(DomainId(id))
}

/// Removes an app's domains at a host, or the one at a path of it; how many there were.
pub fn delete(connection: &Connection, app: AppId, host: &Host, path_prefix: Option<&PathPrefix>) -> Result<usize> {
    let sql = "DELETE FROM domains WHERE app_id = ?1 AND host = ?2 AND (?3 IS NULL OR path_prefix = ?3)";
    let path_prefix = path_prefix.map(PathPrefix::as_str);
    Ok(connection
        .prepare_cached(sql)?
        .execute(params![app.0, host.as_str(), path_prefix])?)
}
