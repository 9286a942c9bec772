//! Signing in: the password, and where it is turned on, a code as a second step.
//!
//! Wrong tries are limited per account and per address, and nothing, not even the time, tells whether an account
//! exists. Between the steps nobody is signed in.

use serde::{Deserialize, Serialize};

use super::attempts::Key;
use super::{Actions, Result};
use crate::db;
use crate::model::client::Client;
use crate::model::ids::UserId;
use crate::model::user::{Email, Password, User};

/// What came of a password.
#[derive(Debug)]
pub enum SignIn {
    /// It does not belong to an account that may sign in.
    Refused,
    /// It was right; a code is needed besides.
    NeedsCode(FirstStep),
    /// It was right and suffices.
    Done(User, FirstStep),
}

/// That a password was right, as the session keeps it between the two steps of a sign-in. It is worth nothing once the
/// password changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FirstStep {
    user_id: UserId,
    password_digest: String,
}

impl Actions {
    /// The first step; the work is the same for an account that does not exist.
    pub async fn sign_in(&self, client: &Client, email: &str, password: String) -> Result<SignIn> {
        let email = Email::parse(email).ok();
        let attempt = self
            .attempts
            .begin(self.keys_of_password(client, email.as_ref()).await?)?;
        let found = match email {
            Some(email) => self.db.read(move |c| db::users::find_with_password(c, &email)).await?,
            None => None,
        };
        let (user, hash) = found.unzip();
        let is_right = self.passwords.verify(Password::typed(password), hash.clone()).await;
        let user = user.filter(|user| is_right && user.deactivated_at.is_none());
        let (Some(user), Some(hash)) = (user, hash) else {
            tracing::info!(address = %client.address, "a sign-in was refused");
            return Ok(SignIn::Refused);
        };
        attempt.forgive();
        let id = user.id;
        let factor = self.db.read(move |c| db::second_factors::find(c, id)).await?;
        let step = FirstStep {
            user_id: id,
            password_digest: self.secrets.digest(&hash),
        };
        if factor.is_some_and(|factor| factor.confirmed_at.is_some()) {
            return Ok(SignIn::NeedsCode(step));
        }
        let user = self.note_sign_in(client, user).await?;
        Ok(SignIn::Done(user, step))
    }

    /// The second step: a code of the authenticator app, or a recovery code. `None` when it is wrong or was used, or
    /// when the first step does not count any more.
    pub async fn finish_sign_in(&self, client: &Client, pending: &FirstStep, code: &str) -> Result<Option<User>> {
        let id = pending.user_id;
        let attempt = self.attempts.begin([Key::Code(id), Key::Network(client.network())])?;
        let Some((user, hash)) = self
            .db
            .read(move |c| db::users::find_active_with_password(c, id))
            .await?
        else {
            return Ok(None);
        };
        if !self.secrets.is_digest(&hash, &pending.password_digest) || !self.use_code(client, &user, code).await? {
            tracing::info!(address = %client.address, "the code of a sign-in was refused");
            return Ok(None);
        }
        attempt.forgive();
        self.note_sign_in(client, user).await.map(Some)
    }

    /// Whether the password is still the one that was right.
    pub async fn still_counts(&self, step: &FirstStep) -> Result<bool> {
        let id = step.user_id;
        let found = self
            .db
            .read(move |c| db::users::find_active_with_password(c, id))
            .await?;
        Ok(found.is_some_and(|(_, hash)| self.secrets.is_digest(&hash, &step.password_digest)))
    }

    /// What a password is counted for; the address of a session that goes on is known.
    async fn keys_of_password(&self, client: &Client, email: Option<&Email>) -> Result<Vec<Key>> {
        let Some(email) = email.cloned() else {
            return Ok(vec![Key::Network(client.network())]);
        };
        let (name, address) = (email.clone(), client.address.to_string());
        let is_known = self
            .db
            .read(move |c| db::sessions::is_begun_at(c, name.as_str(), &address))
            .await?;
        Ok(Key::of_password(&email, client.network(), is_known))
    }

    async fn note_sign_in(&self, client: &Client, user: User) -> Result<User> {
        let (actor, email) = (client.acting(&user), user.email.clone());
        self.db
            .write(move |tx| db::audit::insert(tx, &actor, "session.begin", &email))
            .await?;
        Ok(user)
    }

    /// Whether a password is this user's; wrong ones count as attempts to sign in.
    pub(super) async fn confirm_password(&self, client: &Client, user: &User, password: String) -> Result<bool> {
        let email = Email::parse(&user.email).ok();
        let attempt = self
            .attempts
            .begin(self.keys_of_password(client, email.as_ref()).await?)?;
        let id = user.id;
        let found = self
            .db
            .read(move |c| db::users::find_active_with_password(c, id))
            .await?;
        let hash = found.map(|(_, hash)| hash);
        let is_right = self.passwords.verify(Password::typed(password), hash).await;
        if is_right {
            attempt.forgive();
        }
        Ok(is_right)
    }
}
