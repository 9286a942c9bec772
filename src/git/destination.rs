//! The server behind a repository's address, after the question whether Dhow may call it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use url::{Origin, Url};

use super::{Access, Error};
use crate::model::source::GitUrl;
use crate::outbound::{self, Refusal};

/// How often a wish to stop is looked for.
const GLANCE: Duration = Duration::from_millis(100);

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

    /// The same for an address that a server named and nobody typed: it may hold a query.
    pub(super) fn resolve_web(url: &Url, access: Access<'_>, cancelled: &AtomicBool) -> Result<Self, Error> {
        let mut server = url.clone();
        server.set_query(None);
        server.set_fragment(None);
        Self::resolve(&GitUrl::from(server), access, cancelled)
    }

    /// Connects to the first address that answers within `limit`; fails with the reason in words.
    pub(super) async fn dial(&self, limit: Duration) -> Result<TcpStream, String> {
        let mut reason = "it has no address".to_owned();
        for address in &self.addresses {
            match timeout(limit, TcpStream::connect(address)).await {
                Ok(Ok(socket)) => {
                    socket.set_nodelay(true).map_err(|error| error.to_string())?;
                    return Ok(socket);
                }
                Ok(Err(error)) => reason = error.to_string(),
                Err(_) => reason = format!("it did not answer within {} s", limit.as_secs_f32()),
            }
        }
        Err(reason)
    }
}

/// Waits until somebody wants to stop.
pub(super) async fn until_cancelled(cancelled: &AtomicBool) {
    while !cancelled.load(Ordering::Relaxed) {
        tokio::time::sleep(GLANCE).await;
    }
}
