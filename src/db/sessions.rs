//! Table `sessions`: what a browser's cookie stands for, known only by the cookie's hash.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::Result;
use crate::model::ids::UserId;
use crate::model::time::Timestamp;

/// A row as it is written.
#[derive(Debug, Clone)]
pub struct Written {
    /// SHA-256 of the cookie's id.
    pub id_hash: Vec<u8>,
    /// Who is signed in; nobody between the two steps of a sign-in.
    pub user: Option<UserId>,
    /// What tower-sessions keeps, as JSON.
    pub data: String,
    /// When it ends if it is not used.
    pub expires_at: Timestamp,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the hour.
    pub seen_at: Timestamp,
    /// The address of its first request.
    pub address: String,
    /// What its browser says of itself.
    pub agent: String,
}

/// A session as its user sees it.
#[derive(Debug, Clone)]
pub struct Session {
    /// By which it is known.
    pub id_hash: Vec<u8>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the hour.
    pub seen_at: Timestamp,
    /// The address of its first request.
    pub address: String,
    /// What its browser says of itself.
    pub agent: String,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id_hash: row.get("id_hash")?,
        created_at: Timestamp::from_millis(row.get("created_at")?),
        seen_at: Timestamp::from_millis(row.get("seen_at")?),
        address: row.get("address")?,
        agent: row.get("agent")?,
    })
}

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

/// The sessions of a user that have not expired, the one used last first.
pub fn list_of_user(connection: &Connection, user: UserId) -> Result<Vec<Session>> {
    let mut statement = connection.prepare_cached(
        "SELECT id_hash, created_at, seen_at, address, agent FROM sessions \
         WHERE user_id = ?1 AND expires_at > ?2 ORDER BY seen_at DESC, created_at DESC",
    )?;
    let rows = statement.query_map(params![user.0, Timestamp::now().as_millis()], from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Whether a user has a session that goes on and began at this address.
pub fn is_begun_at(connection: &Connection, email: &str, address: &str) -> Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM sessions JOIN users ON users.id = user_id \
         WHERE email = ?1 AND sessions.address = ?2 AND expires_at > ?3)",
    )?;
    Ok(statement.query_row(params![email, address, Timestamp::now().as_millis()], |row| row.get(0))?)
}

/// Adds a session; `Error::Taken` when the id is in use.
pub fn insert(connection: &Connection, session: &Written) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO sessions (id_hash, user_id, data, expires_at, created_at, seen_at, address, agent) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    statement.execute(params![
        session.id_hash,
        session.user.map(|id| id.0),
        session.data,
        session.expires_at.as_millis(),
        session.created_at.as_millis(),
        session.seen_at.as_millis(),
        session.address,
        session.agent
    ])?;
    Ok(())
}

/// Writes a session's data; one that was deleted in between stays deleted.
pub fn update(connection: &Connection, session: &Written) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE sessions SET user_id = ?2, data = ?3, expires_at = ?4, seen_at = ?5 WHERE id_hash = ?1",
    )?;
    statement.execute(params![
        session.id_hash,
        session.user.map(|id| id.0),
        session.data,
        session.expires_at.as_millis(),
        session.seen_at.as_millis()
    ])?;
    Ok(())
}

/// Ends a session.
pub fn delete(connection: &Connection, id_hash: &[u8]) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM sessions WHERE id_hash = ?1")?
        .execute([id_hash])?;
    Ok(())
}

/// Ends a session if it is this user's; `false` when it is not.
pub fn delete_one_of_user(connection: &Connection, user: UserId, id_hash: &[u8]) -> Result<bool> {
    let mut statement = connection.prepare_cached("DELETE FROM sessions WHERE user_id = ?1 AND id_hash = ?2")?;
    Ok(statement.execute(params![user.0, id_hash])? > 0)
}

/// Ends all sessions of a user but one; answers how many.
pub fn delete_others_of_user(connection: &Connection, user: UserId, kept: &[u8]) -> Result<usize> {
    let mut statement = connection.prepare_cached("DELETE FROM sessions WHERE user_id = ?1 AND id_hash <> ?2")?;
    Ok(statement.execute(params![user.0, kept])?)
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
