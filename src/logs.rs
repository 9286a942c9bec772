//! Deployment logs: one append-only file each, read by byte offset.
//!
//! Written by one writer, which redacts known secrets. A file holds valid UTF-8 only, so that any part cut at a
//! character's boundary can be shown. What was written never changes; a reader needs an offset and nothing else.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::model::ids::DeploymentId;

/// A part of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The text.
    pub text: String,
    /// Offset in bytes of what follows it.
    pub end: u64,
}

/// The directory of logs.
#[derive(Debug, Clone)]
pub struct Logs {
    dir: PathBuf,
}

impl Logs {
    /// Longest part that is read at once, in bytes.
    pub const CHUNK_BYTES: usize = 64 * 1024;

    /// Uses a directory, making it (0700) when missing.
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// Where a deployment's log is.
    pub fn path(&self, id: DeploymentId) -> PathBuf {
        self.dir.join(format!("{id}.log"))
    }

    /// Appends to a deployment's log from now on; `announce` is called after each write.
    pub fn writer(&self, id: DeploymentId, announce: Box<dyn Fn() + Send>) -> io::Result<LogWriter> {
        let file = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(self.path(id))?;
        Ok(LogWriter {
            file,
            announce,
            redact: Box::new(str::to_owned),
        })
    }

    /// Length in bytes; a log that does not exist yet is empty.
    pub fn length(&self, id: DeploymentId) -> io::Result<u64> {
        match fs::metadata(self.path(id)) {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Reads from an offset, [`Logs::CHUNK_BYTES`] at most, whole lines where possible; `None` at the end.
    pub fn read(&self, id: DeploymentId, offset: u64) -> io::Result<Option<Chunk>> {
        let mut bytes = self.read_bytes(id, offset, Self::CHUNK_BYTES)?;
        if bytes.len() == Self::CHUNK_BYTES {
            // More follows: end at a line, or at least at a character.
            let cut = bytes
                .iter()
                .rposition(|b| *b == b'\n')
                .map_or_else(|| last_boundary(&bytes), |at| at + 1);
            bytes.truncate(cut);
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        let end = offset + bytes.len() as u64;
        Ok(Some(Chunk {
            text: String::from_utf8_lossy(&bytes).into_owned(),
            end,
        }))
    }

    /// The offset at which the last `bytes` of a log begin, moved forward to a line's start.
    pub fn tail_offset(&self, id: DeploymentId, bytes: u64) -> io::Result<u64> {
        let length = self.length(id)?;
        if length <= bytes {
            return Ok(0);
        }
        let start = length - bytes;
        let head = self.read_bytes(id, start, Self::CHUNK_BYTES)?;
        Ok(head
            .iter()
            .position(|b| *b == b'\n')
            .map_or(start, |at| start + at as u64 + 1))
    }

    /// Removes a log; one that is gone already is no error.
    pub fn remove(&self, id: DeploymentId) -> io::Result<()> {
        match fs::remove_file(self.path(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn read_bytes(&self, id: DeploymentId, offset: u64, limit: usize) -> io::Result<Vec<u8>> {
        let mut file = match File::open(self.path(id)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(limit as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// Where the last whole character ends.
fn last_boundary(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

/// Appends to one log.
pub struct LogWriter {
    file: File,
    announce: Box<dyn Fn() + Send>,
    redact: Box<dyn Fn(&str) -> String + Send>,
}

impl LogWriter {
    /// Applies `redact` too to everything written from now on.
    pub fn redact_with(&mut self, redact: impl Fn(&str) -> String + Send + 'static) {
        let before = std::mem::replace(&mut self.redact, Box::new(str::to_owned));
        self.redact = Box::new(move |text| redact(&before(text)));
    }

    /// The text as it would be written.
    pub fn redacted(&self, text: &str) -> String {
        (self.redact)(text)
    }

    /// Writes one line.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.text(&format!("{text}\n"))
    }

    /// Writes text as it is; it need not end a line.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.file.write_all(self.redacted(text).as_bytes())?;
        (self.announce)();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn logs() -> (tempfile::TempDir, Logs) {
        let dir = tempfile::tempdir().unwrap();
        let logs = Logs::open(&dir.path().join("logs")).unwrap();
        (dir, logs)
    }

    #[test]
    fn reading_by_offset_loses_and_repeats_nothing() {
        let (_dir, logs) = logs();
        let id = DeploymentId(1);
        let announced = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&announced);
        let mut writer = logs
            .writer(
                id,
                Box::new(move || {
                    count.fetch_add(1, Ordering::Relaxed);
                }),
            )
            .unwrap();
        let mut expected = String::new();
        for number in 0..20_000 {
            let line = format!("line {number} äöü");
            writer.line(&line).unwrap();
            expected.push_str(&line);
            expected.push('\n');
        }
        assert_eq!(announced.load(Ordering::Relaxed), 20_000);
        let (mut offset, mut read) = (0, String::new());
        while let Some(chunk) = logs.read(id, offset).unwrap() {
            read.push_str(&chunk.text);
            offset = chunk.end;
        }
        assert_eq!(read, expected);
        assert_eq!(offset, logs.length(id).unwrap());
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let (_dir, logs) = logs();
        let long = format!("x{}", "é".repeat(Logs::CHUNK_BYTES));
        logs.writer(DeploymentId(2), Box::new(|| ()))
            .unwrap()
            .line(&long)
            .unwrap();
        let first = logs.read(DeploymentId(2), 0).unwrap().unwrap();
        assert!(!first.text.contains('\u{fffd}') && first.text.ends_with('é'));
    }

    #[test]
    fn what_was_hidden_once_stays_hidden() {
        let (_dir, logs) = logs();
        let mut writer = logs.writer(DeploymentId(5), Box::new(|| ())).unwrap();
        writer.redact_with(|text| text.replace("first", "***"));
        writer.redact_with(|text| text.replace("second", "***"));
        writer.line("first second third").unwrap();
        assert_eq!(logs.read(DeploymentId(5), 0).unwrap().unwrap().text, "*** *** third\n");
        assert_eq!(writer.redacted("second"), "***");
    }

    #[test]
    fn a_missing_log_is_empty() {
        let (_dir, logs) = logs();
        assert_eq!(logs.read(DeploymentId(3), 0).unwrap(), None);
        assert_eq!(logs.length(DeploymentId(3)).unwrap(), 0);
        logs.remove(DeploymentId(3)).unwrap();
    }

    #[test]
    fn the_tail_begins_at_a_line() {
        let (_dir, logs) = logs();
        logs.writer(DeploymentId(4), Box::new(|| ()))
            .unwrap()
            .text("one\ntwo\nthree\n")
            .unwrap();
        let offset = logs.tail_offset(DeploymentId(4), 8).unwrap();
        assert_eq!(logs.read(DeploymentId(4), offset).unwrap().unwrap().text, "three\n");
    }
}
