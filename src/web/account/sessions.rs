//! The browsers in which somebody is signed in.

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::Form;
use serde::Deserialize;
use tower_sessions::Session;

use crate::actions::Error;
use crate::actions::sessions::hash_id;
use crate::db;
use crate::model::client::agent_in_words;
use crate::web::Web;
use crate::web::client::Visitor;
use crate::web::error::Result;
use crate::web::flash;
use crate::web::moment::Moment;
use crate::web::signed_in::SignedIn;

/// A session as the page shows it.
pub(super) struct SessionRow {
    /// By which it is ended: its id's hash as hexadecimal digits. The id itself is known to its browser alone.
    pub(super) key: String,
    pub(super) program: String,
    pub(super) agent: String,
    pub(super) address: String,
    pub(super) since: Moment,
    pub(super) seen: Moment,
    pub(super) is_this: bool,
}

pub(super) fn rows(sessions: Vec<db::sessions::Session>, present: &Session) -> Vec<SessionRow> {
    let present = present.id().map(|id| hash_id(&id));
    let row = |session: db::sessions::Session| SessionRow {
        key: hexadecimal(&session.id_hash),
        program: agent_in_words(&session.agent).unwrap_or_else(|| "Another program".to_owned()),
        agent: session.agent,
        address: session.address,
        since: Moment::of(session.created_at),
        seen: Moment::of(session.seen_at),
        is_this: present.as_ref() == Some(&session.id_hash),
    };
    sessions.into_iter().map(row).collect()
}

#[derive(Deserialize)]
pub(super) struct EndForm {
    #[serde(default)]
    session: String,
}

pub(super) async fn end(
    State(web): State<Web>,
    session: Session,
    signed_in: SignedIn,
    Visitor(client): Visitor,
    Form(form): Form<EndForm>,
) -> Result<Response> {
    let id_hash = from_hexadecimal(&form.session).ok_or(Error::NotFound)?;
    web.actions.end_session(&client, &signed_in.user, id_hash).await?;
    flash::done(&session, "The session has ended.").await?;
    Ok(Redirect::to("/account").into_response())
}

pub(super) async fn end_others(
    State(web): State<Web>,
    session: Session,
    signed_in: SignedIn,
    Visitor(client): Visitor,
) -> Result<Response> {
    let kept = session.id().map(|id| hash_id(&id)).ok_or(Error::NotFound)?;
    let words = match web.actions.end_other_sessions(&client, &signed_in.user, kept).await? {
        1 => "The other session has ended.".to_owned(),
        count => format!("{count} other sessions have ended."),
    };
    flash::done(&session, words).await?;
    Ok(Redirect::to("/account").into_response())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16)?.try_into().ok()).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let bytes = [0, 1, 0xab, 0xff];
        assert_eq!(hexadecimal(&bytes), "0001abff");
        assert_eq!(from_hexadecimal("0001abff").as_deref(), Some(bytes.as_slice()));
        for bad in ["0", "zz", "é0", "+1"] {
            assert_eq!(from_hexadecimal(bad), None, "{bad}");
        }
    }
}
