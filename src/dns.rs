//! What the DNS says of a host, and which addresses this machine has.
//!
//! Asks one server, the system's own or the one of `--resolver`, afresh each time: whoever has just changed a record
//! looks again and again. Decides nothing; [`crate::model::pointing`] compares.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};

use crate::model::caa::{Caa, CaaRecord};
use crate::model::host::Host;
use crate::model::pointing::Found;

/// How long one question may take; asked twice, this is what a page waits for at most.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// The DNS as seen from here.
#[derive(Clone)]
pub struct Dns(TokioResolver);

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
                let mut builder = TokioResolver::builder_with_config(only(server), provider);
                builder.options_mut().use_hosts_file = ResolveHosts::Never;
                builder
            }
            None => TokioResolver::builder_tokio().map_err(|error| unusable(&error))?,
        };
        let options = builder.options_mut();
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.cache_size = 0;
        options.timeout = ANSWER_WITHIN;
        options.attempts = 1;
        Ok(Self(builder.build().map_err(|error| unusable(&error))?))
    }

    /// The addresses of a host.
    pub async fn look_up(&self, host: &Host) -> Found {
        // The dot at its end keeps the system's search domains out.
        match self.0.lookup_ip(format!("{host}.")).await {
            Ok(addresses) => Found::Addresses(addresses.iter().collect()),
            Err(error) if error.is_no_records_found() || error.is_nx_domain() => Found::Addresses(Vec::new()),
            Err(error) => Found::Unknown(error.to_string()),
        }
    }

    /// The restriction by CAA records that holds for a host: those of the nearest name that has any, from the host up to
    /// the top level (RFC 8659 §3). `None` where there is no restriction, or the DNS did not tell.
    pub async fn look_up_caa(&self, host: &Host) -> Option<Caa> {
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
    use super::with_parents;

    #[test]
    fn caa_records_are_looked_for_up_to_the_top_level() {
        let names: Vec<&str> = with_parents("a.b.example").collect();
        assert_eq!(names, ["a.b.example", "b.example", "example"]);
    }
}
