//! What the DNS says of a host, and which addresses this machine has.
//!
//! Asks one server, the system's own or the one of `--resolver`, afresh each time: whoever has just changed a record
//! looks again and again. Decides nothing; [`crate::model::pointing`] compares.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;

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
