//! Table `projects`.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Page, Result, row};
use crate::model::app::Project;
use crate::model::ids::{ProjectId, UserId};
use crate::model::slug::ProjectSlug;
use crate::model::text::Name;
use crate::model::time::Timestamp;

const COLUMNS: &str = "id, slug, name, created_at";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Project> {
    Ok(Project {
        id: ProjectId(row.get("id")?),
        slug: row::text(row, "slug", ProjectSlug::parse)?,
        name: row::text(row, "name", Name::parse)?,
        created_at: Timestamp::from_millis(row.get("created_at")?),
    })
}

/// A project by its slug.
pub fn find_by_slug(connection: &Connection, slug: &str) -> Result<Option<Project>> {
    let sql = format!("SELECT {COLUMNS} FROM projects WHERE slug = ?1 AND deleting_at IS NULL");
    Ok(connection
        .prepare_cached(&sql)?
        .query_row([slug], from_row)
        .optional()?)
}

/// A project by its id, also while it is being deleted.
pub fn find(connection: &Connection, id: ProjectId) -> Result<Option<Project>> {
    let sql = format!("SELECT {COLUMNS} FROM projects WHERE id = ?1");
    Ok(connection
        .prepare_cached(&sql)?
        .query_row([id.0], from_row)
        .optional()?)
}

/// A page of projects, newest first: those that a user belongs to, or all.
pub fn list(connection: &Connection, member: Option<UserId>, page: Page) -> Result<Vec<Project>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM projects WHERE deleting_at IS NULL AND id < ?1 AND (?2 IS NULL \
         OR EXISTS (SELECT 1 FROM memberships WHERE project_id = projects.id AND user_id = ?2)) ORDER BY id DESC LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let values = params![page.before(), member.map(|id| id.0), page.limit];
    Ok(statement
        .query_map(values, from_row)?
        .collect::<rusqlite::Result<_>>()?)
}

/// Projects whose network shall exist.
pub fn list_all(connection: &Connection) -> Result<Vec<Project>> {
    list(
        connection,
        None,
        Page {
            limit: u32::MAX,
            before: None,
        },
    )
}

/// Adds a project; `Error::Taken` when the slug is in use.
pub fn insert(connection: &Connection, slug: &ProjectSlug, name: &Name) -> Result<ProjectId> {
    let mut statement =
        connection.prepare_cached("INSERT INTO projects (slug, name, created_at) VALUES (?1, ?2, ?3)")?;
    Ok(ProjectId(statement.insert(params![
        slug.as_str(),
        name.as_str(),
        Timestamp::now().as_millis()
    ])?))
}

/// Gives a project another name; its slug stays.
pub fn update_name(connection: &Connection, id: ProjectId, name: &Name) -> Result<()> {
    connection
        .prepare_cached("UPDATE projects SET name = ?2 WHERE id = ?1")?
        .execute(params![id.0, name.as_str()])?;
    Ok(())
}

/// Marks a project to be deleted; its slug is free at once.
pub fn update_deleting(connection: &Connection, id: ProjectId) -> Result<()> {
    let mut statement = connection.prepare_cached("UPDATE projects SET deleting_at = ?2 WHERE id = ?1")?;
    statement.execute(params![id.0, Timestamp::now().as_millis()])?;
    Ok(())
}

/// Projects that wait for their Docker objects to go, without apps.
pub fn list_deleting(connection: &Connection) -> Result<Vec<Project>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM projects WHERE deleting_at IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM apps WHERE project_id = projects.id)"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_map([], from_row)?.collect::<rusqlite::Result<_>>()?)
}

/// Forgets a project whose network is gone.
pub fn delete(connection: &Connection, id: ProjectId) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM projects WHERE id = ?1")?
        .execute([id.0])?;
    Ok(())
}
