//! Table `tokens`: API tokens, known only by their hash.

use rusqlite::{Connection, OptionalExtension as _, params};

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

/// Who acts with the token of this hash, unless it has expired.
pub fn find_actor(connection: &Connection, hash: &[u8]) -> Result<Option<Actor>> {
    let mut statement = connection.prepare_cached(
        "SELECT tokens.id AS token_id, scope, users.id, email, role, users.created_at, deactivated_at \
         FROM tokens JOIN users ON users.id = tokens.user_id \
         WHERE hash = ?1 AND (expires_at IS NULL OR expires_at > ?2) AND deactivated_at IS NULL",
    )?;
    let actor = statement.query_row(params![hash, Timestamp::now().as_millis()], |row| {
        Ok(Actor::Token {
            id: TokenId(row.get("token_id")?),
            scope: row::text(row, "scope", Scope::parse)?,
            user: users::from_row(row)?,
        })
    });
    Ok(actor.optional()?)
}
