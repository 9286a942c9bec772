//! `dhow secrets rotate`: a new key, under which all that is sealed is sealed anew in one transaction.
//!
//! Nothing else changes by it: digests in releases are made anew too, so that no app looks changed or is built again.
//! The old key is gone afterwards.

use std::collections::HashMap;
use std::path::Path;

use super::{Error, Result};
use crate::db::{self, Db, meta};
use crate::model::build_inputs::BuildInputs;
use crate::model::user::Actor;
use crate::secrets::{self, KeyLock, Rotation, SecretKey};

/// What a rotation did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rotated {
    /// Values that are sealed with the new key.
    pub values: usize,
    /// Values that the old key did not open either; they are left as they were.
    pub unreadable: usize,
}

/// Changes the key at `key_path`. Refused while a deployment runs, since that works with what it has read.
pub async fn rotate(db: &Db, key_path: &Path, is_served: bool) -> Result<Rotated> {
    let alone = KeyLock::wait(key_path).map_err(unusable)?;
    let fingerprint = db.read(|c| meta::find(c, meta::KEY_FINGERPRINT)).await?;
    let fingerprint = fingerprint.ok_or_else(|| {
        Error::Conflict("nothing is sealed yet: dhow serve makes the key at its first start".to_owned())
    })?;
    let rotation = Rotation::begin(alone, &fingerprint).map_err(unusable)?;
    let (old, new) = (rotation.old_key().clone(), rotation.new_key().clone());
    // Whatever the database fails with, it may have committed before: then the new key stays, and the next one settles.
    let changed = db.write_durably(move |tx| {
        if is_served && !db::deployments::list_running(tx)?.is_empty() {
            return Ok(None);
        }
        reseal(tx, &old, &new).map(Some)
    });
    let Some(rotated) = changed.await? else {
        // Left behind it does no harm: it counts for nothing.
        let _left = rotation.give_up();
        let message = "a deployment is running; change the key when it has ended. The key stays as it was";
        return Err(Error::Conflict(message.to_owned()));
    };
    rotation.finish().map_err(|error| {
        Error::Unavailable(format!(
            "the key was changed, but not yet put in its place, which the next start of dhow serve does: {error}"
        ))
    })?;
    Ok(rotated)
}

fn unusable(error: secrets::Error) -> Error {
    Error::Unavailable(error.to_string())
}

fn reseal(tx: &db::Tx, old: &SecretKey, new: &SecretKey) -> db::Result<Rotated> {
    let mut rotated = Rotated::default();
    let mut digests = HashMap::new();
    db::sealed::update_all(tx, |identity, sealed| {
        let Ok(value) = old.unseal(identity, sealed) else {
            rotated.unreadable += 1;
            return None;
        };
        rotated.values += 1;
        digests.insert(old.digest(&value), new.digest(&value));
        Some(new.seal(identity, &value))
    })?;
    for (release, mut inputs) in db::releases::list_build_inputs(tx)? {
        let present = inputs.variables.values_mut();
        present.for_each(|digest| *digest = digest_anew(digest, &digests, new));
        db::releases::update_build_inputs(tx, release, &inputs)?;
    }
    meta::set(tx, meta::KEY_FINGERPRINT, &new.fingerprint())?;
    db::audit::insert(tx, &Actor::DHOW, "secrets.rotate", "secret.key")?;
    Ok(rotated)
}

/// The same digest under the new key. Where no variable has its value any more it becomes another text that nothing
/// equals, as before, and that the old key is no help with.
fn digest_anew(stored: &str, digests: &HashMap<String, String>, new: &SecretKey) -> String {
    let (digest, suffix) = match stored.strip_suffix(BuildInputs::SECRET_SUFFIX) {
        Some(digest) => (digest, BuildInputs::SECRET_SUFFIX),
        None => (stored, ""),
    };
    let digest = digests.get(digest).cloned().unwrap_or_else(|| new.digest(digest));
    format!("{digest}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_digest_whose_value_is_there_is_made_anew_and_another_becomes_one_that_nothing_equals() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        let old = SecretKey::open(&path, None).unwrap();
        let rotation = Rotation::begin(KeyLock::wait(&path).unwrap(), &old.fingerprint()).unwrap();
        let new = rotation.new_key();
        let known = HashMap::from([(old.digest("a"), new.digest("a"))]);
        assert_eq!(digest_anew(&old.digest("a"), &known, new), new.digest("a"));
        let as_secret = format!("{}:secret", old.digest("a"));
        assert_eq!(
            digest_anew(&as_secret, &known, new),
            format!("{}:secret", new.digest("a"))
        );
        let gone = digest_anew(&old.digest("b"), &known, new);
        assert!(gone != old.digest("b") && gone != new.digest("b"));
        assert_eq!(
            gone,
            digest_anew(&old.digest("b"), &known, new),
            "releases that were equal stay so"
        );
    }

    #[tokio::test]
    async fn what_the_old_key_does_not_open_is_left_and_a_failure_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        let db = Db::open(&dir.path().join("dhow.db")).unwrap();
        assert!(
            matches!(rotate(&db, &path, false).await, Err(Error::Conflict(_))),
            "nothing to change"
        );
        let key = SecretKey::open(&path, None).unwrap();
        let (fingerprint, second) = (key.fingerprint(), key.seal("two_factor:2", "right"));
        let stored = db.write(move |tx| {
            meta::set(tx, meta::KEY_FINGERPRINT, &fingerprint)?;
            for (email, sealed) in [("a@x", b"broken".to_vec()), ("b@x", second)] {
                let email = crate::model::user::Email::parse(email).expect("an address");
                let user = db::users::insert(tx, &email, "hash", crate::model::user::Role::Member)?;
                db::second_factors::begin(tx, user, &sealed)?;
            }
            db::Result::Ok(())
        });
        stored.await.unwrap();
        let rotated = rotate(&db, &path, true).await.unwrap();
        assert_eq!(
            rotated,
            Rotated {
                values: 1,
                unreadable: 1
            }
        );
        let id = crate::model::ids::UserId(2);
        let sealed = db
            .read(move |c| db::second_factors::find(c, id))
            .await
            .unwrap()
            .unwrap()
            .sealed_secret;
        assert_eq!(
            key.unseal("two_factor:2", &sealed).unwrap(),
            "right",
            "the handle finds the new key"
        );

        std::fs::write(&path, [7; 32]).unwrap();
        assert!(rotate(&db, &path, false).await.is_err());
        assert_eq!(std::fs::read(&path).unwrap(), [7; 32]);
    }

    #[tokio::test]
    async fn a_database_that_fails_leaves_the_new_key_for_the_next_one_to_settle() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        let db = Db::open(&dir.path().join("dhow.db")).unwrap();
        let old = SecretKey::open(&path, None).unwrap().fingerprint();
        let stored = old.clone();
        let written = db.write(move |tx| meta::set(tx, meta::KEY_FINGERPRINT, &stored));
        written.await.unwrap();
        // It commits, and only then fails.
        db.before_each_write(|tx| tx.execute_batch("COMMIT").map_err(db::Error::from));
        assert!(rotate(&db, &path, false).await.is_err());
        let counts = db.read(|c| meta::find(c, meta::KEY_FINGERPRINT)).await.unwrap();
        assert!(counts.as_ref().is_some_and(|counts| *counts != old), "it was committed");
        assert_eq!(
            SecretKey::open(&path, counts.as_deref()).unwrap().fingerprint(),
            counts.unwrap()
        );
    }
}
