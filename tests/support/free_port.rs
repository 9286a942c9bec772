//! Ports for tests to listen on.

use std::net::TcpListener;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A TCP port of the loopback address that is free, and stays so until a test listens on it, also over restarts.
///
/// It is none of those that the kernel gives to outgoing connections (`ip_local_port_range`, from 32768 on), and each is
/// given once; where a run begins is left to chance, since several may run at a time.
pub fn free_port() -> u16 {
    const FIRST: u16 = 10_000;
    const COUNT: u16 = 32_768 - FIRST;
    static NEXT: LazyLock<AtomicU32> = LazyLock::new(|| {
        let mut chance = [0; 2];
        getrandom::fill(&mut chance).expect("random bytes");
        AtomicU32::new(u16::from_le_bytes(chance).into())
    });
    (0..COUNT)
        .map(|_| NEXT.fetch_add(1, Ordering::Relaxed) % u32::from(COUNT))
        .filter_map(|place| Some(FIRST + u16::try_from(place).ok()?))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("one of them is free")
}
