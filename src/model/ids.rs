//! Ids of rows, one type a table, so that an app's id cannot be passed for a project's.

/// Makes a newtype over SQLite's row id.
macro_rules! row_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

row_id!(
    /// Id of a user.
    UserId,
    /// Id of a project.
    ProjectId,
    /// Id of an app.
    AppId,
    /// Id of a deployment, unique in the instance.
    DeploymentId,
    /// Id of a release.
    ReleaseId,
    /// Id of a domain.
    DomainId,
    /// Id of an API token.
    TokenId,
    /// Id of an invitation.
    InvitationId,
    /// Id of a delivery.
    DeliveryId,
);
