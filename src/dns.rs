//! What the DNS says of a host, and which addresses this machine has.
//!
//! Asks one server, the system's own or the one of `--resolver`, afresh each time: whoever has just changed a record
//! looks again and again. Decides nothing; [`crate::model::pointing`] compares.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::sync::Semaphore;

use crate::model::caa::{Caa, CaaRecord};
use crate::model::host::Host;
use crate::model::pointing::Found;

/// How long one question may take; asked twice, this is what a page waits for at most.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// How many hosts are looked up at once.
const AT_ONCE: usize = 8;

/// The DNS as seen from here.
#[derive(Clone)]
pub struct Dns(TokioResolver, Arc<Semaphore>);

/// The server to ask cannot be told.
#[derive(Debug, thiserror::Error)]
#[error("the system's DNS server cannot be told ({0}); name one with --resolver")]
pub struct Error(String);

impl Dns {
    /// Asks this server, or the system's own.
    pub fn new(server: Option<SocketAddr>) -> Result<Self, Error> {
        let unusable = |error: &dyn std::fmt::Display| Error(error.to_string());
        let mut builder = match server {
            Some(server) => {
                let provider = TokioRuntimeProvider::default();
                TokioResolver::builder_with_config(only(server), provider)
            }
            None => TokioResolver::builder_tokio().map_err(|error| unusable(&error))?,
        };
        let options = builder.options_mut();
        // What stands there is for this machine alone; Debian has its own name lead to 127.0.1.1.
        options.use_hosts_file = ResolveHosts::Never;
        options.cache_size = 0;
        options.timeout = ANSWER_WITHIN;
        options.attempts = 1;
        let resolver = builder.build().map_err(|error| unusable(&error))?;
        Ok(Self(resolver, Arc::new(Semaphore::new(AT_ONCE))))
    }

    /// The addresses of a host. Unless both kinds were told, nothing is known: the other kind may lead elsewhere.
    pub async fn look_up(&self, host: &Host) -> Found {
        let _place = self.1.acquire().await;
        let (v4, v6) = tokio::join!(
            self.addresses(host, RecordType::A),
            self.addresses(host, RecordType::AAAA)
        );
        match (v4, v6) {
            (Ok(v4), Ok(v6)) => Found::Addresses([v4, v6].concat()),
            (Err(error), _) | (_, Err(error)) => Found::Unknown(error.to_string()),
        }
    }

    async fn addresses(&self, host: &Host, kind: RecordType) -> Result<Vec<IpAddr>, NetError> {
        // The dot at its end keeps the system's search domains out.
        let lookup = match self.0.lookup(format!("{host}."), kind).await {
            Ok(lookup) => lookup,
            Err(error) if error.is_no_records_found() || error.is_nx_domain() => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let address = |data: &RData| match data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        };
        Ok(lookup
            .answers()
            .iter()
            .filter_map(|answer| address(&answer.data))
            .collect())
    }

    /// The restriction by CAA records that holds for a host: those of the nearest name that has any, from the host up to
    /// the top level (RFC 8659 §3). `None` where there is no restriction, or the DNS did not tell.
    pub async fn look_up_caa(&self, host: &Host) -> Option<Caa> {
        let _place = self.1.acquire().await;
        let names: Vec<&str> = with_parents(host.as_str()).collect();
        // All at once, since one that does not answer costs a second.
        let answers = futures_util::future::join_all(names.iter().map(|name| self.caa_records(name))).await;
        for (name, answer) in names.iter().zip(answers) {
            match answer {
                Ok(records) if records.is_empty() => {}
                Ok(records) => return Caa::of(name, &records),
                Err(error) => {
                    tracing::debug!(name, %error, "CAA records could not be looked up");
                    return None;
                }
            }
        }
        None
    }

    async fn caa_records(&self, name: &str) -> Result<Vec<CaaRecord>, NetError> {
        let lookup = match self.0.lookup(format!("{name}."), RecordType::CAA).await {
            Ok(lookup) => lookup,
            Err(error) if error.is_no_records_found() || error.is_nx_domain() => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let record = |data: &RData| match data {
            RData::CAA(caa) => Some(CaaRecord {
                is_critical: caa.issuer_critical,
                tag: caa.tag.clone(),
                value: String::from_utf8_lossy(&caa.value).into_owned(),
            }),
            _ => None,
        };
        Ok(lookup
            .answers()
            .iter()
            .filter_map(|answer| record(&answer.data))
            .collect())
    }
}

/// A name and all above it but the root.
fn with_parents(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, parent)| parent))
}

fn only(server: SocketAddr) -> ResolverConfig {
    let on_port = |mut connection: ConnectionConfig| {
        connection.port = server.port();
        connection
    };
    let connections = vec![on_port(ConnectionConfig::udp()), on_port(ConnectionConfig::tcp())];
    ResolverConfig::from_parts(
        None,
        Vec::new(),
        vec![NameServerConfig::new(server.ip(), true, connections)],
    )
}

/// The addresses of this machine's interfaces; none where the system does not tell.
pub fn own_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces.iter().map(if_addrs::Interface::ip).collect()
}

#[cfg(test)]
mod tests {
    use super::{Dns, Found, Host, with_parents};
    use std::net::SocketAddr;
    use tokio::net::UdpSocket;

    /// A server that tells 192.0.2.7 for each A, and answers with `answer` to AAAA: a response code, or not at all.
    async fn server(aaaa: Option<u8>) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let address = socket.local_addr().expect("an address");
        tokio::spawn(async move {
            let mut packet = [0; 512];
            loop {
                let (length, peer) = socket.recv_from(&mut packet).await.expect("a question");
                let Some(reply) = reply(&packet[..length], aaaa) else {
                    continue;
                };
                socket.send_to(&reply, peer).await.expect("it is sent");
            }
        });
        address
    }

    /// By RFC 1035 §4: the head, the question as it was, and one record that points back at its name.
    fn reply(query: &[u8], aaaa: Option<u8>) -> Option<Vec<u8>> {
        let name = 12 + query[12..].iter().position(|&byte| byte == 0)? + 1;
        let is_a = query[name + 1] == 1;
        let code = if is_a { 0 } else { aaaa? };
        let mut reply = vec![
            query[0],
            query[1],
            0x81,
            0x80 | code,
            0,
            1,
            0,
            u8::from(is_a),
            0,
            0,
            0,
            0,
        ];
        reply.extend_from_slice(&query[12..name + 4]);
        if is_a {
            reply.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
        }
        Some(reply)
    }

    #[tokio::test]
    async fn eight_hosts_are_looked_up_at_once() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let dns = Dns::new(Some(socket.local_addr().expect("an address"))).expect("a resolver");
        for number in 0..20 {
            let (dns, host) = (
                dns.clone(),
                Host::parse(&format!("a{number}.example.com")).expect("a host"),
            );
            tokio::spawn(async move { dns.look_up(&host).await });
        }
        let mut asked = std::collections::HashSet::new();
        let mut packet = [0; 512];
        // Less than a question waits for its answer.
        let _elapsed = tokio::time::timeout(super::ANSWER_WITHIN / 2, async {
            loop {
                let (length, _) = socket.recv_from(&mut packet).await.expect("a question");
                let name = packet[12..length].split(|&byte| byte == 0).next().map(<[u8]>::to_vec);
                asked.insert(name);
            }
        })
        .await;
        assert_eq!(asked.len(), super::AT_ONCE);
    }

    #[tokio::test]
    async fn one_kind_of_address_alone_says_nothing_while_the_other_is_not_told() {
        let host = Host::parse("a.example.com").expect("a host");
        let own = Found::Addresses(vec![[192, 0, 2, 7].into()]);
        for (aaaa, is_known) in [(Some(0), true), (Some(3), true), (Some(2), false), (None, false)] {
            let dns = Dns::new(Some(server(aaaa).await)).expect("a resolver");
            let found = dns.look_up(&host).await;
            assert_eq!(found == own, is_known, "{aaaa:?}: {found:?}");
            assert_eq!(matches!(found, Found::Unknown(_)), !is_known, "{aaaa:?}: {found:?}");
        }
    }

    #[test]
    fn caa_records_are_looked_for_up_to_the_top_level() {
        let names: Vec<&str> = with_parents("a.b.example").collect();
        assert_eq!(names, ["a.b.example", "b.example", "example"]);
    }
}
