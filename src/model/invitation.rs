//! Invitations: links by which somebody becomes a user, or a user sets a new password.
//!
//! A link works once and for a while. What it gives is decided when it is made, and counts only as long as whoever made
//! it could still give it.

use super::access::ProjectRole;
use super::ids::{InvitationId, ProjectId, UserId};
use super::time::Timestamp;
use super::user::Role;

/// A link that was neither used nor taken back.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Row id.
    pub id: InvitationId,
    /// Whom it is for: the name to sign in with.
    pub email: String,
    /// What they will be in the instance.
    pub role: Role,
    /// Where they will belong, and as what.
    pub place: Option<Place>,
    /// Who sets a new password by it, when it invites nobody new.
    pub resets: Option<UserId>,
    /// Who made it.
    pub invited_by: Option<UserId>,
    /// The same, as the name to sign in with.
    pub inviter: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

/// A role in a project that is given together with the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The project's row.
    pub project: ProjectId,
    /// The project's slug.
    pub slug: String,
    /// The role there.
    pub role: ProjectRole,
}
