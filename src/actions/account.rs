//! What somebody changes of their own account: the password, and which sessions go on.

use super::{Actions, Error, Fields, Result};
use crate::db;
use crate::events::Event;
use crate::model::Invalid;
use crate::model::client::Client;
use crate::model::user::{Email, Password, User};

impl Actions {
    /// Sets a new password for somebody who knows the present one, and ends all their sessions: the one that asks is to
    /// be begun anew.
    pub async fn change_password(&self, client: &Client, user: &User, present: String, new: &str) -> Result<()> {
        let mut fields = Fields::default();
        let new = fields.check("new_password", Password::parse(new));
        if !self.confirm_password(client, user, present).await? {
            fields.refuse("password", wrong_password());
        }
        fields.finish()?;
        let email = Email::parse(&user.email).map_err(|error| Error::Internal(error.into()))?;
        let Some(new) = new else {
            return Err(Error::Forbidden);
        };
        let hash = self.passwords.hash(new).await;
        let (id, actor) = (user.id, client.acting(user));
        self.db
            .write(move |tx| {
                db::users::update_password(tx, &email, &hash)?;
                db::sessions::delete_of_user(tx, id)?;
                db::audit::insert(tx, &actor, "user.change_password", email.as_str())
            })
            .await?;
        self.events.announce(Event::Account(id));
        Ok(())
    }

    /// Ends one of a user's own sessions, known by its id's hash.
    pub async fn end_session(&self, client: &Client, user: &User, id_hash: Vec<u8>) -> Result<()> {
        let (id, email, actor) = (user.id, user.email.clone(), client.acting(user));
        self.db
            .write(move |tx| {
                if !db::sessions::delete_one_of_user(tx, id, &id_hash)? {
                    return Err(Error::NotFound);
                }
                Ok(db::audit::insert(tx, &actor, "session.end", &email)?)
            })
            .await?;
        self.events.announce(Event::Account(id));
        Ok(())
    }

    /// Ends a user's own sessions but the one with this id's hash; answers how many.
    pub async fn end_other_sessions(&self, client: &Client, user: &User, kept: Vec<u8>) -> Result<usize> {
        let (id, email, actor) = (user.id, user.email.clone(), client.acting(user));
        let ended = self.db.write(move |tx| {
            let ended = db::sessions::delete_others_of_user(tx, id, &kept)?;
            db::audit::insert(tx, &actor, "session.end_others", &email)?;
            db::Result::Ok(ended)
        });
        let ended = ended.await?;
        self.events.announce(Event::Account(id));
        Ok(ended)
    }

    /// Notes that somebody has signed out, which ended their session.
    pub async fn note_sign_out(&self, client: &Client, user: &User) -> Result<()> {
        let (id, email, actor) = (user.id, user.email.clone(), client.acting(user));
        self.db
            .write(move |tx| db::audit::insert(tx, &actor, "session.end", &email))
            .await?;
        self.events.announce(Event::Account(id));
        Ok(())
    }
}

/// Beside a field in which the present password was asked for.
pub(super) fn wrong_password() -> Invalid {
    Invalid::new("This is not your password.")
}
