//! From where somebody acts: the address of their connection and the program that they use.
//!
//! The address is the connection's own, never one that a header claims.

use std::net::{IpAddr, Ipv6Addr};

use super::user::{Actor, User};

/// The other end of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The connection's peer.
    pub address: IpAddr,
    /// What the program says of itself (RFC 9110 §10.1.5), cut; may be empty.
    pub agent: String,
}

impl Client {
    /// Longest agent that is kept, in characters; browsers stay below 200.
    const MAX_AGENT_CHARS: usize = 200;

    /// A client; what is long or unprintable in its agent is left out.
    pub fn new(address: IpAddr, agent: &str) -> Self {
        let printable = agent.chars().filter(|c| !c.is_control());
        Self {
            address: address.to_canonical(),
            agent: printable.take(Self::MAX_AGENT_CHARS).collect(),
        }
    }

    /// A person who acts from here.
    pub fn acting(&self, user: &User) -> Actor {
        Actor::person(user.clone()).at(self.address)
    }

    /// The address under which attempts are counted: of IPv6 the network of 64 bits, which one household or server
    /// has for itself (RFC 6177).
    pub fn network(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(_) => self.address,
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        }
    }
}

/// Browser and system in an agent's words, such as “Firefox on Linux”; `None` where none is known.
pub fn agent_in_words(agent: &str) -> Option<String> {
    // The order matters: Edge calls itself Chrome too, Chrome calls itself Safari too.
    let browsers = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ];
    let find = |table: &[(&str, &'static str)]| {
        let found = table.iter().find(|(mark, _)| agent.contains(mark));
        found.map(|(_, words)| *words)
    };
    let browser = find(&browsers)?;
    Some(find(&systems).map_or_else(|| browser.to_owned(), |system| format!("{browser} on {system}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_one_address_or_64_bits() {
        for (address, network) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ] {
            let client = Client::new(address.parse().unwrap(), "");
            assert_eq!(client.network().to_string(), network);
        }
    }

    #[test]
    fn an_agent_is_cut_and_told_in_words() {
        let client = Client::new(IpAddr::from([127, 0, 0, 1]), &format!("a\u{7}b{}", "ü".repeat(300)));
        assert_eq!(client.agent.chars().count(), 200);
        assert!(client.agent.starts_with("abü"));
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";
        assert_eq!(agent_in_words(chrome).as_deref(), Some("Chrome on Linux"));
        let edge = format!("{chrome} Edg/130.0").replace("X11; Linux x86_64", "Windows NT 10.0");
        assert_eq!(agent_in_words(&edge).as_deref(), Some("Edge on Windows"));
        assert_eq!(agent_in_words("curl/8.5.0"), None);
    }
}
