//! The bytes that the files of a commit may have together: those of the repository, its submodules and Git LFS.

use std::cell::Cell;

use super::Error;

/// How much of the disk the files of a commit may still take.
#[derive(Debug)]
pub struct Room {
    whole: u64,
    left: Cell<u64>,
}

impl Room {
    /// So many bytes for all of them.
    pub fn new(bytes: u64) -> Self {
        Self {
            whole: bytes,
            left: Cell::new(bytes),
        }
    }

    /// Takes bytes, before they are written; `what` begins the sentence if they are too many.
    pub(super) fn take(&self, bytes: u64, what: impl FnOnce() -> String) -> Result<(), Error> {
        let left = self.left.get();
        self.left.set(left.checked_sub(bytes).ok_or_else(|| {
            Error::NoRoom(format!(
                "{} {}, and there is room for {} more on the server's disk (for all files of the commit: {}). Take \
                 large files out of the branch, or free some space, then deploy again.",
                what(),
                in_words(bytes),
                in_words(left),
                in_words(self.whole)
            ))
        })?);
        Ok(())
    }
}

fn in_words(bytes: u64) -> String {
    match bytes {
        0..0x10_0000 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{} MiB", bytes >> 20),
    }
}
