//! The build context: a directory as a tar that obeys Docker's ignore rules.
//!
//! Links are sent as links and never followed. Owners are left out (all is root's in the tar), modes and times stay:
//! servers make ETags of times, and BuildKit's cache does not look at them.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use tar::{Builder, EntryType, Header};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::detect::GeneratedFile;
use super::ignore::IgnoreRules;
use super::{BuildPlan, DockerfileSource};
use crate::model::text::shown_path;

/// Name in the tar of a Dockerfile that is ignored or lies outside of the context.
const RESERVED_NAME: &str = ".dhow.Dockerfile";
/// BuildKit has no other way to be given it than in the context, so a `COPY .` takes it along; no web server that serves
/// the copy shall be able to read it.
const RESERVED_MODE: u32 = 0o600;
/// Of other files that Dhow wrote: programs of any user in the image read them.
const WRITTEN_MODE: u32 = 0o644;
/// The walk calls itself once a level; checkouts of Dhow have fewer.
const MAX_DEPTH: usize = 256;
/// Bytes in one piece of the stream, and pieces that may wait: what a context costs in memory.
const PIECE_BYTES: usize = 64 * 1024;
const PIECES_AHEAD: usize = 4;

/// A build context that is ready to be streamed.
#[derive(Debug)]
pub struct Context {
    directory: PathBuf,
    rules: IgnoreRules,
    source: DockerfileSource,
    dockerfile: String,
    files: Vec<GeneratedFile>,
}

impl Context {
    /// Reads the plan's ignore file; a malformed one is an error of kind `InvalidData` that names the line.
    pub fn open(plan: &BuildPlan) -> io::Result<Context> {
        let rules = match &plan.ignore_path {
            Some(path) => read_rules(path)?,
            None => IgnoreRules::default(),
        };
        let dockerfile = sent_name(plan, &rules).unwrap_or_else(|| RESERVED_NAME.to_owned());
        Ok(Context {
            directory: plan.context_dir.clone(),
            rules,
            source: plan.dockerfile.clone(),
            dockerfile,
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
        let mut walk = Walk {
            root: &self.directory,
            rules: &self.rules,
            tar: Builder::new(output),
            unsent: Vec::new(),
        };
        // First, because BuildKit recognises a tar by its first KiB, which a long name would fill.
        walk.send_directory(Path::new("./"), 0o755, 0)?;
        walk.directory(Path::new(""), &self.rules.root())?;
        for file in &self.files {
            walk.send_text(Path::new(&file.path), &file.text, WRITTEN_MODE)?;
        }
        let name = Path::new(RESERVED_NAME);
        match &self.source {
            DockerfileSource::Written(text) => walk.send_text(name, text, RESERVED_MODE)?,
            DockerfileSource::File(path) if self.dockerfile == RESERVED_NAME => {
                let metadata = fs::metadata(path).map_err(|error| at(name, &error))?;
                walk.send_file(name, path, &metadata, RESERVED_MODE)?;
            }
            DockerfileSource::File(_) => {}
        }
        walk.tar.into_inner().map(drop)
    }
}

/// One pass through the context.
struct Walk<'a> {
    root: &'a Path,
    rules: &'a IgnoreRules,
    tar: Builder<&'a mut Pieces>,
    /// The directories that the walk is in and that are ignored, outermost first: needed after all once something
    /// below them is brought back.
    unsent: Vec<(PathBuf, Metadata)>,
}

impl Walk<'_> {
    fn directory(&mut self, directory: &Path, inherited: &[bool]) -> io::Result<()> {
        if directory.components().count() > MAX_DEPTH {
            return Err(io::Error::other(format!(
                "the build context holds directories that lie more than {MAX_DEPTH} deep"
            )));
        }
        for name in names_in(&self.root.join(directory)).map_err(|error| at(directory, &error))? {
            let path = directory.join(name);
            let metadata = fs::symlink_metadata(self.root.join(&path)).map_err(|error| at(&path, &error))?;
            let text = path.to_string_lossy();
            let (is_ignored, matches) = self.rules.check(&text, inherited);
            if !metadata.is_dir() {
                if !is_ignored {
                    self.send_unsent()?;
                    self.send_leaf(&path, &metadata)?;
                }
            } else if !is_ignored || self.rules.may_bring_back_below(&text) {
                self.unsent.push((path.clone(), metadata));
                if !is_ignored {
                    self.send_unsent()?;
                }
                self.directory(&path, &matches)?;
                self.unsent.pop_if(|(unsent, _)| *unsent == path);
            }
        }
        Ok(())
    }

    fn send_unsent(&mut self) -> io::Result<()> {
        for (path, metadata) in std::mem::take(&mut self.unsent) {
            self.send_directory(&path, metadata.mode(), metadata.mtime())?;
        }
        Ok(())
    }

    fn send_directory(&mut self, path: &Path, mode: u32, modified: i64) -> io::Result<()> {
        let mut header = header(EntryType::Directory, mode, modified, 0);
        self.tar.append_data(&mut header, path, io::empty())
    }

    /// A file or a link. Pipes, sockets and devices cannot come from a repository and are left out.
    fn send_leaf(&mut self, path: &Path, metadata: &Metadata) -> io::Result<()> {
        let absolute = self.root.join(path);
        if metadata.is_symlink() {
            let target = fs::read_link(absolute).map_err(|error| at(path, &error))?;
            let mut header = header(EntryType::Symlink, 0o777, metadata.mtime(), 0);
            return self.tar.append_link(&mut header, path, target);
        }
        if metadata.is_file() {
            self.send_file(path, &absolute, metadata, metadata.mode())
        } else {
            Ok(())
        }
    }

    /// A file that Dhow wrote. One of that name which was sent before is replaced as the tar is unpacked.
    fn send_text(&mut self, path: &Path, text: &str, mode: u32) -> io::Result<()> {
        let mut header = header(EntryType::Regular, mode, 0, text.len() as u64);
        self.tar.append_data(&mut header, path, text.as_bytes())
    }

    fn send_file(&mut self, path: &Path, absolute: &Path, metadata: &Metadata, mode: u32) -> io::Result<()> {
        let size = metadata.len();
        let mut content = File::open(absolute).map_err(|error| at(path, &error))?.take(size);
        let mut header = header(EntryType::Regular, mode, metadata.mtime(), size);
        self.tar.append_data(&mut header, path, &mut content)?;
        if content.limit() > 0 {
            return Err(io::Error::other(format!(
                "`{}` became shorter while it was read",
                shown_path(path)
            )));
        }
        Ok(())
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
    let text = fs::read(path).map_err(|error| at(name, &error))?;
    let malformed = |why| io::Error::new(io::ErrorKind::InvalidData, format!("{} {why}", shown_path(name)));
    IgnoreRules::parse(&String::from_utf8_lossy(&text)).map_err(malformed)
}

/// The Dockerfile's own path in the context, if it is sent under it.
fn sent_name(plan: &BuildPlan, rules: &IgnoreRules) -> Option<String> {
    let DockerfileSource::File(path) = &plan.dockerfile else {
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

fn names_in(directory: &Path) -> io::Result<Vec<OsString>> {
    let mut names = fs::read_dir(directory)?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable();
    Ok(names)
}

fn header(kind: EntryType, mode: u32, modified: i64, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode & 0o7777);
    header.set_mtime(modified.max(0).unsigned_abs());
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(size);
    header
}

/// The same error with the path, as the repository knows it, in its text.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", shown_path(path)))
}

#[cfg(test)]
mod tests;
