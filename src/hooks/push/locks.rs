//! One push at a time into each repository.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;

type Turn = tokio::sync::Mutex<()>;

/// Locks by directory, which are forgotten when nobody holds or awaits them.
#[derive(Debug, Clone, Default)]
pub(super) struct Locks(Arc<Mutex<HashMap<PathBuf, Weak<Turn>>>>);

impl Locks {
    /// Waits for the turn to change that repository, and holds it until the guard is dropped.
    pub(super) async fn take(&self, dir: &Path) -> OwnedMutexGuard<()> {
        self.turn_of(dir).lock_owned().await
    }

    fn turn_of(&self, dir: &Path) -> Arc<Turn> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        let known = turns.get(dir).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let turn = Arc::new(Turn::default());
            turns.insert(dir.to_owned(), Arc::downgrade(&turn));
            turn
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time_in_each_directory() {
        let locks = Locks::default();
        let first = locks.take(Path::new("a")).await;
        let _other = locks.take(Path::new("b")).await;
        let second = locks.turn_of(Path::new("a"));
        assert!(second.try_lock().is_err());
        drop(first);
        assert!(second.try_lock().is_ok());
        drop(second);
        locks.turn_of(Path::new("c"));
        assert!(!locks.0.lock().unwrap().contains_key(Path::new("a")));
    }
}
