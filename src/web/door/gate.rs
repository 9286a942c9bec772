//! Who may come in by the proxy's door. Every container of the machine can knock there, as often as it likes: neither the
//! engine nor the log is made to work for that.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::actions::Actions;

/// How long the proxy's address is believed in.
const ASKED_EVERY: Duration = Duration::from_secs(1);
/// How long the engine may take to tell it.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Who is refused is told this often.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// The proxy's address as it was last told, and when somebody else was last refused.
pub struct Gate {
    actions: Actions,
    address: tokio::sync::Mutex<Known>,
    refused: Mutex<Rarely>,
}

#[derive(Default)]
struct Known(Option<(Instant, Option<IpAddr>)>);

#[derive(Default)]
struct Rarely(Option<Instant>);

impl Gate {
    pub(super) fn new(actions: Actions) -> Self {
        Self {
            actions,
            address: tokio::sync::Mutex::default(),
            refused: Mutex::default(),
        }
    }

    pub(super) async fn admits(&self, peer: IpAddr) -> bool {
        let look = async {
            let ask = self.actions.deployer.proxy_address();
            self.address.lock().await.or_ask(Instant::now(), ask).await
        };
        let is_admitted = timeout(ANSWER_WITHIN, look).await.ok().flatten() == Some(peer);
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_admitted && refused.is_due(Instant::now()) {
            tracing::warn!(address = %peer, "connections that are not the proxy's are closed");
        }
        is_admitted
    }
}

impl Known {
    /// What was told within the last second, else what `ask` tells now. One that is dropped meanwhile counts as told
    /// nothing, so that the next one waits its second.
    async fn or_ask(&mut self, now: Instant, ask: impl Future<Output = Option<IpAddr>>) -> Option<IpAddr> {
        if let Some((told, address)) = self.0
            && now.duration_since(told) < ASKED_EVERY
        {
            return address;
        }
        self.0 = Some((now, None));
        let address = ask.await;
        self.0 = Some((now, address));
        address
    }
}

impl Rarely {
    fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.0.is_none_or(|told| now.duration_since(told) >= TOLD_EVERY);
        if is_due {
            self.0 = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::{ASKED_EVERY, Known, Rarely, TOLD_EVERY};
    use std::cell::Cell;
    use std::net::IpAddr;
    use std::time::{Duration, Instant};

    #[tokio::test]
    async fn the_engine_is_asked_once_a_second_and_strangers_are_told_of_once_a_minute() {
        let (mut known, now, asked) = (Known::default(), Instant::now(), Cell::new(0_u8));
        let ask = || async {
            asked.set(asked.get() + 1);
            Some(IpAddr::from([10, 210, 0, asked.get()]))
        };
        for (after, last) in [(0, 1), (999, 1), (1_000, 2), (1_999, 2)] {
            let address = known.or_ask(now + Duration::from_millis(after), ask()).await;
            assert_eq!(address, Some([10, 210, 0, last].into()), "after {after} ms");
        }
        // An engine that does not answer holds nobody else up.
        let later = now + 3 * ASKED_EVERY;
        let hung = known.or_ask(later, std::future::pending());
        assert!(tokio::time::timeout(Duration::from_millis(1), hung).await.is_err());
        assert_eq!(known.or_ask(later, ask()).await, None);

        let mut rarely = Rarely::default();
        let told = [Duration::ZERO, TOLD_EVERY / 2, TOLD_EVERY].map(|after| rarely.is_due(now + after));
        assert_eq!(told, [true, false, true]);
    }
}
