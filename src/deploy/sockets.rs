//! How many connections an instance still has, from the kernel's own tables of its network namespace.

use std::fs;

/// State of an open connection in `/proc/net/tcp` (proc_pid_net(5)).
const ESTABLISHED: &str = "01";

/// Open connections to a port inside the network namespace of a process; `None` when they cannot be told.
pub fn open_connections(pid: i64, port: u16) -> Option<usize> {
    let tables = ["tcp", "tcp6"].map(|table| fs::read_to_string(format!("/proc/{pid}/net/{table}")));
    // A host without IPv6 has one table.
    let readable: Vec<String> = tables.into_iter().filter_map(Result::ok).collect();
    if readable.is_empty() {
        return None;
    }
    Some(readable.iter().map(|table| count(table, port)).sum())
}

fn count(table: &str, port: u16) -> usize {
    let local_port = format!(":{port:04X}");
    let is_open = |line: &&str| {
        let mut columns = line.split_whitespace();
        let local = columns.nth(1).unwrap_or_default();
        let state = columns.nth(1).unwrap_or_default();
        local.ends_with(&local_port) && state == ESTABLISHED
    };
    table.lines().skip(1).filter(is_open).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_open_connections_to_the_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue\n\
             0: 00000000:1F90 00000000:0000 0A 00000000:00000000\n\
             1: 020013AC:1F90 010013AC:B1A2 01 00000000:00000000\n\
             2: 020013AC:1F90 010013AC:B1A4 06 00000000:00000000\n\
             3: 020013AC:01BB 010013AC:B1A6 01 00000000:00000000\n";
        assert_eq!(count(table, 8080), 1);
        assert_eq!(count(table, 443), 1);
        assert_eq!(count(table, 80), 0);
    }
}
