//! API tokens: made once, shown once, known by their hash.

use super::{Actions, Error, Result};
use crate::db::{self, Db};
use crate::model::text::Name;
use crate::model::time::Timestamp;
use crate::model::user::{Actor, Email, Scope};
use crate::secrets;

/// What every token begins with, so that leaked ones can be searched for.
const PREFIX: &str = "dhow_";

impl Actions {
    /// Who acts with a token; `None` for one that is wrong or has expired.
    pub async fn actor_by_token(&self, token: &str) -> Result<Option<Actor>> {
        if !token.starts_with(PREFIX) {
            return Ok(None);
        }
        let hash = secrets::hash_token(token);
        Ok(self.db.read(move |c| db::tokens::find_actor(c, &hash)).await?)
    }
}

/// Makes a token from the command line and answers its text, which is not stored.
pub async fn create(db: &Db, user: &Email, name: &Name, scope: Scope, expires_at: Option<Timestamp>) -> Result<String> {
    let token = format!("{PREFIX}{}", secrets::random_token());
    let (user, name, hash) = (user.clone(), name.clone(), secrets::hash_token(&token));
    db.write(move |tx| {
        let Some((owner, _)) = db::users::find_with_password(tx, &user)? else {
            return Err(Error::Conflict(format!("There is no user {user}.")));
        };
        db::tokens::insert(tx, owner.id, name.as_str(), &hash, scope, expires_at)?;
        Ok(db::audit::insert(
            tx,
            &Actor::Dhow,
            "token.create",
            &format!("{user}: {name}"),
        )?)
    })
    .await?;
    Ok(token)
}
