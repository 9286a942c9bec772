//! Two-factor sign-in: an authenticator app is set up, confirmed by its first code, used, and turned off.
//!
//! A code is good once: its step is claimed in the database, and no code of that step or an earlier one is good again.

use super::account::wrong_password;
use super::attempts::Key;
use super::{Actions, Error, Result};
use crate::db::second_factors;
use crate::db::{self, audit};
use crate::model::Invalid;
use crate::model::client::Client;
use crate::model::ids::UserId;
use crate::model::time::Timestamp;
use crate::model::user::User;
use crate::secrets::{self, TotpSecret};

/// Recovery codes of a user, when new.
pub const RECOVERY_CODES: usize = 10;

/// How far two-factor sign-in is set up for a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TwoFactor {
    /// The password suffices.
    Off,
    /// The app has yet to prove that it has the secret.
    Begun {
        /// The secret as apps take it (Base32).
        secret: String,
        /// The same with its name and its user, for a QR code (the Key URI format of Google Authenticator).
        uri: String,
    },
    /// A code is asked for at each sign-in.
    On {
        /// Since when.
        since: Timestamp,
        /// Recovery codes that were not used yet.
        recovery_codes: i64,
    },
}

impl Actions {
    /// How far it is set up for a user.
    pub async fn two_factor(&self, user: &User) -> Result<TwoFactor> {
        let id = user.id;
        let found = self.db.read(move |c| {
            let factor = second_factors::find(c, id)?;
            Ok((factor, second_factors::count_recovery_codes(c, id)?))
        });
        let (Some(factor), recovery_codes) = found.await? else {
            return Ok(TwoFactor::Off);
        };
        if let Some(since) = factor.confirmed_at {
            return Ok(TwoFactor::On { since, recovery_codes });
        }
        let secret = self.open(id, &factor.sealed_secret)?.to_text();
        let name: String = url::form_urlencoded::byte_serialize(user.email.as_bytes()).collect();
        let uri = format!("otpauth://totp/Dhow:{name}?secret={secret}&issuer=Dhow");
        Ok(TwoFactor::Begun { secret, uri })
    }

    /// Makes a secret for somebody who knows the password; nothing is asked for until it is confirmed.
    pub async fn begin_two_factor(&self, client: &Client, user: &User, password: String) -> Result<()> {
        if !self.confirm_password(client, user, password).await? {
            return Err(Error::field("password", wrong_password()));
        }
        let id = user.id;
        let (actor, secrets) = (client.acting(user), self.secrets.clone());
        let begun = self.db.write(move |tx| {
            let sealed = secrets.seal(&identity(id), &TotpSecret::random().to_text());
            let is_begun = second_factors::begin(tx, id, &sealed)?;
            if is_begun {
                audit::insert(tx, &actor, "two_factor.begin", &format!("user:{id}"))?;
            }
            db::Result::Ok(is_begun)
        });
        if begun.await? {
            Ok(())
        } else {
            Err(Error::Conflict(
                "Two-factor sign-in is on already. Turn it off first to use another app.".into(),
            ))
        }
    }

    /// Turns it on with the app's first code; answers the recovery codes, which are not stored.
    pub async fn confirm_two_factor(&self, client: &Client, user: &User, code: &str) -> Result<Vec<String>> {
        let id = user.id;
        let attempt = self.attempts.begin([Key::Code(id), Key::Network(client.network())])?;
        let factor = self.db.read(move |c| second_factors::find(c, id)).await?;
        let sealed = factor.filter(|factor| factor.confirmed_at.is_none());
        let sealed = sealed.ok_or_else(not_begun)?.sealed_secret;
        let step = self.open(id, &sealed)?.step_of(&digits(code), Timestamp::now());
        let step = step.ok_or_else(|| Error::field("code", wrong_code()))?;
        attempt.forgive();
        let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| secrets::recovery_code()).collect();
        let hashes: Vec<_> = codes.iter().map(|code| secrets::hash_recovery_code(code)).collect();
        let actor = client.acting(user);
        self.db
            .write(move |tx| {
                if !second_factors::confirm(tx, id, &sealed, step)? {
                    return Err(not_begun());
                }
                for hash in &hashes {
                    second_factors::insert_recovery_code(tx, id, hash)?;
                }
                Ok(audit::insert(tx, &actor, "two_factor.turn_on", &format!("user:{id}"))?)
            })
            .await?;
        Ok(codes)
    }

    /// Turns it off for somebody who has both, the password and a code.
    pub async fn turn_two_factor_off(&self, client: &Client, user: &User, password: String, code: &str) -> Result<()> {
        let id = user.id;
        if !self.confirm_password(client, user, password).await? {
            return Err(Error::field("password", wrong_password()));
        }
        let attempt = self.attempts.begin([Key::Code(id), Key::Network(client.network())])?;
        if !self.use_code(client, user, code).await? {
            return Err(Error::field("code", wrong_code()));
        }
        attempt.forgive();
        let actor = client.acting(user);
        self.db
            .write(move |tx| {
                second_factors::delete(tx, id)?;
                audit::insert(tx, &actor, "two_factor.turn_off", &format!("user:{id}"))
            })
            .await?;
        Ok(())
    }

    /// Uses a code of the app or a recovery code up; `false` when it is wrong or was used before.
    pub(super) async fn use_code(&self, client: &Client, user: &User, code: &str) -> Result<bool> {
        let id = user.id;
        let factor = self.db.read(move |c| second_factors::find(c, id)).await?;
        let Some(factor) = factor.filter(|factor| factor.confirmed_at.is_some()) else {
            return Ok(false);
        };
        let secret = self.open(id, &factor.sealed_secret)?;
        if let Some(step) = secret.step_of(&digits(code), Timestamp::now()) {
            return Ok(self
                .db
                .write(move |tx| second_factors::claim_step(tx, id, step))
                .await?);
        }
        let (actor, hash) = (client.acting(user), secrets::hash_recovery_code(code));
        let used = self.db.write(move |tx| {
            let is_used = second_factors::claim_recovery_code(tx, id, &hash)?;
            if is_used {
                audit::insert(tx, &actor, "two_factor.use_recovery_code", &format!("user:{id}"))?;
            }
            db::Result::Ok(is_used)
        });
        Ok(used.await?)
    }

    fn open(&self, user: UserId, sealed: &[u8]) -> Result<TotpSecret> {
        let text = self.secrets.unseal(&identity(user), sealed);
        let secret = text.and_then(|text| TotpSecret::parse(&text));
        secret.map_err(|error| Error::Internal(error.into()))
    }
}

fn identity(user: UserId) -> String {
    format!("two_factor:{user}")
}

/// Apps show a code in two groups, and people type it so.
fn digits(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace()).collect()
}

fn not_begun() -> Error {
    Error::Conflict("No app is being set up. Begin again on your account page.".into())
}

fn wrong_code() -> Invalid {
    Invalid::new(
        "This code is not good. Each one is good for half a minute and only once; use the one that is shown now.",
    )
}
