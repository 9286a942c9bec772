//! A link that lets somebody in, kept from the form that made it to the page that shows it: sealed, and only once.

use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use super::Web;
use super::error::{PageError, Result};
use super::moment::Moment;
use crate::actions::invitations::Made;
use crate::db;
use crate::model::ids::InvitationId;

/// In the session's data.
const KEY: &str = "made_link";

#[derive(Serialize, Deserialize)]
struct Kept {
    invitation: InvitationId,
    sealed: Vec<u8>,
}

/// A link as it is shown, for `invitations/_made.html`.
pub struct MadeLink {
    pub link: String,
    /// For whom.
    pub email: String,
    /// They are a user already, and set a new password by it.
    pub is_reset: bool,
    pub expires: Moment,
}

/// Leaves a link for the page that the form leads to.
pub async fn leave(web: &Web, session: &Session, made: &Made) -> Result<()> {
    let kept = Kept {
        invitation: made.invitation.id,
        sealed: web.actions.seal_link(made),
    };
    session
        .insert(KEY, kept)
        .await
        .map_err(|error| PageError::from(anyhow::Error::from(error)))
}

/// Takes the link that was left, unless it is good no more.
pub async fn take(web: &Web, session: &Session) -> Result<Option<MadeLink>> {
    // Looking first keeps plain reading free of writes.
    let Some(kept) = session.get::<Kept>(KEY).await.map_err(anyhow::Error::from)? else {
        return Ok(None);
    };
    session.remove_value(KEY).await.map_err(anyhow::Error::from)?;
    let id = kept.invitation;
    let invitation = web.actions.db.read(move |c| db::invitations::find(c, id)).await?;
    let link = web.actions.unseal_link(id, &kept.sealed);
    Ok(invitation.zip(link).map(|(invitation, link)| MadeLink {
        link,
        email: invitation.email,
        is_reset: invitation.resets.is_some(),
        expires: Moment::until(invitation.expires_at),
    }))
}
