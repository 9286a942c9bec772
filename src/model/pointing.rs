//! Whether a host's DNS leads to this machine, and the record that would make it so.

use std::net::IpAddr;

use super::address::is_private_host;
use super::host::Host;

/// What the DNS says of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Its addresses, IPv4 and IPv6; none where the name is unknown.
    Addresses(Vec<IpAddr>),
    /// Nobody answered, or not with an answer.
    Unknown(String),
}

/// Whether the DNS leads here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every address is this machine's: an authority may come by any of them.
    Right,
    /// At least one address is another machine's.
    Wrong,
    /// There is no address.
    Missing,
    /// The DNS could not be asked.
    Unknown,
}

/// What answers at port 80 of the addresses of a host, where an authority asks; the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Port80 {
    /// This Dhow's proxy, at every address.
    Proxy,
    /// Something else, at one at least.
    Other,
    /// Nothing that could be reached from this machine, at one at least.
    Unreachable,
}

/// What the DNS says of a host, beside what it should say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointing {
    /// The comparison.
    pub verdict: Verdict,
    /// The addresses that the DNS tells, sorted, since it tells them in any order.
    pub found: Vec<IpAddr>,
    /// The addresses that it should tell; none where this machine's public address is not known.
    pub wanted: Vec<IpAddr>,
    /// Why the DNS could not be asked.
    pub reason: Option<String>,
}

impl Pointing {
    /// Compares. `own`: addresses of the machine's interfaces; `known`: where the operator's own name for it leads, which
    /// counts as well, since a machine behind an address translation does not see its public one.
    pub fn new(found: Found, own: &[IpAddr], known: &[IpAddr]) -> Self {
        let wanted = wanted(own, known);
        let (verdict, found, reason) = match found {
            Found::Unknown(reason) => (Verdict::Unknown, Vec::new(), Some(reason)),
            Found::Addresses(found) if found.is_empty() => (Verdict::Missing, found, None),
            Found::Addresses(mut found) => {
                found.sort_unstable();
                let is_here = |address: &IpAddr| own.contains(address) || known.contains(address);
                let verdict = if found.iter().all(is_here) {
                    Verdict::Right
                } else {
                    Verdict::Wrong
                };
                (verdict, found, None)
            }
        };
        Self {
            verdict,
            found,
            wanted,
            reason,
        }
    }

    /// The records to make, as zone files spell them.
    pub fn records(&self, host: &Host) -> Vec<String> {
        let record = |address: &IpAddr| {
            let kind = if address.is_ipv4() { "A" } else { "AAAA" };
            format!("{host}. {kind} {address}")
        };
        self.wanted.iter().map(record).collect()
    }
}

/// Those of the machine's addresses at which an authority would arrive: public ones only, unless it is a private one. A name
/// that leads to 127.0.0.1 leads every machine to itself.
pub fn reached_by_authority(mut addresses: Vec<IpAddr>, is_private_authority: bool) -> Vec<IpAddr> {
    addresses.retain(|address| is_private_authority || is_public(address));
    addresses
}

/// The addresses to be entered: public ones, else what the operator's own name leads to, else one of a local network.
fn wanted(own: &[IpAddr], known: &[IpAddr]) -> Vec<IpAddr> {
    let mut public: Vec<IpAddr> = own.iter().copied().filter(is_public).collect();
    public.extend(
        known
            .iter()
            .filter(|address| is_public(address) && !own.contains(address)),
    );
    if !public.is_empty() {
        public.sort_unstable();
        public.dedup();
        return public;
    }
    let mut local = own
        .iter()
        .chain(known)
        .copied()
        .filter(|address| address.is_ipv4() && !address.is_loopback());
    local.next().into_iter().collect()
}

fn is_public(address: &IpAddr) -> bool {
    !is_private_host(address)
}

#[cfg(test)]
mod tests {
    use super::{Found, Pointing, Verdict, reached_by_authority};
    use crate::model::host::Host;
    use std::net::IpAddr;

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().expect("an address")).collect()
    }

    #[test]
    fn a_public_authority_arrives_at_public_addresses_alone() {
        let all = addresses(&["127.0.0.1", "10.0.0.5", "8.8.4.4", "::1", "fd00::1", "2606:4700::1"]);
        assert_eq!(
            reached_by_authority(all.clone(), false),
            addresses(&["8.8.4.4", "2606:4700::1"])
        );
        assert_eq!(reached_by_authority(all.clone(), true), all);
    }

    #[test]
    fn route_acme_not_hammered_dns_is_right_only_when_every_address_is_here() {
        let own = addresses(&["127.0.0.1", "10.0.0.5", "8.8.4.4", "2606:4700::1"]);
        let known = addresses(&["9.9.9.9"]);
        for (found, verdict) in [
            (&["8.8.4.4"][..], Verdict::Right),
            (&["8.8.4.4", "2606:4700::1"], Verdict::Right),
            (&["9.9.9.9"], Verdict::Right),
            (&["127.0.0.1"], Verdict::Right),
            (&["8.8.4.4", "2606:4700::2"], Verdict::Wrong),
            (&["8.8.8.8"], Verdict::Wrong),
            (&[], Verdict::Missing),
        ] {
            let pointing = Pointing::new(Found::Addresses(addresses(found)), &own, &known);
            assert_eq!(pointing.verdict, verdict, "{found:?}");
        }
        let silent = Pointing::new(Found::Unknown("timed out".to_owned()), &own, &known);
        assert_eq!(
            (silent.verdict, silent.reason.as_deref()),
            (Verdict::Unknown, Some("timed out"))
        );
        let host = Host::parse("a.example").expect("a host");
        assert_eq!(
            silent.records(&host),
            [
                "a.example. A 8.8.4.4",
                "a.example. A 9.9.9.9",
                "a.example. AAAA 2606:4700::1"
            ]
        );
        let local = Pointing::new(
            Found::Addresses(Vec::new()),
            &addresses(&["127.0.0.1", "192.168.1.2"]),
            &[],
        );
        assert_eq!(local.records(&host), ["a.example. A 192.168.1.2"]);
    }
}
