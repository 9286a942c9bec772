//! A socket whose reads and writes end when nobody waits for them any more.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a blocked read or write sleeps before it looks whether to stop.
const GLANCE: Duration = Duration::from_millis(100);

/// The error of whoever works on after the end of the fetch; the server is not at fault.
pub(super) const ENDED: ErrorKind = ErrorKind::ConnectionAborted;

/// Whether the fetch still goes on.
pub(super) struct Watch<'a> {
    cancelled: &'a AtomicBool,
    is_over: AtomicBool,
    started: Instant,
    limit: Duration,
}

impl<'a> Watch<'a> {
    pub(super) fn new(cancelled: &'a AtomicBool, limit: Duration) -> Self {
        Self {
            cancelled,
            is_over: AtomicBool::new(false),
            started: Instant::now(),
            limit,
        }
    }

    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_ended(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || self.is_over.load(Ordering::Relaxed)
    }
}

/// A socket under watch.
pub(super) struct Patient<'a> {
    socket: TcpStream,
    watch: &'a Watch<'a>,
    /// How long one read or write may take; `None` for libgit2, which may be busy with what it got.
    idle: Option<Duration>,
}

impl<'a> Patient<'a> {
    pub(super) fn new(socket: TcpStream, watch: &'a Watch<'a>, idle: Option<Duration>) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(GLANCE))?;
        socket.set_write_timeout(Some(GLANCE))?;
        Ok(Self { socket, watch, idle })
    }

    /// Repeats a read or write until it moves bytes, fails, or must stop.
    fn persist(&mut self, mut step: impl FnMut(&mut TcpStream) -> io::Result<usize>) -> io::Result<usize> {
        let began = Instant::now();
        loop {
            self.check_patience(began)?;
            match step(&mut self.socket) {
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn check_patience(&self, began: Instant) -> io::Result<()> {
        if self.watch.is_ended() {
            return Err(ENDED.into());
        }
        if let Some(idle) = self.idle.filter(|idle| began.elapsed() > *idle) {
            let silence = format!("it has sent nothing for {} s", idle.as_secs_f32());
            return Err(io::Error::new(ErrorKind::TimedOut, silence));
        }
        if self.watch.started.elapsed() > self.watch.limit {
            let slowness = format!("fetching took more than {} s", self.watch.limit.as_secs_f32());
            return Err(io::Error::new(ErrorKind::TimedOut, slowness));
        }
        Ok(())
    }
}

impl Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.persist(|socket| socket.read(buffer))
    }
}

impl Write for Patient<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.persist(|socket| socket.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
