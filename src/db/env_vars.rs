//! Tables `env_vars` and `release_env_vars`: sealed variables of apps and, frozen, of releases.

use rusqlite::{Connection, Row, params};

use super::{Result, row};
use crate::model::env_var::{EnvKey, EnvScope, SealedEnvVar};
use crate::model::ids::{AppId, ReleaseId};

fn from_row(row: &Row<'_>) -> rusqlite::Result<SealedEnvVar> {
    Ok(SealedEnvVar {
        key: row::text(row, "key", EnvKey::parse)?,
        sealed: row.get("sealed")?,
        is_secret: row.get("is_secret")?,
        scope: row::text(row, "scope", EnvScope::parse)?,
    })
}

/// An app's variables by key.
pub fn list_of_app(connection: &Connection, app: AppId) -> Result<Vec<SealedEnvVar>> {
    let sql = "SELECT key, sealed, is_secret, scope FROM env_vars WHERE app_id = ?1 ORDER BY key";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement
        .query_map([app.0], from_row)?
        .collect::<rusqlite::Result<_>>()?)
}

/// A release's variables by key; all of them are for instances.
pub fn list_of_release(connection: &Connection, release: ReleaseId) -> Result<Vec<SealedEnvVar>> {
    let sql = "SELECT key, sealed, is_secret, 'run' AS scope FROM release_env_vars WHERE release_id = ?1 ORDER BY key";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement
        .query_map([release.0], from_row)?
        .collect::<rusqlite::Result<_>>()?)
}

/// Replaces all variables of an app and counts the change.
pub fn update_all(connection: &Connection, app: AppId, vars: &[SealedEnvVar]) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM env_vars WHERE app_id = ?1")?
        .execute([app.0])?;
    let mut statement = connection
        .prepare_cached("INSERT INTO env_vars (app_id, key, sealed, is_secret, scope) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for var in vars {
        statement.execute(params![
            app.0,
            var.key.as_str(),
            var.sealed,
            var.is_secret,
            var.scope.as_str()
        ])?;
    }
    let mut statement = connection.prepare_cached("UPDATE apps SET env_version = env_version + 1 WHERE id = ?1")?;
    statement.execute([app.0])?;
    Ok(())
}

/// Freezes an app's present variables for a release.
pub fn insert_of_release(connection: &Connection, release: ReleaseId, app: AppId) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO release_env_vars (release_id, key, sealed, is_secret) \
         SELECT ?1, key, sealed, is_secret FROM env_vars WHERE app_id = ?2 AND scope IN ('run', 'both')",
    )?;
    statement.execute([release.0, app.0])?;
    Ok(())
}
