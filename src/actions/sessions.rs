//! Sessions kept in the database for tower-sessions: a browser stays signed in over a restart of Dhow.

use std::fmt;

use async_trait::async_trait;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};

use crate::db::{self, Db};
use crate::model::ids::UserId;
use crate::model::time::Timestamp;
use crate::model::user::User;
use crate::secrets::hash_token;

/// The key under which a session names its user.
pub const USER_KEY: &str = "user_id";

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

/// A record as the table has it.
struct Row {
    id_hash: Vec<u8>,
    user: Option<UserId>,
    data: String,
    expires_at: Timestamp,
}

impl Row {
    fn of(record: &Record) -> Result<Self> {
        let millis = record.expiry_date.unix_timestamp_nanos() / 1_000_000;
        Ok(Self {
            id_hash: hash(&record.id),
            user: record
                .data
                .get(USER_KEY)
                .and_then(serde_json::Value::as_i64)
                .map(UserId),
            data: serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))?,
            expires_at: Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)),
        })
    }
}

fn hash(id: &Id) -> Vec<u8> {
    hash_token(&id.to_string())
}

fn backend(error: db::Error) -> Error {
    Error::Backend(error.to_string())
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        loop {
            let row = Row::of(record)?;
            let inserted = self
                .0
                .write(move |tx| {
                    db::sessions::delete_expired(tx)?;
                    db::sessions::insert(tx, &row.id_hash, row.user, &row.data, row.expires_at)
                })
                .await;
            match inserted {
                Err(db::Error::Taken) => record.id = Id::default(),
                other => return other.map_err(backend),
            }
        }
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let row = Row::of(record)?;
        self.0
            .write(move |tx| db::sessions::update(tx, &row.id_hash, row.user, &row.data, row.expires_at))
            .await
            .map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let id_hash = hash(id);
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
        let id_hash = hash(id);
        self.0
            .write(move |tx| db::sessions::delete(tx, &id_hash))
            .await
            .map_err(backend)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[tokio::test]
    async fn a_session_survives_a_restart_but_not_its_deletion() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dhow.db");
        let data = HashMap::from([("seen".to_owned(), serde_json::json!(1))]);
        let expiry_date = time::OffsetDateTime::now_utc() + time::Duration::hours(1);
        let mut record = Record {
            id: Id::default(),
            data,
            expiry_date,
        };
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
}
