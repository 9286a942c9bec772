//! What somebody changes of their own account: the password, and which sessions go on.

use super::{Actions, Error, Fields, Result};
use crate::db;
use crate::model::Invalid;
use crate::model::client::Client;
use crate::model::user::{Actor, Email, Password, User};

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
        let (Some(new), user) = (new, user.clone()) else {
            return Err(Error::Forbidden);
        };
        let hash = self.passwords.hash(new).await;
        self.db
            .write(move |tx| {
                db::users::update_password(tx, &email, &hash)?;
                db::sessions::delete_of_user(tx, user.id)?;
                db::audit::insert(tx, &Actor::person(user), "user.change_password", email.as_str())
            })
            .await?;
        Ok(())
    }

    /// Ends one of a user's own sessions, known by its id's hash.
    pub async fn end_session(&self, user: &User, id_hash: Vec<u8>) -> Result<()> {
        let user = user.clone();
        self.db
            .write(move |tx| {
                if !db::sessions::delete_one_of_user(tx, user.id, &id_hash)? {
                    return Err(Error::NotFound);
                }
                let email = user.email.clone();
                Ok(db::audit::insert(tx, &Actor::person(user), "session.end", &email)?)
            })
            .await
    }

    /// Ends a user's own sessions but the one with this id's hash; answers how many.
    pub async fn end_other_sessions(&self, user: &User, kept: Vec<u8>) -> Result<usize> {
        let user = user.clone();
        let ended = self.db.write(move |tx| {
            let ended = db::sessions::delete_others_of_user(tx, user.id, &kept)?;
            let email = user.email.clone();
            db::audit::insert(tx, &Actor::person(user), "session.end_others", &email)?;
            db::Result::Ok(ended)
        });
        Ok(ended.await?)
    }
}

/// Beside a field in which the present password was asked for.
pub(super) fn wrong_password() -> Invalid {
    Invalid::new("This is not your password.")
}
