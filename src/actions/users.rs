//! Users: the first one by the claim link, others by the command line.

pub mod manage;

use std::sync::Mutex;
use std::time::Instant;

use super::attempts::Key;
use super::{Actions, Error, Fields, Result};
use crate::config::CLAIM_LIFETIME;
use crate::db::{self, Db};
use crate::model::client::Client;
use crate::model::user::{Actor, Email, Password, Role, User};
use crate::secrets::{self, Passwords};

/// The one-time link by which the first owner proves to have access to the server. New at each start, kept in
/// memory only.
pub struct Claim {
    token: String,
    until: Instant,
    /// Held while an owner is made, so that two visitors with the link cannot both become one.
    is_used: Mutex<bool>,
}

impl Claim {
    /// A new link's secret.
    pub(super) fn new() -> Self {
        Self {
            token: secrets::random_token(),
            until: Instant::now() + CLAIM_LIFETIME,
            is_used: Mutex::new(false),
        }
    }

    fn is_good(&self, token: &str) -> bool {
        let is_used = self.is_used.lock().is_ok_and(|is_used| *is_used);
        !is_used && Instant::now() < self.until && secrets::is_same(token, &self.token)
    }
}

impl Actions {
    /// The claim link's token, while nobody exists.
    pub async fn claim_token(&self) -> Result<Option<String>> {
        let has_users = self.db.read(db::users::has_any).await?;
        Ok((!has_users).then(|| self.claim.token.clone()))
    }

    /// Whether a claim link is good now.
    pub async fn is_claim_good(&self, token: &str) -> Result<bool> {
        Ok(self.claim.is_good(token) && !self.db.read(db::users::has_any).await?)
    }

    /// Makes the first owner.
    pub async fn claim(&self, client: &Client, token: &str, email: &str, password: &str) -> Result<User> {
        let attempt = self.attempts.begin([Key::Network(client.network())])?;
        if !self.is_claim_good(token).await? {
            return Err(Error::Forbidden);
        }
        attempt.forgive();
        let mut fields = Fields::default();
        let email = fields.check("email", Email::parse(email));
        let password = fields.check("password", Password::parse(password));
        fields.finish()?;
        let (Some(email), Some(password)) = (email, password) else {
            return Err(Error::Forbidden);
        };
        let hash = self.passwords.hash(password).await;
        let address = client.address;
        let user = self
            .db
            .write(move |tx| {
                // Asked again inside the transaction: of two at once, one finds the other's row.
                if db::users::has_any(tx)? {
                    return Err(Error::Forbidden);
                }
                let id = db::users::insert(tx, &email, &hash, Role::Owner)?;
                let user = db::users::find(tx, id)?.ok_or(Error::NotFound)?;
                let actor = Actor::person(user.clone()).at(address);
                db::audit::insert(tx, &actor, "user.claim", email.as_str())?;
                Ok(user)
            })
            .await?;
        if let Ok(mut is_used) = self.claim.is_used.lock() {
            *is_used = true;
        }
        Ok(user)
    }
}

/// Adds a user from the command line.
pub async fn add(db: &Db, passwords: &Passwords, email: &Email, password: Password, role: Role) -> Result<()> {
    let hash = passwords.hash(password).await;
    let email = email.clone();
    db.write(move |tx| {
        match db::users::insert(tx, &email, &hash, role) {
            Err(db::Error::Taken) => return Err(Error::Conflict(format!("{email} exists already."))),
            other => other?,
        };
        Ok(db::audit::insert(tx, &Actor::DHOW, "user.add", email.as_str())?)
    })
    .await
}

/// Sets a user's password from the command line, ends their sessions and turns two-factor sign-in off: whoever runs
/// the machine lets somebody in again who has lost everything.
pub async fn reset_password(db: &Db, passwords: &Passwords, email: &Email, password: Password) -> Result<()> {
    let hash = passwords.hash(password).await;
    let email = email.clone();
    db.write(move |tx| {
        let Some((user, _)) = db::users::find_with_password(tx, &email)? else {
            return Err(Error::Conflict(format!("There is no user {email}.")));
        };
        db::users::update_password(tx, &email, &hash)?;
        db::sessions::delete_of_user(tx, user.id)?;
        db::second_factors::delete(tx, user.id)?;
        Ok(db::audit::insert(
            tx,
            &Actor::DHOW,
            "user.reset_password",
            email.as_str(),
        )?)
    })
    .await
}

/// Everybody.
pub async fn list(db: &Db) -> Result<Vec<User>> {
    Ok(db.read(db::users::list).await?)
}
