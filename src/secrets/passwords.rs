//! Password hashes (argon2id), computed one at a time on a thread of their own.
//!
//! Each hash needs megabytes of memory; one thread bounds them, where a pool of blocking threads would keep one
//! such block each.

use std::sync::mpsc;
use std::thread;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::oneshot;

use crate::model::user::Password;

/// Memory in KiB, passes and lanes: OWASP's Password Storage Cheat Sheet gives this set as equal to 19 MiB with two
/// passes; it is the one that suits a server with 512 MiB.
const MEMORY_KIB: u32 = 7_168;
const PASSES: u32 = 5;
const LANES: u32 = 1;

enum Task {
    Hash(Password, oneshot::Sender<String>),
    Verify(Password, Option<String>, oneshot::Sender<bool>),
}

/// The handle to the thread that hashes.
#[derive(Clone)]
pub struct Passwords(mpsc::Sender<Task>);

impl Passwords {
    /// Starts the thread; it ends with the last handle.
    pub fn start() -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        thread::Builder::new()
            .name("passwords".into())
            .spawn(move || work(&receiver))?;
        Ok(Self(sender))
    }

    /// The hash to store for a password, in PHC format.
    pub async fn hash(&self, password: Password) -> String {
        let (answer, result) = oneshot::channel();
        self.0
            .send(Task::Hash(password, answer))
            .expect("the thread lives as long as its handles");
        result.await.expect("the thread answers every task")
    }

    /// Whether the password belongs to the hash. Without a hash the same work is done for nothing, so that the time
    /// does not tell whether a user exists.
    pub async fn verify(&self, password: Password, hash: Option<String>) -> bool {
        let (answer, result) = oneshot::channel();
        self.0
            .send(Task::Verify(password, hash, answer))
            .expect("the thread lives as long as its handles");
        result.await.expect("the thread answers every task")
    }
}

fn work(tasks: &mpsc::Receiver<Task>) {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("constant parameters are in range");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    // Nobody waits for an answer any more when its receiver is gone: nothing to do then.
    for task in tasks {
        match task {
            Task::Hash(password, answer) => {
                let hash = argon2.hash_password(password.as_bytes()).expect("a salt can be made");
                let _gone = answer.send(hash.to_string());
            }
            Task::Verify(password, Some(hash), answer) => {
                let is_right = PasswordHash::new(&hash)
                    .is_ok_and(|hash| argon2.verify_password(password.as_bytes(), &hash).is_ok());
                let _gone = answer.send(is_right);
            }
            Task::Verify(password, None, answer) => {
                let _equal_work = argon2.hash_password(password.as_bytes());
                let _gone = answer.send(false);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_only_its_own_hash() {
        let passwords = Passwords::start().unwrap();
        let hash = passwords.hash(Password::typed("correct horse")).await;
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(
            passwords
                .verify(Password::typed("correct horse"), Some(hash.clone()))
                .await
        );
        assert!(!passwords.verify(Password::typed("wrong horse"), Some(hash)).await);
        assert!(!passwords.verify(Password::typed("correct horse"), None).await);
    }
}
