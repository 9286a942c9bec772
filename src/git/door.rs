//! The way from libgit2 to a server: a relay for the time of one conversation, by the kind of address.

use std::sync::atomic::{AtomicBool, Ordering};

use super::destination::Destination;
use super::relay::{Relay, Stop};
use super::ssh::{self, SshRelay};
use super::{Access, Error};
use crate::model::source::GitUrl;

/// A server that may be called, and what may be shown to it.
pub(super) struct Door<'a> {
    pub(super) url: &'a GitUrl,
    pub(super) access: Access<'a>,
    pub(super) destination: &'a Destination,
    pub(super) cancelled: &'a AtomicBool,
}

impl Door<'_> {
    /// What libgit2's error in a conversation means.
    pub(super) fn explain(&self, error: &git2::Error) -> Error {
        let credential = self.access.credential;
        let has_token = credential.is_some_and(|it| it.authorization_for(&self.url.origin()).is_some());
        Error::from_server(error, self.url, has_token)
    }

    /// Has `work` talk to the address that leads to the server. What went wrong on the way explains its failure better
    /// than libgit2 does. `say` is given what the server remarked beside the conversation.
    pub(super) fn open<T>(&self, work: impl FnOnce(&str) -> Result<T, Error>, say: impl Fn(&str)) -> Result<T, Error> {
        let (result, trouble) = if self.url.is_ssh() {
            let relay = SshRelay::bind(self)?;
            let result = std::thread::scope(|scope| {
                scope.spawn(|| relay.run());
                let _stop = ssh::Stop(&relay);
                work(&relay.address()?)
            });
            relay
                .remarks()
                .iter()
                .for_each(|remark| say(&format!("remote: {remark}")));
            (result, relay.take_trouble())
        } else {
            let credential = self.access.credential;
            let authorization = credential.and_then(|it| it.authorization_for(&self.url.origin()));
            let relay = Relay::bind(self.destination, authorization, self.access.limits, self.cancelled)?;
            let result = std::thread::scope(|scope| {
                scope.spawn(|| relay.run(scope));
                let _stop = Stop(&relay);
                work(&relay.address(self.url.path()))
            });
            (result, relay.take_trouble())
        };
        match (result, trouble) {
            (Err(_), _) if self.cancelled.load(Ordering::Relaxed) => Err(Error::Cancelled),
            (Err(Error::Unreachable(_) | Error::Other(_)), Some(trouble)) => Err(trouble),
            (result, _) => result,
        }
    }
}
