//! The server behind a repository's address, after the question whether Dhow may call it.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::{Access, Error};
use url::Origin;

use crate::model::address::is_private_host;
use crate::model::source::GitUrl;

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
        let target = (host.clone(), url.port());
        let resolved = wait_for(move || target.to_socket_addrs(), || cancelled.load(Ordering::Relaxed));
        let mut addresses: Vec<SocketAddr> = match resolved.ok_or(Error::Cancelled)? {
            Ok(addresses) => addresses.collect(),
            Err(error) => {
                return Err(Error::Unreachable(format!(
                    "The host {host} was not found ({error}). Check the repository's address."
                )));
            }
        };
        let first = addresses
            .first()
            .map(|address| address.ip().to_string())
            .unwrap_or_default();
        addresses.retain(|address| access.allow_private || !is_private_host(&address.ip()));
        if addresses.is_empty() {
            return Err(Error::Refused(format!(
                "{host} is at {first}, a private address, and Dhow fetches only from public ones. An operator who \
                 trusts every user of this panel can start it with --allow-private-sources."
            )));
        }
        Ok(Self {
            authority: url.authority(),
            origin: url.origin(),
            is_encrypted: url.is_encrypted(),
            host,
            addresses,
        })
    }
}

/// Does something that blocks on a thread of its own, so that the wait can end before it does; `None` then. The thread
/// is left behind, for as long as the system's own time limit.
pub(super) fn wait_for<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
    is_ended: impl Fn() -> bool,
) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    loop {
        match receiver.recv_timeout(Duration::from_millis(100)) {
            Ok(result) => return Some(result),
            Err(RecvTimeoutError::Timeout) if !is_ended() => {}
            Err(_) => return None,
        }
    }
}
