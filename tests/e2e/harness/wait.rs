//! Waiting for what a test expects: bounded, named, and never a plain sleep.

use std::time::{Duration, Instant};

/// How often a condition is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Looks until `look` answers `Ok`, and fails with the expectation's name and the last observation when time is up.
pub async fn eventually<T, Look, Looking>(expectation: &str, within: Duration, mut look: Look) -> T
where
    Look: FnMut() -> Looking,
    Looking: Future<Output = Result<T, String>>,
{
    let deadline = Instant::now() + within;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) if Instant::now() >= deadline => {
                panic!("not within {within:?}: {expectation}\nlast seen: {seen}")
            }
            Err(_) => tokio::time::sleep(LOOK_AGAIN).await,
        }
    }
}

/// A future that must end in time; fails with the expectation's name when it does not.
pub async fn in_time<T>(expectation: &str, within: Duration, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(within, future).await {
        Ok(value) => value,
        Err(_) => panic!("not within {within:?}: {expectation}"),
    }
}

/// Seconds, for short calls.
pub const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}
