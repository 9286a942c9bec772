//! What somebody may do in a project: the role of a member, and the right that an action needs.
//!
//! Roles are compared with rights in one place, [`Actor::right_in`](super::user::Actor::right_in).

use super::words::words;

words! {
    /// What a member may do in a project.
    ProjectRole {
        /// Look.
        Viewer = "viewer",
        /// Look, deploy, change apps.
        Developer = "developer",
        /// Everything in the project, its members too.
        Admin = "admin",
    }
}

/// What an action needs in a project, each including the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// See that it exists, and what is in it.
    View,
    /// Deploy, roll back, start and stop what exists.
    Deploy,
    /// Make apps, change their settings, variables and domains.
    Change,
    /// Delete, rename, say who belongs to it.
    Administer,
}

impl ProjectRole {
    /// The highest right that it gives.
    pub const fn right(self) -> Right {
        match self {
            Self::Viewer => Right::View,
            Self::Developer => Right::Change,
            Self::Admin => Right::Administer,
        }
    }
}
