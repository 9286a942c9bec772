//! What a repository has, without fetching anything: the answer to "can Dhow reach it?".

use std::sync::atomic::AtomicBool;

use git2::{Direction, Remote};

use super::destination::Destination;
use super::door::Door;
use super::fetch::Offer;
use super::{Access, Error};
use crate::model::source::GitUrl;

/// The branches of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branches {
    /// The one that the repository calls its default, if that can be told.
    pub default: Option<String>,
    /// All of them, by name; none in an empty repository.
    pub names: Vec<String>,
}

impl Branches {
    /// Asks the server; blocks for `access.limits.total` at most.
    pub fn list(url: &GitUrl, access: Access<'_>, cancelled: &AtomicBool) -> Result<Self, Error> {
        let destination = Destination::resolve(url, access, cancelled)?;
        let door = Door {
            url,
            access,
            destination: &destination,
            cancelled,
        };
        let ask = |address: &str| {
            let mut remote = Remote::create_detached(address)?;
            let connection = remote
                .connect_auth(Direction::Fetch, None, None)
                .map_err(|error| door.explain(&error))?;
            let offer = Offer::read(connection.list().map_err(|error| door.explain(&error))?);
            let mut names: Vec<String> = offer.branches().into_iter().map(str::to_owned).collect();
            names.sort_unstable();
            Ok(Self {
                default: offer.default_branch().ok().filter(|default| names.contains(default)),
                names,
            })
        };
        door.open(ask, |_| {}).map_err(|error| match error {
            // Nothing is stored here, so it is the answer that libgit2 does not understand; its words are then another call's.
            Error::Other(_) => Error::Unreachable(format!(
                "{} does not answer as a Git server does; check the address.",
                url.host()
            )),
            told => told,
        })
    }
}
