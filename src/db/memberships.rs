//! Table `memberships`: who belongs to a project.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Result, row, users};
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

/// The members of a project, in the order of their e-mail addresses.
pub fn list_of_project(connection: &Connection, project: ProjectId) -> Result<Vec<(User, ProjectRole)>> {
    let mut statement = connection.prepare_cached(
        "SELECT users.id, email, users.role, users.created_at, deactivated_at, memberships.role AS project_role \
         FROM memberships JOIN users ON users.id = user_id WHERE project_id = ?1 ORDER BY email",
    )?;
    let members = statement.query_map([project.0], |row| {
        Ok((
            users::from_row(row)?,
            row::text(row, "project_role", ProjectRole::parse)?,
        ))
    })?;
    Ok(members.collect::<rusqlite::Result<_>>()?)
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
