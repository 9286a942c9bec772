//! Table `invitations`: links that let somebody in, known only by their hash. Open ones were neither used nor are they
//! too old; nobody reads the others.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Page, Result, row};
use crate::model::access::ProjectRole;
use crate::model::ids::{InvitationId, ProjectId, UserId};
use crate::model::invitation::{Invitation, Place};
use crate::model::time::Timestamp;
use crate::model::user::{Email, Role};

/// What an invitation is made of.
#[derive(Debug)]
pub struct NewInvitation<'a> {
    /// Hash of the link's token.
    pub token_hash: &'a [u8],
    /// Whom it is for.
    pub email: &'a Email,
    /// What they will be.
    pub role: Role,
    /// Where they will belong.
    pub place: Option<(ProjectId, ProjectRole)>,
    /// Who sets a new password by it.
    pub resets: Option<UserId>,
    /// Who makes it.
    pub invited_by: Option<UserId>,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

/// Which open invitations are listed.
#[derive(Debug, Clone, Copy)]
pub enum Of {
    /// All.
    Everybody,
    /// Those into one project.
    Project(ProjectId),
    /// Those into projects that this user administers.
    Administered(UserId),
}

/// Open ones of projects that are there; `?1` is the present moment.
const OPEN: &str = "SELECT i.id, i.email, i.role, i.project_id, i.project_role, p.slug AS project, i.user_id, \
     i.invited_by, inviter.email AS inviter, i.created_at, i.expires_at FROM invitations i \
     LEFT JOIN projects p ON p.id = i.project_id LEFT JOIN users inviter ON inviter.id = i.invited_by \
     WHERE i.used_at IS NULL AND i.expires_at > ?1 AND p.deleting_at IS NULL";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Invitation> {
    let project: Option<i64> = row.get("project_id")?;
    let slug: Option<String> = row.get("project")?;
    let role = row::optional_text(row, "project_role", ProjectRole::parse)?;
    Ok(Invitation {
        id: InvitationId(row.get("id")?),
        email: row.get("email")?,
        role: row::text(row, "role", Role::parse)?,
        place: project.zip(slug).zip(role).map(|((project, slug), role)| Place {
            project: ProjectId(project),
            slug,
            role,
        }),
        resets: row.get::<_, Option<i64>>("user_id")?.map(UserId),
        invited_by: row.get::<_, Option<i64>>("invited_by")?.map(UserId),
        inviter: row.get("inviter")?,
        created_at: Timestamp::from_millis(row.get("created_at")?),
        expires_at: Timestamp::from_millis(row.get("expires_at")?),
    })
}

/// An open invitation by the hash of its token.
pub fn find_by_hash(connection: &Connection, token_hash: &[u8]) -> Result<Option<Invitation>> {
    let mut statement = connection.prepare_cached(&format!("{OPEN} AND i.token_hash = ?2"))?;
    let values = params![Timestamp::now().as_millis(), token_hash];
    Ok(statement.query_row(values, from_row).optional()?)
}

/// An open invitation by its id.
pub fn find(connection: &Connection, id: InvitationId) -> Result<Option<Invitation>> {
    let mut statement = connection.prepare_cached(&format!("{OPEN} AND i.id = ?2"))?;
    let values = params![Timestamp::now().as_millis(), id.0];
    Ok(statement.query_row(values, from_row).optional()?)
}

/// A page of open invitations, newest first.
pub fn list(connection: &Connection, of: Of, page: Page) -> Result<Vec<Invitation>> {
    let (project, admin) = match of {
        Of::Everybody => (None, None),
        Of::Project(project) => (Some(project.0), None),
        Of::Administered(user) => (None, Some(user.0)),
    };
    let sql = format!(
        "{OPEN} AND (?2 IS NULL OR i.project_id = ?2) AND (?3 IS NULL OR EXISTS (SELECT 1 FROM memberships m \
         WHERE m.project_id = i.project_id AND m.user_id = ?3 AND m.role = 'admin')) AND i.id < ?4 \
         ORDER BY i.id DESC LIMIT ?5"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let values = params![Timestamp::now().as_millis(), project, admin, page.before(), page.limit];
    Ok(statement
        .query_map(values, from_row)?
        .collect::<rusqlite::Result<_>>()?)
}

/// Stores an invitation by the hash of its token.
pub fn insert(connection: &Connection, new: &NewInvitation<'_>) -> Result<InvitationId> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO invitations (token_hash, email, role, project_id, project_role, user_id, invited_by, created_at, \
         expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    Ok(InvitationId(statement.insert(params![
        new.token_hash,
        new.email.as_str(),
        new.role.as_str(),
        new.place.map(|(project, _)| project.0),
        new.place.map(|(_, role)| role.as_str()),
        new.resets.map(|id| id.0),
        new.invited_by.map(|id| id.0),
        Timestamp::now().as_millis(),
        new.expires_at.as_millis()
    ])?))
}

/// Marks an invitation as used; `false` when it was before.
pub fn update_used(connection: &Connection, id: InvitationId) -> Result<bool> {
    let mut statement =
        connection.prepare_cached("UPDATE invitations SET used_at = ?2 WHERE id = ?1 AND used_at IS NULL")?;
    Ok(statement.execute(params![id.0, Timestamp::now().as_millis()])? > 0)
}

/// Takes an invitation back.
pub fn delete(connection: &Connection, id: InvitationId) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM invitations WHERE id = ?1")?
        .execute([id.0])?;
    Ok(())
}

/// Takes back whatever was sent to an address and not used.
pub fn delete_unused(connection: &Connection, email: &str) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM invitations WHERE email = ?1 AND used_at IS NULL")?
        .execute([email])?;
    Ok(())
}
