//! Tables `second_factors` and `recovery_codes`: what a user signs in with besides the password.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::Result;
use crate::model::ids::UserId;
use crate::model::time::Timestamp;

/// How long setting one up may take, in seconds.
const SETUP_S: i64 = 15 * 60;

/// The secret that a user shares with an authenticator app.
#[derive(Debug, Clone)]
pub struct SecondFactor {
    /// Opened with the identity of its user.
    pub sealed_secret: Vec<u8>,
    /// Since when it is asked for; `None` while it is being set up.
    pub confirmed_at: Option<Timestamp>,
}

/// A user's second factor, set up or being set up. One that was begun and left is none: its secret was shown to
/// whoever had the page.
pub fn find(connection: &Connection, user: UserId) -> Result<Option<SecondFactor>> {
    let mut statement = connection.prepare_cached(
        "SELECT sealed_secret, confirmed_at FROM second_factors \
         WHERE user_id = ?1 AND (confirmed_at IS NOT NULL OR created_at > ?2)",
    )?;
    let left_since = Timestamp::now().plus_seconds(-SETUP_S).as_millis();
    let found = statement.query_row(params![user.0, left_since], |row| {
        Ok(SecondFactor {
            sealed_secret: row.get("sealed_secret")?,
            confirmed_at: row.get::<_, Option<i64>>("confirmed_at")?.map(Timestamp::from_millis),
        })
    });
    Ok(found.optional()?)
}

/// Begins to set one up, in place of one that was only begun; `false` when one counts already.
pub fn begin(connection: &Connection, user: UserId, sealed_secret: &[u8]) -> Result<bool> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO second_factors (user_id, sealed_secret, created_at) VALUES (?1, ?2, ?3) \
         ON CONFLICT (user_id) DO UPDATE SET sealed_secret = excluded.sealed_secret, created_at = excluded.created_at \
         WHERE confirmed_at IS NULL",
    )?;
    Ok(statement.execute(params![user.0, sealed_secret, Timestamp::now().as_millis()])? > 0)
}

/// Makes the one that was begun with this secret count; `false` when there is none.
pub fn confirm(connection: &Connection, user: UserId, sealed_secret: &[u8], step: i64) -> Result<bool> {
    let mut statement = connection.prepare_cached(
        "UPDATE second_factors SET confirmed_at = ?3, last_step = ?4 \
         WHERE user_id = ?1 AND sealed_secret = ?2 AND confirmed_at IS NULL",
    )?;
    Ok(statement.execute(params![user.0, sealed_secret, Timestamp::now().as_millis(), step])? > 0)
}

/// Uses the code of a step up; `false` when it, or a later one, was used before.
pub fn claim_step(connection: &Connection, user: UserId, step: i64) -> Result<bool> {
    let mut statement = connection.prepare_cached(
        "UPDATE second_factors SET last_step = ?2 WHERE user_id = ?1 AND last_step < ?2 AND confirmed_at IS NOT NULL",
    )?;
    Ok(statement.execute(params![user.0, step])? > 0)
}

/// Forgets a user's second factor and its recovery codes; `false` when there was none that counted.
pub fn delete(connection: &Connection, user: UserId) -> Result<bool> {
    let mut statement =
        connection.prepare_cached("DELETE FROM second_factors WHERE user_id = ?1 RETURNING confirmed_at")?;
    let confirmed_at: Option<Option<i64>> = statement.query_row([user.0], |row| row.get(0)).optional()?;
    Ok(confirmed_at.flatten().is_some())
}

/// Stores a recovery code by its hash.
pub fn insert_recovery_code(connection: &Connection, user: UserId, code_hash: &[u8]) -> Result<()> {
    connection
        .prepare_cached("INSERT INTO recovery_codes (user_id, code_hash) VALUES (?1, ?2)")?
        .execute(params![user.0, code_hash])?;
    Ok(())
}

/// Uses a recovery code up; `false` when the user has no such code, or has it no more.
pub fn claim_recovery_code(connection: &Connection, user: UserId, code_hash: &[u8]) -> Result<bool> {
    let mut statement =
        connection.prepare_cached("DELETE FROM recovery_codes WHERE user_id = ?1 AND code_hash = ?2")?;
    Ok(statement.execute(params![user.0, code_hash])? > 0)
}

/// How many recovery codes a user has left.
pub fn count_recovery_codes(connection: &Connection, user: UserId) -> Result<i64> {
    let mut statement = connection.prepare_cached("SELECT count(*) FROM recovery_codes WHERE user_id = ?1")?;
    Ok(statement.query_row([user.0], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Db, users};
    use crate::model::user::{Email, Role};

    #[tokio::test]
    async fn a_step_counts_once_and_only_upwards_and_what_was_left_unfinished_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("dhow.db")).unwrap();
        let done: Result<()> = db
            .write(|tx| {
                let user = users::insert(tx, &Email::parse("ann@example.com").unwrap(), "", Role::Member)?;
                assert!(begin(tx, user, b"one")? && begin(tx, user, b"two")?);
                assert!(!claim_step(tx, user, 9)?, "nothing counts before it is confirmed");
                tx.execute(
                    "UPDATE second_factors SET created_at = created_at - 15 * 60 * 1000 - 1",
                    [],
                )?;
                assert!(find(tx, user)?.is_none());
                assert!(begin(tx, user, b"three")?);
                assert_eq!(find(tx, user)?.unwrap().sealed_secret, b"three");
                assert!(!confirm(tx, user, b"two", 10)? && confirm(tx, user, b"three", 10)?);
                assert!(!begin(tx, user, b"four")?, "one that counts is not replaced");
                assert!(!claim_step(tx, user, 10)? && claim_step(tx, user, 11)?);
                assert!(!claim_step(tx, user, 11)? && !claim_step(tx, user, 10)?);
                insert_recovery_code(tx, user, b"code")?;
                assert!(claim_recovery_code(tx, user, b"code")? && !claim_recovery_code(tx, user, b"code")?);
                insert_recovery_code(tx, user, b"other")?;
                assert!(delete(tx, user)? && !delete(tx, user)?);
                assert_eq!(count_recovery_codes(tx, user)?, 0);
                Ok(())
            })
            .await;
        done.unwrap();
    }
}
