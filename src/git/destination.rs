//! The server behind a repository's address, after the question whether Dhow may call it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Access, Error};
use url::Origin;

use crate::model::source::GitUrl;
use crate::outbound::{self, Refusal};

/// A server that may be called, at addresses that were checked.
#[derive(Debug)]
pub(super) struct Destination {
    /// The name that its certificate must be for.
    pub(super) host: String,
    /// Host and port, as they are named in requests.
    pub(super) authority: String,
    /// What a redirect may not leave.
    pub(super) origin: Origin,
    /// Whether TLS is spoken.
    pub(super) is_encrypted: bool,
    /// Where it is; never empty.
    pub(super) addresses: Vec<SocketAddr>,
}

impl Destination {
    /// Resolves the host and keeps the addresses that may be called.
    pub(super) fn resolve(url: &GitUrl, access: Access<'_>, cancelled: &AtomicBool) -> Result<Self, Error> {
        let host = url.host();
        if !url.is_encrypted() && !access.allow_private {
            return Err(Error::Refused(format!(
                "{host} would be called over http, where anybody on the way can change the code. Use https:// (or let \
                 the operator start Dhow with --allow-private-sources)."
            )));
        }
        let is_ended = || cancelled.load(Ordering::Relaxed);
        let addresses = outbound::resolve(&host, url.port(), access.allow_private, is_ended);
        let addresses = addresses.map_err(|refusal| match refusal {
            Refusal::Ended => Error::Cancelled,
            Refusal::NotFound(error) => Error::Unreachable(format!(
                "The host {host} was not found ({error}). Check the repository's address."
            )),
            Refusal::Private(address) => Error::Refused(format!(
                "{host} is at {address}, a private address, and Dhow fetches only from public ones. An operator who \
                 trusts every user of this panel can start it with --allow-private-sources."
            )),
        })?;
        Ok(Self {
            authority: url.authority(),
            origin: url.origin(),
            is_encrypted: url.is_encrypted(),
            host,
            addresses,
        })
    }
}
