//! Table `users`.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Result, row};
use crate::model::ids::UserId;
use crate::model::time::Timestamp;
use crate::model::user::{Email, Role, User};

const COLUMNS: &str = "id, email, role, created_at";

fn from_row(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: UserId(row.get("id")?),
        email: row.get("email")?,
        role: row::text(row, "role", Role::parse)?,
        created_at: Timestamp::from_millis(row.get("created_at")?),
    })
}

/// Whether anybody exists.
pub fn has_any(connection: &Connection) -> Result<bool> {
    let mut statement = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM users)")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// A user by id.
pub fn find(connection: &Connection, id: UserId) -> Result<Option<User>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE id = ?1"))?;
    Ok(statement.query_row([id.0], from_row).optional()?)
}

/// A user and the password's hash, by the name to sign in with.
pub fn find_with_password(connection: &Connection, email: &Email) -> Result<Option<(User, String)>> {
    let sql = format!("SELECT {COLUMNS}, password_hash FROM users WHERE email = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement
        .query_row([email.as_str()], |row| Ok((from_row(row)?, row.get("password_hash")?)))
        .optional()?)
}

/// Everybody, in the order of their making.
pub fn list(connection: &Connection) -> Result<Vec<User>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM users ORDER BY id"))?;
    Ok(statement.query_map([], from_row)?.collect::<rusqlite::Result<_>>()?)
}

/// Adds a user.
pub fn insert(connection: &Connection, email: &Email, password_hash: &str, role: Role) -> Result<UserId> {
    let mut statement = connection
        .prepare_cached("INSERT INTO users (email, password_hash, role, created_at) VALUES (?1, ?2, ?3, ?4)")?;
    let id = statement.insert(params![
        email.as_str(),
        password_hash,
        role.as_str(),
        Timestamp::now().as_millis()
    ])?;
    Ok(UserId(id))
}

/// Sets a new password; `false` when there is no such user.
pub fn update_password(connection: &Connection, email: &Email, password_hash: &str) -> Result<bool> {
    let mut statement = connection.prepare_cached("UPDATE users SET password_hash = ?2 WHERE email = ?1")?;
    Ok(statement.execute([email.as_str(), password_hash])? > 0)
}
