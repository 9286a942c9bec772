//! Table `memberships`: who belongs to a project.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Page, Result, row, users};
use crate::model::access::ProjectRole;
use crate::model::ids::{ProjectId, UserId};
use crate::model::time::Timestamp;
use crate::model::user::User;

/// The role of a user in a project.
pub fn find_role(connection: &Connection, project: ProjectId, user: UserId) -> Result<Option<ProjectRole>> {
    let sql = "SELECT role FROM memberships WHERE project_id = ?1 AND user_id = ?2";
    Ok(connection
        .prepare_cached(sql)?
        .query_row(params![project.0, user.0], |row| {
            row::text(row, "role", ProjectRole::parse)
        })
        .optional()?)
}

/// Somebody who belongs to a project.
#[derive(Debug, Clone)]
pub struct Member {
    /// Who.
    pub user: User,
    /// As what.
    pub role: ProjectRole,
    /// Since when.
    pub since: Timestamp,
}

const MEMBERS: &str = "SELECT users.id, email, users.role, users.created_at, deactivated_at, \
     memberships.role AS project_role, memberships.created_at AS since \
     FROM memberships JOIN users ON users.id = user_id WHERE project_id = ?1";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Member> {
    Ok(Member {
        user: users::from_row(row)?,
        role: row::text(row, "project_role", ProjectRole::parse)?,
        since: Timestamp::from_millis(row.get("since")?),
    })
}

/// A member of a project.
pub fn find(connection: &Connection, project: ProjectId, user: UserId) -> Result<Option<Member>> {
    let mut statement = connection.prepare_cached(&format!("{MEMBERS} AND users.id = ?2"))?;
    Ok(statement.query_row([project.0, user.0], from_row).optional()?)
}

/// A page of the members of a project, the newest user first.
pub fn list_of_project(connection: &Connection, project: ProjectId, page: Page) -> Result<Vec<Member>> {
    let sql = format!("{MEMBERS} AND users.id < ?2 ORDER BY users.id DESC LIMIT ?3");
    let mut statement = connection.prepare_cached(&sql)?;
    let values = params![project.0, page.before(), page.limit];
    Ok(statement
        .query_map(values, from_row)?
        .collect::<rusqlite::Result<_>>()?)
}

/// Makes a user a member, or gives a member another role.
pub fn upsert(connection: &Connection, project: ProjectId, user: UserId, role: ProjectRole) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO memberships (project_id, user_id, role, created_at) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (project_id, user_id) DO UPDATE SET role = excluded.role",
    )?;
    statement.execute(params![project.0, user.0, role.as_str(), Timestamp::now().as_millis()])?;
    Ok(())
}

/// Takes a user out of a project; `false` when they were no member.
pub fn delete(connection: &Connection, project: ProjectId, user: UserId) -> Result<bool> {
    let mut statement = connection.prepare_cached("DELETE FROM memberships WHERE project_id = ?1 AND user_id = ?2")?;
    Ok(statement.execute([project.0, user.0])? > 0)
}
