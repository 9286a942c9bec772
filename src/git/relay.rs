//! The one door between libgit2 and the network: a listener on loopback for the time of one fetch.
//!
//! libgit2 speaks plain HTTP to it as if it were the server; it carries each request to the server, over TLS where
//! the address says https. It dials only addresses that were checked, so that neither a redirect nor a second answer
//! of DNS leads elsewhere, and it gives up on a silent server and on cancellation. libgit2's own TLS, proxies and time
//! limits are not used: limits need `unsafe` there, and its `CONNECT` (1.9.7) uses freed memory when a handshake fails.

mod head;
mod patient;
pub(super) mod tls;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;
use std::time::Duration;

use rustls::ClientConfig;

use super::destination::Destination;
use super::{Error, FetchLimits};
use crate::outbound::wait_for;
use head::Answer;
use patient::{Patient, Watch};

/// The list of a repository with half a million branches and tags.
pub(super) const MAX_LIST_BYTES: u64 = 32 << 20;

/// Either a TCP connection, or TLS over one.
trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// A listener that leads to one server.
pub(super) struct Relay<'a> {
    listener: TcpListener,
    /// The first part of every path: other programs of this machine must not be let in with the credential.
    secret: String,
    destination: &'a Destination,
    /// Given to the server with every request; libgit2 never has it.
    authorization: Option<String>,
    limits: FetchLimits,
    watch: Watch<'a>,
    tls: Option<Arc<ClientConfig>>,
    trouble: Mutex<Option<Error>>,
}

/// Ends the relay when the fetch is over, by whichever way.
pub(super) struct Stop<'a>(pub(super) &'a Relay<'a>);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.watch.end();
        // Wakes the listener from `accept`; it then sees that it is over.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.0.port()));
    }
}

impl<'a> Relay<'a> {
    /// Listens on a free port of loopback.
    pub(super) fn bind(
        destination: &'a Destination,
        authorization: Option<String>,
        limits: FetchLimits,
        cancelled: &'a AtomicBool,
    ) -> Result<Self, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .map_err(|error| Error::Other(format!("No port on loopback could be opened: {error}.")))?;
        Ok(Self {
            listener,
            secret: new_secret()?,
            destination,
            authorization,
            limits,
            watch: Watch::new(cancelled, limits.total),
            tls: destination.is_encrypted.then(tls::configure).transpose()?,
            trouble: Mutex::new(None),
        })
    }

    /// What libgit2 calls for a path of the server.
    pub(super) fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{}{path}", self.port(), self.secret)
    }

    fn port(&self) -> u16 {
        self.listener.local_addr().map_or(0, |address| address.port())
    }

    /// The first thing that went wrong here; it explains libgit2's own error better than that does.
    pub(super) fn take_trouble(&self) -> Option<Error> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Serves until [`Stop`] is dropped.
    pub(super) fn run<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        for client in self.listener.incoming() {
            if self.watch.is_ended() {
                break;
            }
            if let Ok(client) = client {
                scope.spawn(move || {
                    // Other ways in which a connection breaks are told by libgit2's error, or were noted.
                    if let Err(error) = self.carry(client)
                        && error.kind() == ErrorKind::TimedOut
                    {
                        self.note_failure(&error);
                    }
                });
            }
        }
    }

    fn note(&self, trouble: Error) {
        let mut noted = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        noted.get_or_insert(trouble);
    }

    /// Carries one request to the server and the answer back; libgit2 connects anew for the next one.
    fn carry(&self, client: TcpStream) -> io::Result<()> {
        let mut client = Patient::new(client, &self.watch, None)?;
        let (request, body) = head::read(&mut client)?;
        // Who does not know the secret, or wants something else than a fetch does, is nobody.
        let Some(request) = head::of_fetch(&request, &self.secret) else {
            return Ok(());
        };
        let (request, body_bytes) =
            head::rewrite_request(&request, &self.destination.authority, self.authorization.as_deref())?;
        let mut body = (&body[..]).chain(&mut client).take(body_bytes);
        let mut server = self.dial().inspect_err(|error| self.note_failure(error))?;
        let (answer, start) = self
            .ask(&mut *server, &request, &mut body)
            .inspect_err(|error| self.note_failure(error))?;
        client.write_all(&answer.head)?;
        send(&mut client, &start, answer.needs_chunks)?;
        // The list of branches is kept in memory, packs on disk.
        let (max_bytes, too_much) = if request.starts_with(b"GET ") {
            (MAX_LIST_BYTES, Error::list_too_long as fn(&str, u64) -> Error)
        } else {
            (self.limits.pack_bytes, Error::pack_too_large as _)
        };
        let passed = self.pass_on(&mut *server, &mut client, answer.needs_chunks, max_bytes);
        if matches!(&passed, Err(error) if error.kind() == ErrorKind::FileTooLarge) {
            self.note(too_much(&self.destination.authority, max_bytes));
        }
        passed
    }

    fn pass_on(
        &self,
        server: &mut dyn Stream,
        client: &mut Patient<'_>,
        in_chunks: bool,
        max_bytes: u64,
    ) -> io::Result<()> {
        let mut passed = 0;
        let mut buffer = vec![0; 32 * 1024];
        while passed <= max_bytes {
            match server.read(&mut buffer) {
                Ok(0) if in_chunks => return client.write_all(b"0\r\n\r\n"),
                Ok(0) => return Ok(()),
                // Many servers end TLS without saying so; whether the body is whole is seen by its own lengths.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => {
                    self.note_failure(&error);
                    return Err(error);
                }
                Ok(count) => {
                    send(client, &buffer[..count], in_chunks)?;
                    passed += count as u64;
                }
            }
        }
        Err(ErrorKind::FileTooLarge.into())
    }

    /// Sends a request; answers the head of the answer, and what came with it of the body.
    fn ask(&self, server: &mut dyn Stream, request: &[u8], body: &mut dyn Read) -> io::Result<(Answer, Vec<u8>)> {
        server.write_all(request)?;
        io::copy(body, server)?;
        server.flush()?;
        let (answer, rest) = head::read(server)?;
        let answer = head::rewrite_answer(&answer, &self.destination.origin, &self.secret).map_err(|elsewhere| {
            self.note(Error::Refused(format!(
                "{} redirects to {elsewhere}, and Dhow does not follow it to another server. Use that address if it is \
                 the right one.",
                self.destination.authority
            )));
            io::Error::from(patient::ENDED)
        })?;
        Ok((answer, rest))
    }

    fn dial(&self) -> io::Result<Box<dyn Stream + '_>> {
        let (addresses, limit) = (self.destination.addresses.clone(), self.limits.connect);
        let dialled = wait_for(move || connect(&addresses, limit), || self.watch.is_ended());
        let socket = dialled.unwrap_or_else(|| Err(patient::ENDED.into()))?;
        let socket = Patient::new(socket, &self.watch, Some(self.limits.idle))?;
        Ok(match &self.tls {
            Some(config) => Box::new(tls::connect(config, &self.destination.host, socket)?),
            None => Box::new(socket),
        })
    }

    fn note_failure(&self, error: &io::Error) {
        let authority = &self.destination.authority;
        if error.kind() == patient::ENDED {
            return;
        }
        self.note(Error::Unreachable(match tls::explain(error) {
            Some(reason) => format!("There is no secure connection to {authority}: {reason}."),
            None => format!("{authority} cannot be reached: {error}. Check the address, or try again later."),
        }));
    }
}

/// Random digits, known to one relay and to who is told its address.
pub(super) fn new_secret() -> Result<String, Error> {
    let mut secret = [0; 16];
    getrandom::fill(&mut secret).map_err(|error| Error::Other(format!("There are no random numbers: {error}.")))?;
    Ok(secret.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn send(client: &mut Patient<'_>, bytes: &[u8], in_chunks: bool) -> io::Result<()> {
    if !in_chunks || bytes.is_empty() {
        return client.write_all(bytes);
    }
    write!(client, "{:x}\r\n", bytes.len())?;
    client.write_all(bytes)?;
    client.write_all(b"\r\n")
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
