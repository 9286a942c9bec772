//! Table `host_keys`: by what servers are known that were reached by SSH.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::Result;
use crate::model::source::HostKey;
use crate::model::time::Timestamp;

fn from_row(row: &Row<'_>) -> rusqlite::Result<HostKey> {
    Ok(HostKey {
        host: row.get("host")?,
        port: row.get("port")?,
        key: row.get("key")?,
        fingerprint: row.get("fingerprint")?,
        first_seen_at: Timestamp::from_millis(row.get("first_seen_at")?),
    })
}

/// All keys.
pub fn list(connection: &Connection) -> Result<Vec<HostKey>> {
    let sql = "SELECT host, port, key, fingerprint, first_seen_at FROM host_keys ORDER BY host, port";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_map([], from_row)?.collect::<rusqlite::Result<_>>()?)
}

/// A server's key.
pub fn find(connection: &Connection, host: &str, port: u16) -> Result<Option<HostKey>> {
    let sql = "SELECT host, port, key, fingerprint, first_seen_at FROM host_keys WHERE host = ?1 AND port = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row(params![host, port], from_row).optional()?)
}

/// Notes a key that was seen for the first time; one that is known stays as it is.
pub fn insert_new(connection: &Connection, key: &HostKey) -> Result<()> {
    let sql =
        "INSERT OR IGNORE INTO host_keys (host, port, key, fingerprint, first_seen_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(sql)?.execute(params![
        key.host,
        key.port,
        key.key,
        key.fingerprint,
        key.first_seen_at.as_millis()
    ])?;
    Ok(())
}

/// Forgets a key, if it is still that one; whether it was.
pub fn delete(connection: &Connection, host: &str, port: u16, fingerprint: &str) -> Result<bool> {
    let sql = "DELETE FROM host_keys WHERE host = ?1 AND port = ?2 AND fingerprint = ?3";
    Ok(connection
        .prepare_cached(sql)?
        .execute(params![host, port, fingerprint])?
        > 0)
}
