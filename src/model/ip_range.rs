//! A network of addresses in CIDR notation (RFC 4632, RFC 4291), for lists of who may open a site.
//!
//! Invariant: what is printed is an address and a prefix length that Traefik reads as the same network.

use std::fmt;
use std::net::IpAddr;

use super::Invalid;

/// Most networks of one domain: a list, not a firewall.
pub const MAX_RANGES: usize = 50;

/// Addresses that share their first bits; a single one has all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IpRange {
    address: IpAddr,
    bits: u8,
}

impl IpRange {
    /// Reads an address, or an address with the number of bits that count. Bits beyond are cleared.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refusal = || {
            Invalid::new(format!(
                "“{text}” is no address or network. Write 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32."
            ))
        };
        let (address, bits) = match text.trim().split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| refusal())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(longest), |bits| bits.parse::<u8>().map_err(|_| refusal()))?;
        if bits > longest {
            return Err(refusal());
        }
        Ok(Self {
            address: network(address, bits),
            bits,
        })
    }

    /// Reads a list that is separated by white space or commas.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, Invalid> {
        let parts = text.split(|c: char| c.is_whitespace() || c == ',');
        let ranges = parts
            .filter(|part| !part.is_empty())
            .map(Self::parse)
            .collect::<Result<Vec<_>, _>>()?;
        if ranges.len() > MAX_RANGES {
            return Err(Invalid::new(format!("Use at most {MAX_RANGES} networks.")));
        }
        Ok(ranges)
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

fn network(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            IpAddr::from((u32::from(address) & mask).to_be_bytes())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            IpAddr::from((u128::from(address) & mask).to_be_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::IpRange;

    #[test]
    fn a_network_has_one_spelling() {
        for (text, network) in [
            ("203.0.113.7", "203.0.113.7/32"),
            ("203.0.113.7/24", "203.0.113.0/24"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            (" 2001:DB8::1/32 ", "2001:db8::/32"),
            ("::1", "::1/128"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(IpRange::parse(text).expect(text).to_string(), network);
        }
        for text in [
            "",
            "/24",
            "203.0.113.7/33",
            "::/129",
            "203.0.113.7/-1",
            "203.0.113",
            "a.b",
            "1.2.3.4/",
            "1.2.3.4/+8x",
        ] {
            assert!(IpRange::parse(text).is_err(), "{text}");
        }
        let list = IpRange::parse_list("10.0.0.0/8,\n ::1 ,, 192.0.2.1").expect("a list");
        assert_eq!(list.len(), 3);
        assert!(IpRange::parse_list(&"10.0.0.1 ".repeat(51)).is_err());
    }
}
