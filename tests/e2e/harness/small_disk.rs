//! A disk of its own for a data directory, small enough to be filled.

use std::fs::{File, remove_file};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::process::succeed;

/// A memory file system mounted on a directory; unmounted when it goes out of scope.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one of so many MiB.
    pub fn mount(directory: &Path, mib: u32) -> Self {
        let size = format!("size={mib}m");
        succeed(
            Command::new("mount")
                .args(["-t", "tmpfs", "-o", &size, "dhow-e2e"])
                .arg(directory),
        );
        Self(directory.to_owned())
    }

    /// Leaves no room for another byte: what the database had set aside is given back before. Where Dhow reads or writes in
    /// the same moment, some of it is not; then once more.
    pub fn fill(&self) {
        for _ in 0..100 {
            if self.empty_log() {
                self.write_ballast();
                if std::fs::metadata(self.0.join("dhow.db-wal")).is_ok_and(|log| log.len() == 0) {
                    return;
                }
                self.free();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the database's log was never empty");
    }

    /// Whether the database's log could be moved into the database and cut off.
    fn empty_log(&self) -> bool {
        let database = rusqlite::Connection::open(self.0.join("dhow.db")).unwrap();
        let is_busy = database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
        !is_busy.unwrap()
    }

    fn write_ballast(&self) {
        let mut file = File::create(self.ballast()).unwrap();
        for size in [1 << 20, 4096, 1] {
            let bytes = vec![0; size];
            let error = loop {
                if let Err(error) = file.write_all(&bytes) {
                    break error;
                }
            };
            assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
        }
    }

    /// Makes room again.
    pub fn free(&self) {
        remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, since a process that was just killed may hold a file for a moment.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
