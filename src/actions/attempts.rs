//! How often somebody may try a password, a code or a claim link: counted in memory, per account and per address.
//!
//! A try is counted before it is checked, so that many at once are not let through, and forgiven when it was right:
//! only failures count. The memory is bounded; whoever would be free again soonest is forgotten first.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Error, Result};
use crate::model::ids::UserId;
use crate::model::user::Email;

/// Most counts that are kept, a few MiB at worst.
const MAX_COUNTS: usize = 10_000;

/// Whose failures are counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// Everything tried from a network.
    Network(IpAddr),
    /// Passwords for a name, whether a user has it or not, from everywhere else than where its user is signed in.
    Account(String),
    /// Passwords for a name from one network.
    AccountFrom(String, IpAddr),
    /// Second-step codes of a user.
    Code(UserId),
}

impl Key {
    /// What a password is counted for. Whoever guesses from one place locks out nobody elsewhere; whoever guesses from
    /// many keeps the user out only where they are not signed in already.
    pub(super) fn of_password(email: &Email, network: IpAddr, is_known: bool) -> Vec<Self> {
        let name = email.as_str().to_owned();
        let everywhere = (!is_known).then(|| Self::Account(name.clone()));
        let here = [Self::AccountFrom(name, network), Self::Network(network)];
        here.into_iter().chain(everywhere).collect()
    }

    /// How many failures are free, and after which time one more is. A password holds against 1,440 guesses a day from one
    /// network and 5,760 from all; of six digits, three of which are good at a time, 288 guesses a day find one in three
    /// years on average.
    const fn allowance(&self) -> (u32, Duration) {
        match self {
            Self::Network(_) => (30, Duration::from_secs(10)),
            Self::AccountFrom(..) => (10, Duration::from_secs(60)),
            Self::Account(_) => (60, Duration::from_secs(15)),
            Self::Code(_) => (5, Duration::from_secs(300)),
        }
    }
}

/// The counts. Each is held as the moment at which its failures are all forgotten (the "theoretical arrival time" of
/// the generic cell rate algorithm, ITU-T I.371).
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<Key, Instant>>);

/// A try that counts as a failure unless it is forgiven.
#[must_use]
pub(super) struct Attempt {
    attempts: Arc<Attempts>,
    keys: Vec<Key>,
}

impl Attempt {
    /// It was right and does not count.
    pub(super) fn forgive(self) {
        self.attempts.forgive(&self.keys);
    }
}

impl Attempts {
    /// Counts a try, or refuses it with the time to wait.
    pub(super) fn begin(self: &Arc<Self>, keys: impl IntoIterator<Item = Key>) -> Result<Attempt> {
        let keys: Vec<Key> = keys.into_iter().collect();
        self.count(&keys, Instant::now()).map_err(Error::TooMany)?;
        Ok(Attempt {
            attempts: Arc::clone(self),
            keys,
        })
    }

    fn count(&self, keys: &[Key], now: Instant) -> std::result::Result<(), Duration> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = keys.iter().map(|key| wait(key, counts.get(key), now)).max();
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        for key in keys {
            if counts.len() >= MAX_COUNTS {
                shrink(&mut counts, now);
            }
            let free_at = counts.entry(key.clone()).or_insert(now);
            *free_at = (*free_at).max(now) + key.allowance().1;
        }
        Ok(())
    }

    fn forgive(&self, keys: &[Key]) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            if let Some(free_at) = counts.get_mut(key) {
                *free_at -= key.allowance().1;
            }
        }
    }
}

fn wait(key: &Key, free_at: Option<&Instant>, now: Instant) -> Duration {
    let (burst, every) = key.allowance();
    let used = free_at.map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
    used.saturating_sub(every * (burst - 1))
}

/// Makes room: what is free again goes, and if that is little, the tenth that would be free soonest.
fn shrink(counts: &mut HashMap<Key, Instant>, now: Instant) {
    counts.retain(|_, free_at| *free_at > now);
    if counts.len() > MAX_COUNTS / 10 * 9 {
        let mut moments: Vec<Instant> = counts.values().copied().collect();
        let (_, limit, _) = moments.select_nth_unstable(MAX_COUNTS / 10);
        let limit = *limit;
        counts.retain(|_, free_at| *free_at > limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Key {
        Key::AccountFrom("ann@example.com".into(), IpAddr::from([192, 0, 2, 1]))
    }

    #[test]
    fn ten_failures_are_free_and_then_one_a_minute() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..10 {
            attempts.count(&[account()], now).unwrap();
        }
        assert_eq!(attempts.count(&[account()], now), Err(Duration::from_secs(60)));
        let later = now + Duration::from_secs(59);
        assert_eq!(attempts.count(&[account()], later), Err(Duration::from_secs(1)));
        let later = now + Duration::from_secs(60);
        attempts.count(&[account()], later).unwrap();
        assert!(attempts.count(&[account()], later).is_err());
        attempts.count(&[Key::Account("bob@example.com".into())], now).unwrap();
    }

    #[test]
    fn an_account_under_attack_lets_its_user_in() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let email = Email::parse("ann@example.com").unwrap();
        let from = |last: u8| IpAddr::from([192, 0, 2, last]);
        let count = |last: u8, is_known| attempts.count(&Key::of_password(&email, from(last), is_known), now);
        while count(1, false).is_ok() {}
        count(2, false).expect("one guesser keeps nobody else out");
        for last in 3..250 {
            let _guess = count(last, false);
        }
        assert!(count(250, false).is_err(), "many guessers share one allowance");
        count(251, true).expect("where the user is signed in that does not count");
        while count(251, true).is_ok() {}
        assert!(
            count(252, true).is_ok() && count(251, true).is_err(),
            "but guesses from there do"
        );
    }

    #[test]
    fn what_was_right_does_not_count() {
        let attempts = Arc::new(Attempts::default());
        for _ in 0..1_000 {
            attempts.begin([account()]).unwrap().forgive();
        }
        let held: Vec<_> = (0..10).map(|_| attempts.begin([account()]).unwrap()).collect();
        assert!(
            attempts.begin([account()]).is_err(),
            "ten at once, none of them checked yet"
        );
        held.into_iter().for_each(Attempt::forgive);
        assert!(attempts.begin([account()]).is_ok());
    }

    #[test]
    fn a_refused_try_is_counted_for_nobody() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let network = Key::Network(IpAddr::from([192, 0, 2, 1]));
        for _ in 0..30 {
            attempts.count(std::slice::from_ref(&network), now).unwrap();
        }
        for _ in 0..20 {
            assert!(attempts.count(&[network.clone(), account()], now).is_err());
        }
        attempts.count(&[account()], now).unwrap();
    }

    #[test]
    fn memory_is_bounded_and_keeps_who_failed_most() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..10 {
            attempts.count(&[account()], now).unwrap();
        }
        for number in 0..3 * MAX_COUNTS {
            attempts.count(&[Key::Account(number.to_string())], now).unwrap();
        }
        assert!(attempts.0.lock().unwrap().len() <= MAX_COUNTS);
        assert!(attempts.count(&[account()], now).is_err());
    }
}
