//! A range of private addresses from which networks are cut. Pure: which ranges are taken is the engine's knowledge.

use std::fmt;
use std::net::Ipv4Addr;

use super::Invalid;

/// An IPv4 network in CIDR notation, as `10.210.3.0/24`. Host bits are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subnet {
    network: u32,
    prefix: u8,
}

impl Subnet {
    /// Whether both networks have an address in common.
    pub fn overlaps(&self, other: &Subnet) -> bool {
        let shorter = self.prefix.min(other.prefix);
        (self.network ^ other.network) & mask(shorter) == 0
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", Ipv4Addr::from(self.network), self.prefix)
    }
}

impl Subnet {
    /// Refuses anything but `a.b.c.d/n` with zero host bits.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let malformed = || Invalid::new(format!("`{text}` is not an IPv4 range such as 10.210.0.0/16"));
        let (address, prefix) = text.split_once('/').ok_or_else(malformed)?;
        let address: Ipv4Addr = address.parse().map_err(|_| malformed())?;
        let prefix: u8 = prefix
            .parse()
            .ok()
            .filter(|prefix| *prefix <= 32)
            .ok_or_else(malformed)?;
        let network = u32::from(address);
        if network & !mask(prefix) != 0 {
            let base = Ipv4Addr::from(network & mask(prefix));
            return Err(Invalid::new(format!(
                "`{text}` does not begin its range; did you mean {base}/{prefix}?"
            )));
        }
        Ok(Subnet { network, prefix })
    }
}

/// The networks that a machine reaches by other ways than its default route, from its `/proc/net/route`
/// (proc_pid_net(5): destination and mask are hexadecimal, in the byte order of the machine).
pub fn routed_networks(table: &str) -> Vec<Subnet> {
    let network = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| u32::from_str_radix(columns.get(at)?, 16).ok().map(u32::to_be);
        let (network, mask) = (number(1)?, number(7)?);
        (mask != 0).then_some(Subnet {
            network: network & mask,
            prefix: u8::try_from(mask.leading_ones()).ok()?,
        })
    };
    table.lines().skip(1).filter_map(network).collect()
}

/// The range from which every project's network gets a /24 of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubnetPool(Subnet);

impl SubnetPool {
    /// Every /24 of the pool, lowest first.
    pub fn subnets(&self) -> impl Iterator<Item = Subnet> + use<> {
        let first = self.0.network;
        let count = 1u32 << (24 - self.0.prefix);
        (0..count).map(move |index| Subnet {
            network: first + (index << 8),
            prefix: 24,
        })
    }
}

impl fmt::Display for SubnetPool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl SubnetPool {
    /// Refuses what [`Subnet::parse`] refuses, and ranges that hold no /24 or more than a /8.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let range = Subnet::parse(text)?;
        if !(8..=24).contains(&range.prefix) {
            return Err(Invalid::new(format!(
                "`{text}` must be between a /8 and a /24, such as 10.210.0.0/16"
            )));
        }
        Ok(SubnetPool(range))
    }
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_cut_into_all_of_its_24s_in_order() {
        let cases = [
            ("10.210.0.0/16", 256, "10.210.0.0/24", "10.210.255.0/24"),
            ("192.168.4.0/24", 1, "192.168.4.0/24", "192.168.4.0/24"),
            ("172.16.0.0/12", 4096, "172.16.0.0/24", "172.31.255.0/24"),
            ("10.0.0.0/8", 65536, "10.0.0.0/24", "10.255.255.0/24"),
        ];
        for (text, count, first, last) in cases {
            let subnets: Vec<Subnet> = SubnetPool::parse(text).unwrap().subnets().collect();
            assert_eq!(subnets.len(), count, "{text}");
            assert_eq!(subnets[0].to_string(), first, "{text}");
            assert_eq!(subnets[count - 1].to_string(), last, "{text}");
        }
    }

    #[test]
    fn malformed_pools_are_refused_with_the_remedy() {
        let cases = [
            ("", "is not an IPv4 range"),
            ("10.210.0.0", "is not an IPv4 range"),
            ("10.210.0.0/33", "is not an IPv4 range"),
            ("10.210.0/16", "is not an IPv4 range"),
            ("fd00::/64", "is not an IPv4 range"),
            ("10.210.3.0/16", "did you mean 10.210.0.0/16?"),
            ("10.210.0.0/25", "between a /8 and a /24"),
            ("0.0.0.0/0", "between a /8 and a /24"),
        ];
        for (text, expected) in cases {
            let error = SubnetPool::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn the_machines_own_networks_are_read_from_its_routes() {
        let table = format!(
            "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
             eth0\t00000000\t{:08X}\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
             tun0\t{:08X}\t00000000\t0001\t0\t0\t0\t{:08X}\t0\t0\t0\n",
            0x0A00_0001_u32.to_be(),
            0x0AD2_0300_u32.to_be(),
            0xFFFF_FF00_u32.to_be(),
        );
        let networks: Vec<String> = routed_networks(&table).iter().map(ToString::to_string).collect();
        assert_eq!(networks, ["10.210.3.0/24"], "the default route takes nothing");
    }

    #[test]
    fn ranges_overlap_when_one_holds_the_other() {
        let cases = [
            ("10.210.0.0/24", "10.210.0.0/24", true),
            ("10.210.0.0/16", "10.210.7.0/24", true),
            ("10.210.7.128/25", "10.210.7.0/24", true),
            ("10.210.6.0/24", "10.210.7.0/24", false),
            ("0.0.0.0/0", "10.210.7.0/24", true),
            ("172.17.0.0/16", "10.210.7.0/24", false),
        ];
        for (left, right, expected) in cases {
            let (left, right) = (Subnet::parse(left).unwrap(), Subnet::parse(right).unwrap());
            assert_eq!(left.overlaps(&right), expected, "{left} {right}");
            assert_eq!(right.overlaps(&left), expected, "{right} {left}");
        }
    }
}
