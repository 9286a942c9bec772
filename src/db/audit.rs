//! Table `audit`: who did what.

use rusqlite::{Connection, params};

use super::Result;
use crate::model::time::Timestamp;
use crate::model::user::Actor;

/// Notes an action in the transaction that carries it out.
pub fn insert(connection: &Connection, actor: &Actor, action: &str, object: &str) -> Result<()> {
    let mut statement =
        connection.prepare_cached("INSERT INTO audit (at, actor, action, object) VALUES (?1, ?2, ?3, ?4)")?;
    statement.execute(params![Timestamp::now().as_millis(), actor.to_string(), action, object])?;
    Ok(())
}
