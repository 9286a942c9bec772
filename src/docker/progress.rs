//! BuildKit's progress reports as lines of a log.
//!
//! BuildKit reports steps (it calls them vertexes) that run side by side, and their output in pieces that may end
//! anywhere. Out come whole lines: a step's name when it begins, its output, its duration when it ends.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bollard::moby::buildkit::v1::{StatusResponse, Vertex, VertexLog};

/// Output without an end of line is shown after this time: progress bars must be seen to move.
const PATIENCE: Duration = Duration::from_secs(1);
/// Longer lines are cut, in bytes.
const LONGEST_LINE: usize = 64 * 1024;
/// Steps that end sooner do so without a line.
const WORTH_TELLING_MILLISECONDS: i64 = 100;
/// How BuildKit says that it left output out.
const CLIP_MARK: &str = "[output clipped, log limit";
/// How BuildKit takes in a sent context; the log has a plainer line for it.
const HIDDEN_STEPS: [&str; 2] = ["[internal] load remote build context", "copy /context /"];

/// The state between two reports.
#[derive(Debug, Default)]
pub(super) struct Progress {
    steps: HashMap<String, Step>,
    /// Digest of the step whose name or output was the last line.
    current: Option<String>,
    lines: Vec<String>,
}

#[derive(Debug, Default)]
struct Step {
    name: String,
    is_announced: bool,
    is_ended: bool,
    pending: Vec<u8>,
    pending_since: Option<Instant>,
    /// Whether the line's beginning has been shown already.
    is_split: bool,
    cut_bytes: usize,
}

impl Progress {
    /// Takes in a report.
    pub(super) fn report(&mut self, status: StatusResponse, now: Instant) {
        for vertex in &status.vertexes {
            self.begin(vertex);
        }
        for log in status.logs {
            self.output(&log, now);
        }
        for vertex in &status.vertexes {
            self.end(vertex);
        }
    }

    /// Shows output that has waited too long for its end of line.
    pub(super) fn tick(&mut self, now: Instant) {
        let is_due = |step: &Step| {
            step.pending_since
                .is_some_and(|since| now.duration_since(since) >= PATIENCE)
        };
        let due: Vec<String> = self
            .steps
            .iter()
            .filter(|(_, step)| is_due(step))
            .map(|(digest, _)| digest.clone())
            .collect();
        for digest in due {
            self.flush(&digest);
        }
    }

    /// Shows all that is still held back; the build is over.
    pub(super) fn finish(&mut self) {
        let digests: Vec<String> = self.steps.keys().cloned().collect();
        for digest in digests {
            self.flush(&digest);
        }
    }

    /// Adds a line of our own.
    pub(super) fn note(&mut self, line: Option<String>) {
        self.lines.extend(line);
    }

    /// The lines made since the last call.
    pub(super) fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    fn begin(&mut self, vertex: &Vertex) {
        let step = self.steps.entry(vertex.digest.clone()).or_default();
        step.name.clone_from(&vertex.name);
        if vertex.started.is_none() || step.is_announced || HIDDEN_STEPS.contains(&vertex.name.as_str()) {
            return;
        }
        step.is_announced = true;
        let suffix = if vertex.cached { " (cached)" } else { "" };
        self.lines.push(format!("{}{suffix}", one_line(&vertex.name)));
        self.current = Some(vertex.digest.clone());
    }

    fn end(&mut self, vertex: &Vertex) {
        let (Some(started), Some(completed)) = (&vertex.started, &vertex.completed) else {
            return;
        };
        self.flush(&vertex.digest);
        let Some(step) = self.steps.get_mut(&vertex.digest) else {
            return;
        };
        if step.is_ended || !step.is_announced || vertex.cached {
            return;
        }
        step.is_ended = true;
        let label = short_label(&step.name);
        let nanos = i64::from(completed.nanos) - i64::from(started.nanos);
        let milliseconds = (completed.seconds - started.seconds) * 1000 + nanos / 1_000_000;
        self.current = None;
        let (seconds, tenths) = (milliseconds / 1000, milliseconds % 1000 / 100);
        if milliseconds < WORTH_TELLING_MILLISECONDS && vertex.error.is_empty() {
            return;
        }
        let outcome = if vertex.error.is_empty() {
            "done in"
        } else {
            "failed after"
        };
        self.lines.push(format!("{label}: {outcome} {seconds}.{tenths} s"));
    }

    fn output(&mut self, log: &VertexLog, now: Instant) {
        let mut rest = log.msg.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.hold(&log.vertex, &rest[..end], now);
            self.end_line(&log.vertex);
            rest = &rest[end + 1..];
        }
        if !rest.is_empty() {
            self.hold(&log.vertex, rest, now);
        }
    }

    fn hold(&mut self, digest: &str, piece: &[u8], now: Instant) {
        let step = self.steps.entry(digest.to_owned()).or_default();
        let kept = piece.len().min(LONGEST_LINE.saturating_sub(step.pending.len()));
        step.pending.extend_from_slice(&piece[..kept]);
        step.cut_bytes += piece.len() - kept;
        step.pending_since.get_or_insert(now);
    }

    fn end_line(&mut self, digest: &str) {
        let Some(step) = self.steps.get_mut(digest) else { return };
        let was_split = std::mem::take(&mut step.is_split);
        if was_split && step.pending.is_empty() {
            step.pending_since = None;
        } else {
            self.show(digest);
        }
    }

    /// Shows what there is of a line.
    fn flush(&mut self, digest: &str) {
        let Some(step) = self.steps.get_mut(digest) else { return };
        if !step.pending.is_empty() {
            step.is_split = true;
            self.show(digest);
        }
    }

    fn show(&mut self, digest: &str) {
        let Some(step) = self.steps.get_mut(digest) else { return };
        let mut line = last_state(&String::from_utf8_lossy(&std::mem::take(&mut step.pending))).to_owned();
        let cut_bytes = std::mem::take(&mut step.cut_bytes);
        if cut_bytes > 0 {
            line.push_str(&format!(" … ({cut_bytes} bytes of this line left out)"));
        }
        step.pending_since = None;
        if self.current.as_deref() != Some(digest) {
            self.lines.push(format!("{} (continued)", one_line(&step.name)));
            self.current = Some(digest.to_owned());
        }
        let is_clipped = line.contains(CLIP_MARK);
        self.lines.push(line);
        if is_clipped {
            self.lines.push(
                "Note: this step printed more than Docker's BuildKit passes on, so the rest of its output is missing here; \
                 the build itself goes on"
                    .to_owned(),
            );
        }
    }
}

/// What a terminal would show of a line that redraws itself by carriage returns.
fn last_state(line: &str) -> &str {
    let line = line.trim_end_matches('\r');
    line.rsplit('\r').next().unwrap_or(line)
}

/// A heredoc's step carries its whole text in its name.
fn one_line(name: &str) -> String {
    let mut lines = name.lines();
    let first = lines.next().unwrap_or_default();
    if lines.next().is_some() {
        format!("{first} …")
    } else {
        first.to_owned()
    }
}

/// `[2/3]` of `[2/3] RUN make`; names without brackets stay whole.
fn short_label(name: &str) -> String {
    match name.split_once("] ") {
        Some((label, _)) if label.starts_with('[') && label != "[internal" => format!("{label}]"),
        _ => one_line(name),
    }
}

#[cfg(test)]
mod tests;
