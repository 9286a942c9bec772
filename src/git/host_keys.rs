//! By what servers are known that are reached by SSH: pinned at first contact, refused when it changes.

use std::sync::{Mutex, PoisonError};

use russh::keys::{Algorithm, HashAlg, PublicKey};

use super::Error;
use crate::model::source::{GitUrl, HostKey};
use crate::model::time::Timestamp;

/// The keys that are known, and those that were seen for the first time and wait to be stored.
#[derive(Debug, Default)]
pub struct HostKeys(Mutex<Keys>);

#[derive(Debug, Default)]
struct Keys {
    known: Vec<HostKey>,
    new: Vec<HostKey>,
}

impl HostKeys {
    /// With the keys that are known.
    pub const fn new(known: Vec<HostKey>) -> Self {
        Self(Mutex::new(Keys { known, new: Vec::new() }))
    }

    /// The keys that were seen for the first time since this was last asked.
    pub fn take_new(&self) -> Vec<HostKey> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).new)
    }

    /// The kind of the key that a server is known by.
    pub(super) fn algorithm_of(&self, url: &GitUrl) -> Option<Algorithm> {
        let keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = keys.known.iter().find(|key| is_of(key, url))?;
        Some(PublicKey::from_openssh(&known.key).ok()?.algorithm())
    }

    /// Notes the key of a server that was not known; refuses one that is not the known one.
    pub(super) fn check(&self, url: &GitUrl, shown: &PublicKey) -> Result<(), Error> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fingerprint = shown.fingerprint(HashAlg::Sha256).to_string();
        match keys.known.iter().find(|key| is_of(key, url)) {
            Some(known) if known.fingerprint == fingerprint => Ok(()),
            Some(known) => Err(Error::Refused(format!(
                "{} shows another host key than before: it was {}, now it is {fingerprint}. If the server's operator \
                 says that this is right, an admin of this Dhow removes the old key on the app's source page. \
                 Otherwise somebody may stand in between; nothing was fetched.",
                url.authority(),
                known.fingerprint
            ))),
            None => {
                let key = HostKey {
                    host: url.host(),
                    port: url.port(),
                    key: shown.to_openssh().map_err(|error| Error::Other(error.to_string()))?,
                    fingerprint,
                    first_seen_at: Timestamp::now(),
                };
                keys.known.push(key.clone());
                keys.new.push(key);
                Ok(())
            }
        }
    }
}

fn is_of(key: &HostKey, url: &GitUrl) -> bool {
    key.host == url.host() && key.port == url.port()
}
