//! Table `tokens`: API tokens, known only by their hash.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Result, row, users};
use crate::model::ids::{TokenId, UserId};
use crate::model::time::Timestamp;
use crate::model::user::{Actor, Scope};

/// Stores a token by its hash.
pub fn insert(
    connection: &Connection,
    user: UserId,
    name: &str,
    hash: &[u8],
    scope: Scope,
    expires_at: Option<Timestamp>,
) -> Result<TokenId> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO tokens (user_id, name, hash, scope, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let now = Timestamp::now().as_millis();
    let expires_at = expires_at.map(Timestamp::as_millis);
    Ok(TokenId(statement.insert(params![
        user.0,
        name,
        hash,
        scope.as_str(),
        now,
        expires_at
    ])?))
}

/// Whether a token was not revoked and has not expired.
pub fn is_good(connection: &Connection, id: TokenId) -> Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM tokens WHERE id = ?1 AND (expires_at IS NULL OR expires_at > ?2))",
    )?;
    Ok(statement.query_row(params![id.0, Timestamp::now().as_millis()], |row| row.get(0))?)
}

/// A token as its user sees it.
#[derive(Debug, Clone)]
pub struct Token {
    /// Row id.
    pub id: TokenId,
    /// What its user calls it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is good; `None` for ever.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the hour.
    pub used_at: Option<Timestamp>,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Token> {
    let moment = |column| {
        row.get::<_, Option<i64>>(column)
            .map(|at| at.map(Timestamp::from_millis))
    };
    Ok(Token {
        id: TokenId(row.get("id")?),
        name: row.get("name")?,
        scope: row::text(row, "scope", Scope::parse)?,
        created_at: Timestamp::from_millis(row.get("created_at")?),
        expires_at: moment("expires_at")?,
        used_at: moment("used_at")?,
    })
}

/// A user's tokens, the newest first, those that have expired too.
pub fn list_of_user(connection: &Connection, user: UserId) -> Result<Vec<Token>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, name, scope, created_at, expires_at, used_at FROM tokens WHERE user_id = ?1 ORDER BY id DESC",
    )?;
    Ok(statement
        .query_map([user.0], from_row)?
        .collect::<rusqlite::Result<_>>()?)
}

/// Notes that a token is used.
pub fn update_used(connection: &Connection, id: TokenId, at: Timestamp) -> Result<()> {
    connection
        .prepare_cached("UPDATE tokens SET used_at = ?2 WHERE id = ?1")?
        .execute(params![id.0, at.as_millis()])?;
    Ok(())
}

/// Deletes a token if it is this user's; `false` when it is not.
pub fn delete_of_user(connection: &Connection, user: UserId, id: TokenId) -> Result<bool> {
    let mut statement = connection.prepare_cached("DELETE FROM tokens WHERE user_id = ?1 AND id = ?2")?;
    Ok(statement.execute(params![user.0, id.0])? > 0)
}

/// Who acts with the token of this hash, unless it has expired, and when it was last used.
pub fn find_actor(connection: &Connection, hash: &[u8]) -> Result<Option<(Actor, Option<Timestamp>)>> {
    let mut statement = connection.prepare_cached(
        "SELECT tokens.id AS token_id, scope, used_at, users.id, email, role, users.created_at, deactivated_at \
         FROM tokens JOIN users ON users.id = tokens.user_id \
         WHERE hash = ?1 AND (expires_at IS NULL OR expires_at > ?2) AND deactivated_at IS NULL",
    )?;
    let actor = statement.query_row(params![hash, Timestamp::now().as_millis()], |row| {
        let scope = row::text(row, "scope", Scope::parse)?;
        let actor = Actor::token(TokenId(row.get("token_id")?), scope, users::from_row(row)?);
        let used_at = row.get::<_, Option<i64>>("used_at")?.map(Timestamp::from_millis);
        Ok((actor, used_at))
    });
    Ok(actor.optional()?)
}
