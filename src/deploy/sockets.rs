//! What an instance listens on and how many connections it has, from the kernel's own tables of its network namespace.
//!
//! The tables need no program in the container and no packet on the wire (proc_pid_net(5)).

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// States in the tables (`include/net/tcp_states.h`).
const ESTABLISHED: &str = "01";
const LISTEN: &str = "0A";
/// Where Docker's own name server listens in every container of a private network.
const DOCKER_DNS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11));

/// Open connections to a port inside the network namespace of a process; `None` when they cannot be told.
pub fn open_connections(pid: i64, port: u16) -> Option<usize> {
    let open = in_state(&tables(pid)?, ESTABLISHED);
    Some(open.iter().filter(|address| address.port() == port).count())
}

/// Addresses that something listens on inside the network namespace of a process, lowest port first, without Docker's
/// own; `None` when they cannot be told.
pub fn listening(pid: i64) -> Option<Vec<SocketAddr>> {
    let mut addresses = in_state(&tables(pid)?, LISTEN);
    addresses.retain(|address| address.ip() != DOCKER_DNS);
    addresses.sort_by_key(|address| (address.port(), address.ip()));
    addresses.dedup();
    Some(addresses)
}

fn tables(pid: i64) -> Option<String> {
    let tables = ["tcp", "tcp6"].map(|table| fs::read_to_string(format!("/proc/{pid}/net/{table}")));
    // A host without IPv6 has one table.
    let readable: Vec<String> = tables.into_iter().filter_map(Result::ok).collect();
    (!readable.is_empty()).then(|| readable.concat())
}

/// The local addresses of all sockets in a state. The tables' heading is no address and so drops out.
fn in_state(tables: &str, wanted: &str) -> Vec<SocketAddr> {
    let local_address = |line: &str| {
        let mut columns = line.split_whitespace().skip(1);
        let local = address(columns.next()?)?;
        (columns.nth(1)? == wanted).then_some(local)
    };
    tables.lines().filter_map(local_address).collect()
}

/// Reads `0100007F:1F90`: words of the address as this machine's numbers, and the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let word = |at: usize| Some(u32::from_str_radix(ip.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    let ip = match ip.len() {
        8 => IpAddr::from(word(0)?),
        32 => {
            let bytes = [word(0)?, word(8)?, word(16)?, word(24)?].concat();
            IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: &str = "  sl  local_address rem_address   st tx_queue\n\
         0: 00000000:1F90 00000000:0000 0A 00000000:00000000\n\
         1: 020013AC:1F90 010013AC:B1A2 01 00000000:00000000\n\
         2: 020013AC:1F90 010013AC:B1A4 06 00000000:00000000\n\
         3: 020013AC:01BB 010013AC:B1A6 01 00000000:00000000\n\
         4: 0B00007F:9C4F 00000000:0000 0A 00000000:00000000\n\
         5: 0100007F:0FA0 00000000:0000 0A 00000000:00000000\n  \
         sl  local_address                         remote_address                        st tx_queue\n\
         0: 00000000000000000000000000000000:0BB8 00000000000000000000000000000000:0000 0A 00000000:00000000\n\
         1: 00000000000000000000000001000000:0BB9 00000000000000000000000000000000:0000 0A 00000000:00000000\n\
         2: 0000000000000000FFFF0000020013AC:1F90 0000000000000000FFFF0000010013AC:B1A8 01 00000000:00000000\n";

    #[test]
    fn only_open_connections_to_the_port_count() {
        let open = in_state(TABLES, ESTABLISHED);
        let on = |port| open.iter().filter(|address| address.port() == port).count();
        assert_eq!((on(8080), on(443), on(80)), (2, 1, 0));
        assert!(open.iter().all(|address| address.ip().to_string() == "172.19.0.2"));
    }

    #[test]
    fn every_listening_socket_is_found_with_its_address() {
        let listening: Vec<String> = in_state(TABLES, LISTEN).iter().map(ToString::to_string).collect();
        assert_eq!(
            listening,
            [
                "0.0.0.0:8080",
                "127.0.0.11:40015",
                "127.0.0.1:4000",
                "[::]:3000",
                "[::1]:3001"
            ]
        );
    }

    #[test]
    fn sockets_of_this_process_are_seen_and_a_process_that_is_gone_is_not_known() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap();
        let pid = i64::from(std::process::id());
        assert!(listening(pid).unwrap().contains(&here));
        let _visitor = std::net::TcpStream::connect(here).unwrap();
        assert_eq!(open_connections(pid, here.port()), Some(1));
        assert_eq!(listening(0), None);
    }
}
