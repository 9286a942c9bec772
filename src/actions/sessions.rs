//! Sessions kept in the database for tower-sessions: a browser stays signed in over a restart of Dhow.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};

use crate::config::{SECOND_STEP_S, SESSION_LIFETIME_S};
use crate::db::sessions::Written;
use crate::db::{self, Db};
use crate::model::client::Client;
use crate::model::ids::UserId;
use crate::model::time::Timestamp;
use crate::model::user::User;
use crate::secrets::hash_token;

/// The key under which a session names its user.
pub const USER_KEY: &str = "user_id";
/// The key under which it tells when and from where it began.
pub const ORIGIN_KEY: &str = "origin";
/// The key under which it tells when it was last seen, in milliseconds since 1970.
pub const SEEN_KEY: &str = "seen_at";

/// When and from where a session began.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Origin {
    /// In milliseconds since 1970; a session that does not tell has ended.
    created_at: i64,
    address: String,
    agent: String,
}

impl Origin {
    /// Here and now.
    pub fn of(client: &Client) -> Self {
        Self {
            created_at: Timestamp::now().as_millis(),
            address: client.address.to_string(),
            agent: client.agent.clone(),
        }
    }
}

/// The user of a request's session, put into the request by the layer around pages and API.
#[derive(Debug, Clone)]
pub struct SessionUser(pub User);

/// The store; clones share the database.
#[derive(Clone)]
pub struct Sessions(Db);

impl Sessions {
    /// Keeps sessions in this database.
    pub fn new(db: Db) -> Self {
        Self(db)
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

/// A record as the table has it. Nothing prolongs a session beyond its lifetime; one without a user waits for the
/// second step of a sign-in, and not for long.
fn written(record: &Record) -> Result<Written> {
    let user = record
        .data
        .get(USER_KEY)
        .and_then(serde_json::Value::as_i64)
        .map(UserId);
    let origin = record.data.get(ORIGIN_KEY).cloned();
    let origin = origin.map(serde_json::from_value::<Origin>).transpose();
    let origin = origin
        .map_err(|error| Error::Encode(error.to_string()))?
        .unwrap_or_default();
    let seen_at = record.data.get(SEEN_KEY).and_then(serde_json::Value::as_i64);
    let lifetime = if user.is_some() {
        SESSION_LIFETIME_S
    } else {
        SECOND_STEP_S
    };
    let created_at = Timestamp::from_millis(origin.created_at);
    let idle_until = i64::try_from(record.expiry_date.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX);
    Ok(Written {
        id_hash: hash_id(&record.id),
        user,
        data: serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))?,
        expires_at: Timestamp::from_millis(idle_until).min(created_at.plus_seconds(lifetime)),
        created_at,
        seen_at: seen_at.map_or(created_at, Timestamp::from_millis),
        address: origin.address,
        agent: origin.agent,
    })
}

/// By what the table knows a session.
pub fn hash_id(id: &Id) -> Vec<u8> {
    hash_token(&id.to_string())
}

fn backend(error: db::Error) -> Error {
    Error::Backend(error.to_string())
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        loop {
            let row = written(record)?;
            let inserted = self
                .0
                .write(move |tx| {
                    db::sessions::delete_expired(tx)?;
                    db::sessions::insert(tx, &row)
                })
                .await;
            match inserted {
                Err(db::Error::Taken) => record.id = Id::default(),
                other => return other.map_err(backend),
            }
        }
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let row = written(record)?;
        self.0
            .write(move |tx| db::sessions::update(tx, &row))
            .await
            .map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let id_hash = hash_id(id);
        let Some((data, expires_at)) = self
            .0
            .read(move |c| db::sessions::find(c, &id_hash))
            .await
            .map_err(backend)?
        else {
            return Ok(None);
        };
        let data = serde_json::from_str(&data).map_err(|error| Error::Decode(error.to_string()))?;
        let nanos = i128::from(expires_at.as_millis()) * 1_000_000;
        let expiry_date =
            time::OffsetDateTime::from_unix_timestamp_nanos(nanos).map_err(|error| Error::Decode(error.to_string()))?;
        Ok(Some(Record {
            id: *id,
            data,
            expiry_date,
        }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let id_hash = hash_id(id);
        self.0
            .write(move |tx| db::sessions::delete(tx, &id_hash))
            .await
            .map_err(backend)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::json;

    use super::*;

    /// A record that began so many seconds ago and may stay idle for ever.
    fn record(age: i64, more: &[(&str, serde_json::Value)]) -> Record {
        let client = Client::new([192, 0, 2, 7].into(), "Firefox/1");
        let mut origin = Origin::of(&client);
        origin.created_at -= age * 1_000;
        let mut data = HashMap::from([(ORIGIN_KEY.to_owned(), json!(origin))]);
        data.extend(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        Record {
            id: Id::default(),
            data,
            expiry_date: time::OffsetDateTime::now_utc() + time::Duration::days(400),
        }
    }

    #[tokio::test]
    async fn a_session_survives_a_restart_but_not_its_deletion() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dhow.db");
        let mut record = record(0, &[]);
        Sessions::new(Db::open(&path).unwrap())
            .create(&mut record)
            .await
            .unwrap();

        let sessions = Sessions::new(Db::open(&path).unwrap());
        assert_eq!(sessions.load(&record.id).await.unwrap().unwrap().data, record.data);
        sessions.delete(&record.id).await.unwrap();
        sessions.save(&record).await.unwrap();
        assert!(
            sessions.load(&record.id).await.unwrap().is_none(),
            "saving must not revive it"
        );
    }

    #[test]
    fn a_session_ends_with_its_lifetime_however_it_is_used() {
        let day = 24 * 3600;
        let now = Timestamp::now();
        let is_over = |record: &Record| written(record).unwrap().expires_at <= now;
        let user = (USER_KEY, json!(1));
        assert!(!is_over(&record(29 * day, std::slice::from_ref(&user))));
        assert!(is_over(&record(31 * day, std::slice::from_ref(&user))));
        assert!(!is_over(&record(200, &[])), "a second step waits for five minutes");
        assert!(is_over(&record(301, &[])));
        let mut untold = record(0, &[user]);
        untold.data.remove(ORIGIN_KEY);
        assert!(is_over(&untold), "a session that does not tell its age has ended");
    }
}
