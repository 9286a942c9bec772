//! The door to servers behind SSH: a listener on loopback that speaks Git's own protocol (`git://`) with libgit2.
//!
//! It asks the server for `git-upload-pack` over SSH and carries bytes both ways. Only who knows the random path that
//! libgit2 was given is served, so that no other program on this machine is let in with the app's key. The server's
//! address and host key are checked before anything is said; the key is tried once, nothing else is offered.

mod session;

use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, PoisonError};

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::Error;
use super::destination::until_cancelled;
use super::door::Door;
use super::error::single_line;
use super::relay::new_secret;

/// A server may remark this much beside the conversation; the rest is dropped.
const MAX_REMARK_BYTES: usize = 4096;
const MAX_REMARK_LINES: usize = 20;
const REMARK_CHARS: usize = 200;

/// A listener that leads to one repository.
pub(super) struct SshRelay<'a> {
    listener: TcpListener,
    /// What libgit2 names as the repository.
    secret: String,
    door: &'a Door<'a>,
    end: CancellationToken,
    trouble: Mutex<Option<Error>>,
    remarks: Mutex<Vec<u8>>,
}

/// Ends the relay when the conversation is over, by whichever way.
pub(super) struct Stop<'a>(pub(super) &'a SshRelay<'a>);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.end.cancel();
    }
}

impl<'a> SshRelay<'a> {
    /// Listens on a free port of loopback.
    pub(super) fn bind(door: &'a Door<'a>) -> Result<Self, Error> {
        let no_port = |error| Error::Other(format!("No port on loopback could be opened: {error}."));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(no_port)?;
        listener.set_nonblocking(true).map_err(no_port)?;
        Ok(Self {
            listener,
            secret: new_secret()?,
            door,
            end: CancellationToken::new(),
            trouble: Mutex::default(),
            remarks: Mutex::default(),
        })
    }

    /// What libgit2 calls.
    pub(super) fn address(&self) -> Result<String, Error> {
        Ok(format!("git://{}/{}", self.listener.local_addr()?, self.secret))
    }

    /// The first thing that went wrong here; it explains libgit2's own error better than that does.
    pub(super) fn take_trouble(&self) -> Option<Error> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What the server said beside the conversation, line by line.
    pub(super) fn remarks(&self) -> Vec<String> {
        let remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = remarks.split(|byte| matches!(byte, b'\n' | b'\r'));
        let lines = lines.map(|line| single_line(line, REMARK_CHARS));
        lines.filter(|line| !line.is_empty()).take(MAX_REMARK_LINES).collect()
    }

    /// Serves until [`Stop`] is dropped, the conversation is cancelled, or its time is over.
    pub(super) fn run(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        match runtime {
            Ok(runtime) => runtime.block_on(async {
                tokio::select! {
                    () = self.ended() => {}
                    result = self.serve() => {
                        if let Err(error) = result {
                            self.note(error.into());
                        }
                    }
                }
            }),
            Err(error) => self.note(error.into()),
        }
    }

    async fn ended(&self) {
        let total = self.door.access.limits.total;
        tokio::select! {
            () = self.end.cancelled() => {}
            () = until_cancelled(self.door.cancelled) => {}
            () = tokio::time::sleep(total) => {
                let seconds = total.as_secs_f32();
                self.note(self.unreachable(&format!("fetching took more than {seconds} s")));
            }
        }
    }

    /// Connections are served beside each other, so that one that says nothing holds up no other.
    async fn serve(&self) -> std::io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener.try_clone()?)?;
        let mut running = FuturesUnordered::new();
        loop {
            tokio::select! {
                client = listener.accept() => running.push(self.carry(client?.0)),
                Some(result) = running.next() => if let Err(error) = result {
                    self.note(error);
                },
            }
        }
    }

    async fn carry(&self, mut client: TcpStream) -> Result<(), Error> {
        client.set_nodelay(true)?;
        // Who does not know the secret, or hangs up before it is said, is nobody.
        match self.read_greeting(&mut client).await {
            Ok(true) => session::converse(self, client).await,
            _ => Ok(()),
        }
    }

    /// Reads the first line (gitprotocol-pack(5)), `git-upload-pack /SECRET` and the host after a zero byte.
    async fn read_greeting(&self, client: &mut TcpStream) -> std::io::Result<bool> {
        let mut length = [0; 4];
        client.read_exact(&mut length).await?;
        let length = std::str::from_utf8(&length)
            .ok()
            .and_then(|digits| usize::from_str_radix(digits, 16).ok())
            .and_then(|length| length.checked_sub(4))
            .filter(|length| *length <= 1024)
            .ok_or(std::io::ErrorKind::InvalidData)?;
        let mut line = vec![0; length];
        client.read_exact(&mut line).await?;
        let command = line.split(|byte| *byte == 0).next().unwrap_or_default();
        let expected = format!("git-upload-pack /{}", self.secret);
        Ok(subtle::ConstantTimeEq::ct_eq(command, expected.as_bytes()).into())
    }

    fn note(&self, trouble: Error) {
        let mut noted = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        noted.get_or_insert(trouble);
    }

    fn hear(&self, bytes: &[u8]) {
        let mut remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MAX_REMARK_BYTES.saturating_sub(remarks.len());
        remarks.extend(&bytes[..bytes.len().min(room)]);
    }

    fn unreachable(&self, reason: &str) -> Error {
        let authority = &self.door.destination.authority;
        Error::Unreachable(format!(
            "{authority} cannot be reached by SSH: {reason}. Check the address, or try again later."
        ))
    }
}
