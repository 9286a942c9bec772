//! Tables `env_vars`, `project_env_vars` and `release_env_vars`: sealed variables of apps, of projects for their apps
//! and, frozen, of releases.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Result, row};
use crate::model::env_var::{EnvKey, EnvOwner, EnvScope, SealedEnvVar};
use crate::model::ids::ReleaseId;

fn from_row(row: &Row<'_>) -> rusqlite::Result<SealedEnvVar> {
    Ok(SealedEnvVar {
        key: row::text(row, "key", EnvKey::parse)?,
        sealed: row.get("sealed")?,
        is_secret: row.get("is_secret")?,
        scope: row::text(row, "scope", EnvScope::parse)?,
    })
}

/// The owner's id, the table of its variables with the column that names it, and the table that counts their changes.
const fn place(owner: EnvOwner) -> (i64, &'static str, &'static str, &'static str) {
    match owner {
        EnvOwner::App(app) => (app.0, "env_vars", "app_id", "apps"),
        EnvOwner::Project(project) => (project.0, "project_env_vars", "project_id", "projects"),
    }
}

/// An owner's own variables by key. What an app has in all is told by the deployer: a project's are among it.
pub fn list(connection: &Connection, owner: EnvOwner) -> Result<Vec<SealedEnvVar>> {
    let (id, table, column, _) = place(owner);
    let sql = format!("SELECT key, sealed, is_secret, scope FROM {table} WHERE {column} = ?1 ORDER BY key");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_map([id], from_row)?.collect::<rusqlite::Result<_>>()?)
}

/// How often an owner's variables were changed; `None` when there is no such owner.
pub fn find_version(connection: &Connection, owner: EnvOwner) -> Result<Option<i64>> {
    let (id, .., counted) = place(owner);
    let sql = format!("SELECT env_version FROM {counted} WHERE id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row([id], |row| row.get(0)).optional()?)
}

/// A release's variables by key; all of them are for instances, and sealed for the app.
pub fn list_of_release(connection: &Connection, release: ReleaseId) -> Result<Vec<SealedEnvVar>> {
    let sql = "SELECT key, sealed, is_secret, 'run' AS scope FROM release_env_vars WHERE release_id = ?1 ORDER BY key";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement
        .query_map([release.0], from_row)?
        .collect::<rusqlite::Result<_>>()?)
}

/// Replaces all variables of an owner and counts the change.
pub fn update_all(connection: &Connection, owner: EnvOwner, vars: &[SealedEnvVar]) -> Result<()> {
    let (id, table, column, counted) = place(owner);
    connection
        .prepare_cached(&format!("DELETE FROM {table} WHERE {column} = ?1"))?
        .execute([id])?;
    let sql = format!("INSERT INTO {table} ({column}, key, sealed, is_secret, scope) VALUES (?1, ?2, ?3, ?4, ?5)");
    let mut statement = connection.prepare_cached(&sql)?;
    for var in vars {
        statement.execute(params![
            id,
            var.key.as_str(),
            var.sealed,
            var.is_secret,
            var.scope.as_str()
        ])?;
    }
    let sql = format!("UPDATE {counted} SET env_version = env_version + 1 WHERE id = ?1");
    connection.prepare_cached(&sql)?.execute([id])?;
    Ok(())
}

/// Freezes variables for a release; they are sealed for its app.
pub fn insert_of_release(connection: &Connection, release: ReleaseId, vars: &[SealedEnvVar]) -> Result<()> {
    let mut statement = connection
        .prepare_cached("INSERT INTO release_env_vars (release_id, key, sealed, is_secret) VALUES (?1, ?2, ?3, ?4)")?;
    for var in vars {
        statement.execute(params![release.0, var.key.as_str(), var.sealed, var.is_secret])?;
    }
    Ok(())
}
