//! Table `users`.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Page, Result, row};
use crate::model::ids::UserId;
use crate::model::time::Timestamp;
use crate::model::user::{Email, Role, User};

const COLUMNS: &str = "id, email, role, created_at, deactivated_at";

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: UserId(row.get("id")?),
        email: row.get("email")?,
        role: row::text(row, "role", Role::parse)?,
        created_at: Timestamp::from_millis(row.get("created_at")?),
        deactivated_at: row.get::<_, Option<i64>>("deactivated_at")?.map(Timestamp::from_millis),
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

/// A user who was not deactivated, and the password's hash.
pub fn find_active_with_password(connection: &Connection, id: UserId) -> Result<Option<(User, String)>> {
    let sql = format!("SELECT {COLUMNS}, password_hash FROM users WHERE id = ?1 AND deactivated_at IS NULL");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement
        .query_row([id.0], |row| Ok((from_row(row)?, row.get("password_hash")?)))
        .optional()?)
}

/// Who signs in or acts: a user who was not deactivated.
pub fn find_active(connection: &Connection, id: UserId) -> Result<Option<User>> {
    Ok(find(connection, id)?.filter(|user| user.deactivated_at.is_none()))
}

/// Everybody, in the order of their making.
pub fn list(connection: &Connection) -> Result<Vec<User>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM users ORDER BY id"))?;
    Ok(statement.query_map([], from_row)?.collect::<rusqlite::Result<_>>()?)
}

/// A page of users, newest first, each with the number of projects that they belong to.
pub fn list_with_projects(connection: &Connection, page: Page) -> Result<Vec<(User, i64)>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, (SELECT count(*) FROM memberships JOIN projects ON projects.id = project_id \
         WHERE user_id = users.id AND deleting_at IS NULL) AS projects FROM users WHERE id < ?1 ORDER BY id DESC LIMIT ?2"
    ))?;
    let users = statement.query_map(params![page.before(), page.limit], |row| {
        Ok((from_row(row)?, row.get("projects")?))
    })?;
    Ok(users.collect::<rusqlite::Result<_>>()?)
}

/// The user who signs in with an e-mail address.
pub fn find_by_email(connection: &Connection, email: &str) -> Result<Option<User>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE email = ?1"))?;
    Ok(statement.query_row([email], from_row).optional()?)
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

/// Gives a user another role in the instance.
pub fn update_role(connection: &Connection, id: UserId, role: Role) -> Result<()> {
    connection
        .prepare_cached("UPDATE users SET role = ?2 WHERE id = ?1")?
        .execute(params![id.0, role.as_str()])?;
    Ok(())
}

/// Deactivates a user from a moment on, or lets them in again.
pub fn update_deactivated(connection: &Connection, id: UserId, at: Option<Timestamp>) -> Result<()> {
    connection
        .prepare_cached("UPDATE users SET deactivated_at = ?2 WHERE id = ?1")?
        .execute(params![id.0, at.map(Timestamp::as_millis)])?;
    Ok(())
}

/// How many owners could still sign in.
pub fn count_active_owners(connection: &Connection) -> Result<i64> {
    let sql = "SELECT count(*) FROM users WHERE role = 'owner' AND deactivated_at IS NULL";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}
