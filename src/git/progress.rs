//! What a fetch says while it runs: its own counts once a second, and the server's remarks, made harmless.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use git2::{Progress, RemoteCallbacks};

use super::error::single_line;

const INTERVAL: Duration = Duration::from_secs(1);
/// A server may say this much; the rest is dropped.
const MAX_REMARKS: usize = 50;
const MAX_REMARK_BYTES: usize = 1024;
const REMARK_CHARS: usize = 200;

/// Shows the progress of a fetch, and ends the fetch when it is cancelled.
pub(super) struct Reporter<'a> {
    state: RefCell<State<'a>>,
    cancelled: &'a AtomicBool,
}

struct State<'a> {
    show: &'a mut dyn FnMut(&str),
    shown_at: Instant,
    /// A remark whose end has not come yet.
    remark: Vec<u8>,
    remarks: usize,
}

impl<'a> Reporter<'a> {
    pub(super) fn new(show: &'a mut dyn FnMut(&str), cancelled: &'a AtomicBool) -> Self {
        let state = State {
            show,
            shown_at: Instant::now(),
            remark: Vec::new(),
            remarks: 0,
        };
        Self {
            state: RefCell::new(state),
            cancelled,
        }
    }

    /// Shows a line of Dhow's own.
    pub(super) fn say(&self, line: &str) {
        (self.state.borrow_mut().show)(line);
    }

    /// Whether the fetch was asked to stop.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// What libgit2 calls while it works.
    pub(super) fn callbacks(&self) -> RemoteCallbacks<'_> {
        let mut callbacks = RemoteCallbacks::new();
        callbacks.transfer_progress(|progress| {
            self.state.borrow_mut().count(&progress);
            !self.is_cancelled()
        });
        callbacks.sideband_progress(|bytes| {
            self.state.borrow_mut().hear(bytes);
            !self.is_cancelled()
        });
        callbacks
    }
}

impl State<'_> {
    fn count(&mut self, progress: &Progress<'_>) {
        if self.shown_at.elapsed() < INTERVAL {
            return;
        }
        self.shown_at = Instant::now();
        let (received, total) = (progress.received_objects(), progress.total_objects());
        let mebibytes = progress.received_bytes() as f64 / f64::from(1 << 20);
        let line = if received < total {
            format!("Received {received} of {total} objects, {mebibytes:.1} MiB")
        } else {
            format!(
                "Unpacked {} of {} changes",
                progress.indexed_deltas(),
                progress.total_deltas()
            )
        };
        (self.show)(&line);
    }

    /// A carriage return takes the line back, as on a terminal; only lines that end are shown.
    fn hear(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' => self.show_remark(),
                b'\r' => self.remark.clear(),
                _ if self.remark.len() < MAX_REMARK_BYTES => self.remark.push(*byte),
                _ => {}
            }
        }
    }

    fn show_remark(&mut self) {
        let remark = single_line(&self.remark, REMARK_CHARS);
        self.remark.clear();
        if !remark.is_empty() && self.remarks < MAX_REMARKS {
            self.remarks += 1;
            (self.show)(&format!("remote: {remark}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_whole_remarks_without_control_characters() {
        let mut shown = Vec::new();
        let cancelled = AtomicBool::new(false);
        let mut show = |line: &str| shown.push(line.to_owned());
        let reporter = Reporter::new(&mut show, &cancelled);
        for part in [
            "Counting:  10%\rCounting: 100%",
            ", done.\n\n",
            "\u{1b}[31mred\u{7}\n",
            "unfinished",
        ] {
            reporter.state.borrow_mut().hear(part.as_bytes());
        }
        reporter.state.borrow_mut().hear("x\n".repeat(100).as_bytes());
        drop(reporter);
        assert_eq!(
            shown[..3],
            [
                "remote: Counting: 100%, done.",
                "remote: [31mred",
                "remote: unfinishedx"
            ]
        );
        assert_eq!(shown.len(), MAX_REMARKS);
    }
}
