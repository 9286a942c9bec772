//! Table `pulled_images`: what Dhow has brought onto the engine under a registry's name, until it is taken away again.

use rusqlite::{Connection, params};

use super::Result;
use crate::model::time::Timestamp;

/// Notes that an image (`name@sha256:…`) is on the engine, or soon will be, because Dhow pulled it.
pub fn insert_new(connection: &Connection, reference: &str) -> Result<()> {
    let sql = "INSERT OR IGNORE INTO pulled_images (reference, pulled_at) VALUES (?1, ?2)";
    connection
        .prepare_cached(sql)?
        .execute(params![reference, Timestamp::now().as_millis()])?;
    Ok(())
}

/// All of them, oldest first.
pub fn list(connection: &Connection) -> Result<Vec<String>> {
    let mut statement =
        connection.prepare_cached("SELECT reference FROM pulled_images ORDER BY pulled_at, reference")?;
    Ok(statement
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?)
}

/// Forgets one that is gone.
pub fn delete(connection: &Connection, reference: &str) -> Result<()> {
    let mut statement = connection.prepare_cached("DELETE FROM pulled_images WHERE reference = ?1")?;
    statement.execute([reference])?;
    Ok(())
}
