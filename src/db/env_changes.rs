//! Table `env_changes`: which variables somebody added, changed and removed, by name; who and when is in `audit`.

use rusqlite::{Connection, Row, params};

use super::{Page, Result};
use crate::model::env_var::{EnvChanges, EnvOwner};
use crate::model::time::Timestamp;

/// One change as it is told.
#[derive(Debug, Clone)]
pub struct EnvChangeRow {
    /// Row id; later rows have higher ones.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who, as in the audit.
    pub actor: String,
    /// Whose rights counted, by the address to sign in with.
    pub email: Option<String>,
    /// What.
    pub changes: EnvChanges,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<EnvChangeRow> {
    let keys = |column: &str| {
        let text: String = row.get(column)?;
        Ok::<_, rusqlite::Error>(text.split_whitespace().map(str::to_owned).collect())
    };
    Ok(EnvChangeRow {
        id: row.get("audit_id")?,
        at: Timestamp::from_millis(row.get("at")?),
        actor: row.get("actor")?,
        email: row.get("email")?,
        changes: EnvChanges {
            added: keys("added")?,
            changed: keys("changed")?,
            removed: keys("removed")?,
        },
    })
}

/// App and project, one of which is there.
const fn ids(owner: EnvOwner) -> (Option<i64>, Option<i64>) {
    match owner {
        EnvOwner::App(app) => (Some(app.0), None),
        EnvOwner::Project(project) => (None, Some(project.0)),
    }
}

/// Notes the names for the row of the audit that this transaction wrote last.
pub fn insert(connection: &Connection, owner: EnvOwner, changes: &EnvChanges) -> Result<()> {
    let (app, project) = ids(owner);
    let audit = connection.last_insert_rowid();
    let mut statement = connection.prepare_cached(
        "INSERT INTO env_changes (audit_id, app_id, project_id, added, changed, removed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let [added, changed, removed] = [&changes.added, &changes.changed, &changes.removed].map(|keys| keys.join(" "));
    statement.execute(params![audit, app, project, added, changed, removed])?;
    Ok(())
}

/// A page of an owner's changes, newest first.
pub fn list(connection: &Connection, owner: EnvOwner, page: Page) -> Result<Vec<EnvChangeRow>> {
    let (app, project) = ids(owner);
    let column = if app.is_some() { "app_id" } else { "project_id" };
    let sql = format!(
        "SELECT audit_id, added, changed, removed, at, actor, users.email FROM env_changes \
         JOIN audit ON audit.id = audit_id LEFT JOIN users ON users.id = audit.user_id \
         WHERE env_changes.{column} = ?1 AND audit_id < ?2 ORDER BY audit_id DESC LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let values = params![app.or(project), page.before(), page.limit];
    Ok(statement
        .query_map(values, from_row)?
        .collect::<rusqlite::Result<_>>()?)
}
