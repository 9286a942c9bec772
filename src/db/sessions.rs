//! Table `sessions`: what a browser's cookie stands for, known only by the cookie's hash.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::Result;
use crate::model::ids::UserId;
use crate::model::time::Timestamp;

/// The stored data of a session that has not expired.
pub fn find(connection: &Connection, id_hash: &[u8]) -> Result<Option<(String, Timestamp)>> {
    let mut statement =
        connection.prepare_cached("SELECT data, expires_at FROM sessions WHERE id_hash = ?1 AND expires_at > ?2")?;
    let now = Timestamp::now().as_millis();
    let found = statement
        .query_row(params![id_hash, now], |row| {
            Ok((row.get(0)?, Timestamp::from_millis(row.get(1)?)))
        })
        .optional()?;
    Ok(found)
}

/// Adds a session; `Error::Taken` when the id is in use.
pub fn insert(
    connection: &Connection,
    id_hash: &[u8],
    user: Option<UserId>,
    data: &str,
    expires_at: Timestamp,
) -> Result<()> {
    let mut statement = connection
        .prepare_cached("INSERT INTO sessions (id_hash, user_id, data, expires_at) VALUES (?1, ?2, ?3, ?4)")?;
    statement.execute(params![id_hash, user.map(|id| id.0), data, expires_at.as_millis()])?;
    Ok(())
}

/// Writes a session's data; one that was deleted in between stays deleted.
pub fn update(
    connection: &Connection,
    id_hash: &[u8],
    user: Option<UserId>,
    data: &str,
    expires_at: Timestamp,
) -> Result<()> {
    let mut statement =
        connection.prepare_cached("UPDATE sessions SET user_id = ?2, data = ?3, expires_at = ?4 WHERE id_hash = ?1")?;
    statement.execute(params![id_hash, user.map(|id| id.0), data, expires_at.as_millis()])?;
    Ok(())
}

/// Ends a session.
pub fn delete(connection: &Connection, id_hash: &[u8]) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM sessions WHERE id_hash = ?1")?
        .execute([id_hash])?;
    Ok(())
}

/// Ends all sessions of a user.
pub fn delete_of_user(connection: &Connection, user: UserId) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM sessions WHERE user_id = ?1")?
        .execute([user.0])?;
    Ok(())
}

/// Forgets what has expired.
pub fn delete_expired(connection: &Connection) -> Result<usize> {
    let now = Timestamp::now().as_millis();
    Ok(connection
        .prepare_cached("DELETE FROM sessions WHERE expires_at <= ?1")?
        .execute([now])?)
}
