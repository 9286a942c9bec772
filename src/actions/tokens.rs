//! API tokens: made once, shown once, known by their hash.

use super::{Actions, Error, Fields, Result};
use crate::db::{self, Db};
use crate::events::Event;
use crate::model::Invalid;
use crate::model::client::Client;
use crate::model::ids::TokenId;
use crate::model::text::Name;
use crate::model::time::Timestamp;
use crate::model::user::{Actor, Email, Scope, User};
use crate::secrets;

/// What every token begins with, so that leaked ones can be searched for.
const PREFIX: &str = "dhow_";

/// How old the moment of a token's last use may become, in milliseconds: one write an hour for each.
const NOTE_USE_AFTER_MS: i64 = 3600 * 1_000;

impl Actions {
    /// Who acts with a token; `None` for one that is wrong or has expired.
    pub async fn actor_by_token(&self, token: &str) -> Result<Option<Actor>> {
        if !token.starts_with(PREFIX) {
            return Ok(None);
        }
        let hash = secrets::hash_token(token);
        let Some((actor, used_at)) = self.db.read(move |c| db::tokens::find_actor(c, &hash)).await? else {
            return Ok(None);
        };
        let now = Timestamp::now();
        let is_noted = used_at.is_some_and(|at| now.millis_since(at) <= NOTE_USE_AFTER_MS);
        if let (false, Some(id)) = (is_noted, actor.token_id()) {
            let noted = self.db.write(move |tx| db::tokens::update_used(tx, id, now)).await;
            // A full disk keeps nobody from looking.
            if let Err(error) = noted {
                tracing::warn!(%error, "the use of a token could not be noted");
            }
        }
        Ok(Some(actor))
    }

    /// Makes a token for a user and answers its text, which is not stored.
    pub async fn create_token(
        &self,
        client: &Client,
        user: &User,
        name: std::result::Result<Name, Invalid>,
        scope: std::result::Result<Scope, Invalid>,
        lifetime_days: std::result::Result<Option<i64>, Invalid>,
    ) -> Result<String> {
        let mut fields = Fields::default();
        let (name, scope) = (fields.check("name", name), fields.check("scope", scope));
        let days = fields.check("expires", lifetime_days);
        fields.finish()?;
        let (Some(name), Some(scope), Some(days)) = (name, scope, days) else {
            return Err(Error::Forbidden);
        };
        let expires_at = days.map(|days| Timestamp::now().plus_seconds(days * 24 * 3600));
        let (token, owner, actor) = (new_token(), user.id, client.acting(user));
        let hash = secrets::hash_token(&token);
        self.db
            .write(move |tx| {
                let id = db::tokens::insert(tx, owner, name.as_str(), &hash, scope, expires_at)?;
                let what = format!("token:{id} {scope}: {name}");
                db::audit::insert(tx, &actor, "token.create", &what)
            })
            .await?;
        Ok(token)
    }

    /// Ends a token of a user.
    pub async fn revoke_token(&self, client: &Client, user: &User, id: TokenId) -> Result<()> {
        let (owner, actor) = (user.id, client.acting(user));
        self.db
            .write(move |tx| {
                if !db::tokens::delete_of_user(tx, owner, id)? {
                    return Err(Error::NotFound);
                }
                let what = format!("token:{id}");
                Ok(db::audit::insert(tx, &actor, "token.revoke", &what)?)
            })
            .await?;
        self.events.announce(Event::Account(owner));
        Ok(())
    }
}

fn new_token() -> String {
    format!("{PREFIX}{}", secrets::random_token())
}

/// Makes a token from the command line and answers its text, which is not stored.
pub async fn create(db: &Db, user: &Email, name: &Name, scope: Scope, expires_at: Option<Timestamp>) -> Result<String> {
    let token = new_token();
    let (user, name, hash) = (user.clone(), name.clone(), secrets::hash_token(&token));
    db.write(move |tx| {
        let Some((owner, _)) = db::users::find_with_password(tx, &user)? else {
            return Err(Error::Conflict(format!("There is no user {user}.")));
        };
        db::tokens::insert(tx, owner.id, name.as_str(), &hash, scope, expires_at)?;
        Ok(db::audit::insert(
            tx,
            &Actor::DHOW,
            "token.create",
            &format!("{user}: {name}"),
        )?)
    })
    .await?;
    Ok(token)
}
