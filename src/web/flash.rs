//! The message that a form leaves for the page it leads to: kept in the session, shown once.

use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use super::error::PageError;

/// In the session's data.
const KEY: &str = "flash";

/// A message and its colour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// `ok`, `warn` or `bad`, as in the stylesheet.
    pub kind: String,
    /// One sentence.
    pub text: String,
}

/// Leaves the message that something was done.
pub async fn done(session: &Session, text: impl Into<String>) -> Result<(), PageError> {
    leave(session, "ok", text.into()).await
}

/// Leaves the message that something was not done, or not wholly.
pub async fn warn(session: &Session, text: impl Into<String>) -> Result<(), PageError> {
    leave(session, "warn", text.into()).await
}

async fn leave(session: &Session, kind: &str, text: String) -> Result<(), PageError> {
    let flash = Flash {
        kind: kind.to_owned(),
        text,
    };
    session.insert(KEY, flash).await.map_err(anyhow::Error::from)?;
    Ok(())
}

/// Takes the message that was left.
pub async fn take(session: &Session) -> Result<Option<Flash>, PageError> {
    // Removing marks the session as changed and writes it; looking first keeps plain reading free of writes.
    let Some(flash) = session.get::<Flash>(KEY).await.map_err(anyhow::Error::from)? else {
        return Ok(None);
    };
    session.remove_value(KEY).await.map_err(anyhow::Error::from)?;
    Ok(Some(flash))
}
