//! The one door between libgit2 and the network: a listener on loopback for the time of one fetch.
//!
//! libgit2 is pointed at it as a proxy (https, by `CONNECT`) or as the server itself (http, the `Host` put right). It
//! dials only addresses that were checked, so that neither a redirect nor a second answer of DNS leads elsewhere, and
//! it gives up on a silent server and on cancellation, which libgit2 alone offers only to `unsafe` callers.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::Scope;
use std::time::{Duration, Instant};

use super::destination::{Destination, wait_for};
use super::{Error, FetchLimits};

/// How long a blocked read or write sleeps before it looks whether to stop.
const GLANCE: Duration = Duration::from_millis(100);
/// libgit2's request heads are a few hundred bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// A listener that leads to one server.
pub(super) struct Relay<'a> {
    listener: TcpListener,
    destination: &'a Destination,
    limits: FetchLimits,
    cancelled: &'a AtomicBool,
    is_over: AtomicBool,
    started: Instant,
    trouble: Mutex<Option<Error>>,
}

/// Ends the relay when the fetch is over, by whichever way.
pub(super) struct Stop<'a>(pub(super) &'a Relay<'a>);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
        // Wakes the listener from `accept`; it then sees that it is over.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.0.port()));
    }
}

impl<'a> Relay<'a> {
    /// Listens on a free port of loopback.
    pub(super) fn bind(
        destination: &'a Destination,
        limits: FetchLimits,
        cancelled: &'a AtomicBool,
    ) -> Result<Self, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .map_err(|error| Error::Other(format!("No port on loopback could be opened: {error}.")))?;
        Ok(Self {
            listener,
            destination,
            limits,
            cancelled,
            is_over: AtomicBool::new(false),
            started: Instant::now(),
            trouble: Mutex::new(None),
        })
    }

    /// The port that libgit2 calls.
    pub(super) fn port(&self) -> u16 {
        self.listener.local_addr().map_or(0, |address| address.port())
    }

    /// The first thing that went wrong here; it explains libgit2's own error better than that does.
    pub(super) fn take_trouble(&self) -> Option<Error> {
        self.trouble
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .take()
    }

    /// Serves until [`Stop`] is dropped.
    pub(super) fn run<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        for client in self.listener.incoming() {
            if self.is_over.load(Ordering::Relaxed) {
                break;
            }
            if let Ok(client) = client {
                // A connection that breaks is told by libgit2's error, or was noted as trouble.
                scope.spawn(move || self.serve(&client).unwrap_or_default());
            }
        }
    }

    fn note(&self, trouble: Error) {
        self.trouble
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .get_or_insert(trouble);
    }

    fn serve(&self, client: &TcpStream) -> io::Result<()> {
        let last_traffic = AtomicU64::new(0);
        let line = Line::new(self, client, &last_traffic)?;
        if self.destination.is_encrypted {
            let (head, _) = line.read_head(&mut Vec::new())?;
            if !is_connect_to(&head, &self.destination.authority) {
                self.note(Error::Refused(self.destination.redirect_sentence()));
                return line.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
            }
        }
        let Some(server) = self.dial() else {
            return line.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
        };
        let server = Line::new(self, &server, &last_traffic)?;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _ = server.pump_into(&line);
                line.close();
                server.close();
            });
            let sent = if self.destination.is_encrypted {
                line.write(b"HTTP/1.1 200 OK\r\n\r\n")
                    .and_then(|()| line.pump_into(&server))
            } else {
                line.send_requests(&server, &self.destination.authority)
            };
            server.close();
            sent
        })
    }

    fn dial(&self) -> Option<TcpStream> {
        let (addresses, limit) = (self.destination.addresses.clone(), self.limits.connect);
        let dialled = wait_for(move || connect(&addresses, limit), || self.is_ended());
        match dialled? {
            Ok(server) => Some(server),
            Err(error) => {
                let authority = &self.destination.authority;
                self.note(Error::Unreachable(format!(
                    "{authority} cannot be reached ({error}). Check the repository's address, and that the server is up."
                )));
                None
            }
        }
    }

    fn is_ended(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || self.is_over.load(Ordering::Relaxed)
    }

    /// Whether to give up; notes why, where it is the server's fault.
    fn must_stop(&self, last_traffic: &AtomicU64) -> bool {
        let authority = &self.destination.authority;
        let silence = self
            .started
            .elapsed()
            .saturating_sub(Duration::from_millis(last_traffic.load(Ordering::Relaxed)));
        if silence > self.limits.idle {
            let seconds = self.limits.idle.as_secs_f32();
            self.note(Error::Unreachable(format!(
                "{authority} has sent nothing for {seconds} s. Try again later."
            )));
            return true;
        }
        if self.started.elapsed() > self.limits.total {
            let minutes = self.limits.total.as_secs_f32() / 60.0;
            self.note(Error::Unreachable(format!(
                "Fetching from {authority} took longer than {minutes} min."
            )));
            return true;
        }
        self.is_ended()
    }
}

/// One side of a relayed connection: a socket whose reads and writes end when the relay must stop.
struct Line<'a> {
    socket: &'a TcpStream,
    relay: &'a Relay<'a>,
    /// Shared by both sides, in milliseconds since the relay began: one side is rightly silent while the other talks.
    last_traffic: &'a AtomicU64,
}

impl<'a> Line<'a> {
    fn new(relay: &'a Relay<'a>, socket: &'a TcpStream, last_traffic: &'a AtomicU64) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(GLANCE))?;
        socket.set_write_timeout(Some(GLANCE))?;
        let line = Self {
            socket,
            relay,
            last_traffic,
        };
        line.mark();
        Ok(line)
    }

    fn mark(&self) {
        let now = u64::try_from(self.relay.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_traffic.store(now, Ordering::Relaxed);
    }

    fn close(&self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// Repeats a read or write until it moves bytes, fails, or must stop.
    fn persist(&self, mut step: impl FnMut(&TcpStream) -> io::Result<usize>) -> io::Result<usize> {
        loop {
            match step(self.socket) {
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if self.relay.must_stop(self.last_traffic) {
                        return Err(ErrorKind::TimedOut.into());
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => {
                    self.mark();
                    return result;
                }
            }
        }
    }

    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.persist(|mut socket| socket.read(buffer))
    }

    fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.persist(|mut socket| socket.write(bytes))? {
                0 => return Err(ErrorKind::WriteZero.into()),
                written => bytes = &bytes[written..],
            }
        }
        Ok(())
    }

    /// Copies until this side ends.
    fn pump_into(&self, other: &Line<'_>) -> io::Result<()> {
        let mut buffer = vec![0; 32 * 1024];
        loop {
            match self.read(&mut buffer)? {
                0 => return Ok(()),
                count => other.write(&buffer[..count])?,
            }
        }
    }

    /// Copies request after request, each with the server's own name as its `Host`.
    fn send_requests(&self, server: &Line<'_>, authority: &str) -> io::Result<()> {
        let mut pending = Vec::new();
        loop {
            let (head, mut body) = self.read_head(&mut pending)?;
            let (head, body_bytes) = rewrite_head(&head, authority)?;
            let mut missing = body_bytes.saturating_sub(body.len());
            pending = body.split_off(body.len().min(body_bytes));
            server.write(&head)?;
            server.write(&body)?;
            let mut buffer = vec![0; 32 * 1024];
            while missing > 0 {
                let wanted = missing.min(buffer.len());
                match self.read(&mut buffer[..wanted])? {
                    0 => return Err(ErrorKind::UnexpectedEof.into()),
                    count => {
                        server.write(&buffer[..count])?;
                        missing -= count;
                    }
                }
            }
        }
    }

    /// Reads up to the empty line: the head with it, and what came after it. `pending` was read before.
    fn read_head(&self, pending: &mut Vec<u8>) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let mut bytes = std::mem::take(pending);
        let mut buffer = [0; 4096];
        loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                let rest = bytes.split_off(end + 4);
                return Ok((bytes, rest));
            }
            if bytes.len() > MAX_HEAD_BYTES {
                return Err(ErrorKind::InvalidData.into());
            }
            match self.read(&mut buffer)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => bytes.extend_from_slice(&buffer[..count]),
            }
        }
    }
}

fn connect(addresses: &[SocketAddr], limit: Duration) -> io::Result<TcpStream> {
    let mut result = Err(ErrorKind::AddrNotAvailable.into());
    for address in addresses {
        result = TcpStream::connect_timeout(address, limit);
        if result.is_ok() {
            break;
        }
    }
    result
}

fn is_connect_to(head: &[u8], authority: &str) -> bool {
    let head = String::from_utf8_lossy(head);
    let mut words = head.split([' ', '\r']);
    words.next() == Some("CONNECT") && words.next().is_some_and(|named| named.eq_ignore_ascii_case(authority))
}

/// The head with another `Host`, and the length of the body that it announces.
fn rewrite_head(head: &[u8], authority: &str) -> io::Result<(Vec<u8>, usize)> {
    let mut rewritten = Vec::with_capacity(head.len() + authority.len());
    let mut body_bytes = 0;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(line);
        let (name, value) = text.split_once(':').unwrap_or((&text, ""));
        match name.to_ascii_lowercase().as_str() {
            "host" => rewritten.extend_from_slice(format!("Host: {authority}\r\n").as_bytes()),
            // libgit2 sends the requests of a fetch whole; only its push is chunked.
            "transfer-encoding" => return Err(ErrorKind::Unsupported.into()),
            "content-length" => {
                body_bytes = value
                    .trim()
                    .parse()
                    .map_err(|_| io::Error::from(ErrorKind::InvalidData))?;
                rewritten.extend_from_slice(line);
            }
            _ => rewritten.extend_from_slice(line),
        }
    }
    Ok((rewritten, body_bytes))
}
