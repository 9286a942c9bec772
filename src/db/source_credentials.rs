//! Table `source_credentials`: what opens an app's repository, one an app at most.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Result, row};
use crate::model::ids::AppId;
use crate::model::source::{CredentialKind, SealedCredential};
use crate::model::time::Timestamp;

fn from_row(row: &Row<'_>) -> rusqlite::Result<SealedCredential> {
    Ok(SealedCredential {
        kind: row::text(row, "kind", CredentialKind::parse)?,
        origin: row.get("origin")?,
        username: row.get("username")?,
        sealed: row.get("sealed")?,
        public_key: row.get("public_key")?,
        fingerprint: row.get("fingerprint")?,
        created_at: Timestamp::from_millis(row.get("created_at")?),
    })
}

/// An app's credential.
pub fn find(connection: &Connection, app: AppId) -> Result<Option<SealedCredential>> {
    let sql = "SELECT kind, origin, username, sealed, public_key, fingerprint, created_at \
         FROM source_credentials WHERE app_id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([app.0], from_row).optional()?)
}

/// Stores an app's credential in place of the one before.
pub fn replace(connection: &Connection, app: AppId, credential: &SealedCredential) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO source_credentials \
         (app_id, kind, origin, username, sealed, public_key, fingerprint, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    connection.prepare_cached(sql)?.execute(params![
        app.0,
        credential.kind.as_str(),
        credential.origin,
        credential.username,
        credential.sealed,
        credential.public_key,
        credential.fingerprint,
        credential.created_at.as_millis(),
    ])?;
    Ok(())
}

/// Forgets an app's credential; whether there was one.
pub fn delete(connection: &Connection, app: AppId) -> Result<bool> {
    let mut statement = connection.prepare_cached("DELETE FROM source_credentials WHERE app_id = ?1")?;
    Ok(statement.execute([app.0])? > 0)
}
