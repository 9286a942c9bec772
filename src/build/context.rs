//! The build context: a directory as a tar that obeys Docker's ignore rules.
//!
//! Links are sent as links and never followed; one that leads out of the context ends the build, since what it leads
//! to is missing in the image. Files that Dhow wrote stand in for the context's own of the same name. Owners are left out (all is root's in the tar), modes and times stay:
//! servers make ETags of times, and BuildKit's cache does not look at them.

mod links;
mod walk;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::detect::GeneratedFile;
use super::ignore::IgnoreRules;
use super::{BuildPlan, DockerfileSource};
use crate::model::text::shown_path;
use walk::Walk;

/// Name in the tar of a Dockerfile that is generated, is ignored or lies outside of the context.
const RESERVED_NAME: &str = ".dhow.Dockerfile";
/// BuildKit has no other way to be given it than in the context, so a `COPY .` takes it along; no web server that serves
/// the copy shall be able to read it.
const RESERVED_MODE: u32 = 0o600;
/// Of one that Dhow wrote, whose last stage may `COPY --chown` it to the server's user. The builder reads it as root.
const GENERATED_MODE: u32 = 0o000;
/// An ignore file beyond it is none that somebody wrote.
const MAX_RULES_BYTES: u64 = 256 * 1024;
/// Bytes in one piece of the stream, and pieces that may wait: what a context costs in memory.
const PIECE_BYTES: usize = 64 * 1024;
const PIECES_AHEAD: usize = 4;

/// A build context that is ready to be streamed.
#[derive(Debug)]
pub struct Context {
    directory: PathBuf,
    rules: IgnoreRules,
    dockerfile: String,
    /// What is sent under [`RESERVED_NAME`], if that is the Dockerfile's name.
    reserved: Option<DockerfileSource>,
    files: Vec<GeneratedFile>,
}

impl Context {
    /// Reads the plan's ignore file; a malformed one is an error of kind `InvalidData` that names the line.
    pub fn open(plan: &BuildPlan) -> io::Result<Context> {
        let rules = match (&plan.ignore_path, &plan.dockerfile) {
            (Some(path), _) => read_rules(path)?,
            (None, DockerfileSource::Generated(_)) => IgnoreRules::of_generated_builds(),
            (None, DockerfileSource::Checkout(_)) => IgnoreRules::default(),
        };
        let sent_name = sent_name(plan, &rules);
        Ok(Context {
            directory: plan.context_dir.clone(),
            rules,
            reserved: sent_name.is_none().then(|| plan.dockerfile.clone()),
            dockerfile: sent_name.unwrap_or_else(|| RESERVED_NAME.to_owned()),
            files: plan.files.clone(),
        })
    }

    /// Path of the Dockerfile inside the tar: its own where it is part of the context, else a reserved name.
    pub fn dockerfile(&self) -> &str {
        &self.dockerfile
    }

    /// The tar, written by a blocking thread as fast as it is read; memory does not grow with the context. Must be
    /// called within a Tokio runtime.
    pub fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
        tokio::task::spawn_blocking(move || {
            let mut pieces = Pieces {
                sender,
                buffer: BytesMut::with_capacity(PIECE_BYTES),
            };
            if let Err(error) = self.write(&mut pieces).and_then(|()| pieces.flush()) {
                // A reader that is gone does not want to know.
                let _ = pieces.sender.blocking_send(Err(error));
            }
        });
        ReceiverStream::new(receiver)
    }

    fn write(&self, output: &mut Pieces) -> io::Result<()> {
        let mut walk = Walk::new(&self.directory, &self.rules, output);
        // First, because BuildKit recognises a tar by its first KiB, which a long name would fill.
        walk.send_root()?;
        for file in &self.files {
            walk.send_generated(&file.path, &file.text)?;
        }
        let name = Path::new(RESERVED_NAME);
        match &self.reserved {
            Some(DockerfileSource::Generated(text)) => walk.send_text(name, text, GENERATED_MODE)?,
            Some(DockerfileSource::Checkout(path)) => walk.send_other(name, path, RESERVED_MODE)?,
            None => {}
        }
        walk.finish()
    }
}

/// The write end: collects bytes into pieces and hands them to the stream.
struct Pieces {
    sender: mpsc::Sender<io::Result<Bytes>>,
    buffer: BytesMut,
}

impl Write for Pieces {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let taken = data.len().min(PIECE_BYTES - self.buffer.len());
        self.buffer.extend_from_slice(&data[..taken]);
        if self.buffer.len() == PIECE_BYTES {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.buffer, BytesMut::with_capacity(PIECE_BYTES)).freeze();
        self.sender
            .blocking_send(Ok(piece))
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

fn read_rules(path: &Path) -> io::Result<IgnoreRules> {
    let name = Path::new(path.file_name().unwrap_or_default());
    let malformed = |why: String| io::Error::new(io::ErrorKind::InvalidData, format!("{} {why}", shown_path(name)));
    if fs::metadata(path).map_err(|error| at(name, &error))?.len() > MAX_RULES_BYTES {
        return Err(malformed(format!("is larger than {} KiB", MAX_RULES_BYTES >> 10)));
    }
    let text = fs::read(path).map_err(|error| at(name, &error))?;
    IgnoreRules::parse(&String::from_utf8_lossy(&text)).map_err(malformed)
}

/// The Dockerfile's own path in the context, if it is sent under it.
fn sent_name(plan: &BuildPlan, rules: &IgnoreRules) -> Option<String> {
    let DockerfileSource::Checkout(path) = &plan.dockerfile else {
        return None;
    };
    let path = path.strip_prefix(&plan.context_dir).ok()?.to_str()?;
    let mut matches = rules.root();
    let mut is_ignored = false;
    for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
        (is_ignored, matches) = rules.check(&path[..end], &matches);
    }
    (!is_ignored).then(|| path.to_owned())
}

/// The same error with the path, as the repository knows it, in its text.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", shown_path(path)))
}

#[cfg(test)]
mod tests;
