//! Table `meta`: facts about the installation.

use rusqlite::{Connection, OptionalExtension as _};

use super::Result;

/// What is derived from `secret.key`: by it another key is noticed, and it says which one counts while it is changed.
pub const KEY_FINGERPRINT: &str = "key_fingerprint";

/// The value of a fact.
pub fn find(connection: &Connection, key: &str) -> Result<Option<String>> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

/// Writes a fact.
pub fn set(connection: &Connection, key: &str, value: &str) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )?;
    statement.execute([key, value])?;
    Ok(())
}
