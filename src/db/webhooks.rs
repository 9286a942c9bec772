//! Table `webhooks`: the address and the sealed secret by which a forge reaches an app.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::Result;
use crate::model::delivery::Webhook;
use crate::model::ids::AppId;
use crate::model::time::Timestamp;

const COLUMNS: &str = "app_id, public_id, sealed_secret, rotated_at";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Webhook> {
    Ok(Webhook {
        app_id: AppId(row.get("app_id")?),
        public_id: row.get("public_id")?,
        sealed_secret: row.get("sealed_secret")?,
        rotated_at: row.get::<_, Option<i64>>("rotated_at")?.map(Timestamp::from_millis),
    })
}

/// Gives an app its webhook.
pub fn insert(connection: &Connection, app: AppId, public_id: &str, sealed_secret: &[u8]) -> Result<()> {
    let sql = "INSERT INTO webhooks (app_id, public_id, sealed_secret, created_at) VALUES (?1, ?2, ?3, ?4)";
    let now = Timestamp::now().as_millis();
    connection
        .prepare_cached(sql)?
        .execute(params![app.0, public_id, sealed_secret, now])?;
    Ok(())
}

/// Apps that were made before there were webhooks.
pub fn list_apps_without(connection: &Connection) -> Result<Vec<AppId>> {
    let sql = "SELECT id FROM apps WHERE id NOT IN (SELECT app_id FROM webhooks) ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement
        .query_map([], |row| row.get(0).map(AppId))?
        .collect::<rusqlite::Result<_>>()?)
}

/// The webhook of an app.
pub fn find(connection: &Connection, app: AppId) -> Result<Option<Webhook>> {
    let sql = format!("SELECT {COLUMNS} FROM webhooks WHERE app_id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row([app.0], from_row).optional()?)
}

/// The webhook at an address, unless its app is being deleted.
pub fn find_by_public_id(connection: &Connection, public_id: &str) -> Result<Option<Webhook>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM webhooks WHERE public_id = ?1 \
         AND app_id IN (SELECT id FROM apps WHERE deleting_at IS NULL)"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row([public_id], from_row).optional()?)
}

/// Exchanges the secret.
pub fn update_secret(connection: &Connection, app: AppId, sealed_secret: &[u8]) -> Result<()> {
    let sql = "UPDATE webhooks SET sealed_secret = ?2, rotated_at = ?3 WHERE app_id = ?1";
    let now = Timestamp::now().as_millis();
    connection
        .prepare_cached(sql)?
        .execute(params![app.0, sealed_secret, now])?;
    Ok(())
}
