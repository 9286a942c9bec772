//! Table `audit`: who did what, when, from where.

use rusqlite::{Connection, params};

use super::{Page, Result};
use crate::model::audit::{AuditFilter, AuditRow};
use crate::model::time::Timestamp;
use crate::model::user::Actor;

/// Notes an action in the transaction that carries it out.
pub fn insert(connection: &Connection, actor: &Actor, action: &str, object: &str) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO audit (at, actor, action, object, user_id, address) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let user = actor.user().map(|user| user.id.0);
    let address = actor.address().map(|address| address.to_string());
    let now = Timestamp::now().as_millis();
    statement.execute(params![now, actor.to_string(), action, object, user, address])?;
    Ok(())
}

/// A page of what was done and passes the filter, newest first.
pub fn list(connection: &Connection, filter: &AuditFilter, page: Page) -> Result<Vec<AuditRow>> {
    let mut statement = connection.prepare_cached(
        "SELECT audit.id, at, actor, action, object, address, users.email \
         FROM audit LEFT JOIN users ON users.id = user_id \
         WHERE audit.id < ?1 AND (?2 IS NULL OR email = ?2) \
         AND (?3 IS NULL OR action = ?3 OR action LIKE ?3 || '.%') AND (?4 IS NULL OR at >= ?4) AND (?5 IS NULL OR at < ?5) \
         ORDER BY audit.id DESC LIMIT ?6",
    )?;
    let (since, until) = (
        filter.since.map(Timestamp::as_millis),
        filter.until.map(Timestamp::as_millis),
    );
    let values = params![page.before(), filter.user, filter.action, since, until, page.limit];
    let rows = statement.query_map(values, |row| {
        Ok(AuditRow {
            id: row.get("id")?,
            at: Timestamp::from_millis(row.get("at")?),
            actor: row.get("actor")?,
            email: row.get("email")?,
            address: row.get("address")?,
            action: row.get("action")?,
            object: row.get("object")?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
