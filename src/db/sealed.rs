//! Every place of the database that holds a sealed value, for a change of the key. A new one is one more line of
//! [`PLACES`]; a test finds it missing.
//!
//! Not among them: a link that waits in a session for its page. It is worthless after an hour anyway.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::Result;

/// A column of sealed values.
struct Place {
    table: &'static str,
    column: &'static str,
    /// The columns of the primary key.
    keys: &'static [&'static str],
    /// The row's identity as SQL, as its owner spells it when sealing.
    identity: &'static str,
}

const PLACES: [Place; 5] = [
    Place {
        table: "env_vars",
        column: "sealed",
        keys: &["app_id", "key"],
        identity: "'env:' || app_id || ':' || key",
    },
    Place {
        table: "release_env_vars",
        column: "sealed",
        keys: &["release_id", "key"],
        identity: "'env:' || (SELECT app_id FROM releases WHERE id = release_id) || ':' || key",
    },
    Place {
        table: "webhooks",
        column: "sealed_secret",
        keys: &["app_id"],
        identity: "'webhook:' || app_id",
    },
    Place {
        table: "source_credentials",
        column: "sealed",
        keys: &["app_id"],
        identity: "'source_credential:' || app_id || ':' || kind",
    },
    Place {
        table: "second_factors",
        column: "sealed_secret",
        keys: &["user_id"],
        identity: "'two_factor:' || user_id",
    },
];

/// Replaces every sealed value by what `reseal` makes of it, given its row's identity; `None` leaves it as it is.
pub fn update_all(connection: &Connection, mut reseal: impl FnMut(&str, &[u8]) -> Option<Vec<u8>>) -> Result<()> {
    for place in &PLACES {
        for (keys, identity, sealed) in rows(connection, place)? {
            if let Some(sealed) = reseal(&identity, &sealed) {
                update(connection, place, keys, sealed)?;
            }
        }
    }
    Ok(())
}

/// Primary key, identity, sealed value.
type SealedRow = (Vec<Value>, String, Vec<u8>);

fn rows(connection: &Connection, place: &Place) -> Result<Vec<SealedRow>> {
    let Place {
        table,
        column,
        keys,
        identity,
    } = place;
    let keys_listed = keys.join(", ");
    let sql = format!("SELECT {identity}, {column}, {keys_listed} FROM {table} WHERE {column} IS NOT NULL");
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| {
        let keys = (0..keys.len()).map(|index| row.get(2 + index));
        Ok((keys.collect::<rusqlite::Result<_>>()?, row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn update(connection: &Connection, place: &Place, keys: Vec<Value>, sealed: Vec<u8>) -> Result<()> {
    let conditions: Vec<String> = place.keys.iter().map(|key| format!("{key} = ?")).collect();
    let sql = format!(
        "UPDATE {} SET {} = ? WHERE {}",
        place.table,
        place.column,
        conditions.join(" AND ")
    );
    let values = std::iter::once(Value::Blob(sealed)).chain(keys);
    connection.prepare_cached(&sql)?.execute(params_from_iter(values))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Db;
    use crate::model::delivery::Webhook;
    use crate::model::env_var::EnvKey;
    use crate::model::ids::AppId;
    use crate::model::source::{CredentialKind, SealedCredential};

    #[tokio::test]
    async fn every_sealed_column_of_the_schema_is_listed() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("dhow.db")).unwrap();
        let columns = db.read(|c| {
            let sql = "SELECT t.name || '.' || c.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c \
                 WHERE t.type = 'table' AND c.name LIKE 'sealed%' ORDER BY 1";
            let mut statement = c.prepare(sql)?;
            let columns = statement.query_map([], |row| row.get(0))?;
            Ok(columns.collect::<rusqlite::Result<Vec<String>>>()?)
        });
        let mut listed: Vec<String> = PLACES
            .iter()
            .map(|place| format!("{}.{}", place.table, place.column))
            .collect();
        listed.sort();
        assert_eq!(columns.await.unwrap(), listed);
    }

    /// One sealed value in each place, without the rows that they belong to.
    const ROWS: &str = "
        INSERT INTO releases (id, app_id, number, deployment_id, image_id, port, health_timeout_s, created_at)
            VALUES (5, 3, 1, 1, 'i', 80, 60, 0);
        INSERT INTO env_vars (app_id, key, sealed, is_secret, scope) VALUES (3, 'KEY', x'61', 0, 'run');
        INSERT INTO release_env_vars (release_id, key, sealed, is_secret) VALUES (5, 'KEY', x'62', 0);
        INSERT INTO webhooks (app_id, public_id, sealed_secret, created_at) VALUES (3, 'p', x'63', 0);
        INSERT INTO source_credentials (app_id, kind, origin, username, sealed, created_at)
            VALUES (3, 'token', 'o', 'u', x'64', 0);
        INSERT INTO second_factors (user_id, sealed_secret, created_at) VALUES (7, x'65', 0);
    ";

    #[test]
    fn each_value_comes_with_the_identity_that_it_was_sealed_for_and_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dhow.db");
        drop(Db::open(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        connection.execute_batch(ROWS).unwrap();
        let (app, key) = (AppId(3), EnvKey::parse("KEY").unwrap());
        let expected = [
            (key.seal_identity(app), "a"),
            (key.seal_identity(app), "b"),
            (Webhook::seal_identity(app), "c"),
            (SealedCredential::seal_identity(app, CredentialKind::Token), "d"),
            ("two_factor:7".to_owned(), "e"),
        ];
        for ending in ["", "!"] {
            let mut seen = Vec::new();
            let reseal = |identity: &str, sealed: &[u8]| {
                seen.push((identity.to_owned(), String::from_utf8(sealed.to_owned()).unwrap()));
                Some([sealed, b"!"].concat())
            };
            update_all(&connection, reseal).unwrap();
            let expected = expected
                .clone()
                .map(|(identity, value)| (identity, format!("{value}{ending}")));
            assert_eq!(seen, expected);
        }
    }
}
