//! The guard before every call to an address that a user typed (server-side request forgery, CWE-918): one function
//! resolves a host, refuses what is not on the open internet, and answers the addresses to dial.
//!
//! Whoever calls dials these addresses and no name, so that a second answer of DNS cannot lead elsewhere; a redirect is
//! a new address and comes through here again.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crate::model::address::is_private_host;

/// Why a host is not called.
#[derive(Debug)]
pub enum Refusal {
    /// Nobody waits for it any more.
    Ended,
    /// The name leads nowhere.
    NotFound(io::Error),
    /// All of its addresses are private ones, of which this is the first.
    Private(IpAddr),
}

/// Resolves a host and answers the addresses that may be called, at least one; only public ones unless private ones
/// are allowed. Ends early when `is_ended` says so.
pub fn resolve(
    host: &str,
    port: u16,
    allow_private: bool,
    is_ended: impl Fn() -> bool,
) -> Result<Vec<SocketAddr>, Refusal> {
    let target = (host.to_owned(), port);
    let resolved = wait_for(move || target.to_socket_addrs(), is_ended).ok_or(Refusal::Ended)?;
    let mut addresses: Vec<SocketAddr> = resolved.map_err(Refusal::NotFound)?.collect();
    let Some(first) = addresses.first().map(SocketAddr::ip) else {
        return Err(Refusal::NotFound(io::ErrorKind::NotFound.into()));
    };
    addresses.retain(|address| allow_private || !is_private_host(&address.ip()));
    if addresses.is_empty() {
        return Err(Refusal::Private(first));
    }
    Ok(addresses)
}

/// Does something that blocks on a thread of its own, so that the wait can end before it does; `None` then. The thread
/// is left behind, for as long as the system's own time limit.
pub fn wait_for<T: Send + 'static>(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_leads_to_this_machine_or_its_neighbourhood_is_refused() {
        for host in [
            "localhost",
            "127.0.0.1",
            // Spellings that inet_aton(3) understands.
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0",
            "10.0.0.1",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:169.254.169.254",
            "::ffff:7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
        ] {
            let resolved = resolve(host, 443, false, || false);
            assert!(matches!(resolved, Err(Refusal::Private(_))), "{host}: {resolved:?}");
            let allowed = resolve(host, 443, true, || false).unwrap();
            assert!(allowed.iter().all(|address| address.port() == 443), "{host}");
        }
    }

    #[test]
    fn a_public_address_is_answered_as_it_is() {
        for host in ["140.82.121.4", "2606:4700::1111", "64:ff9b::8c52:7904"] {
            let addresses = resolve(host, 80, false, || false).unwrap();
            assert_eq!(addresses, [SocketAddr::new(host.parse().unwrap(), 80)]);
        }
    }

    #[test]
    fn nobody_is_waited_for_in_vain() {
        let never = || std::thread::sleep(Duration::from_secs(5));
        assert!(wait_for(never, || true).is_none());
    }
}
