//! What was seen of domains when somebody last looked: their DNS, their CAA records, their port 80.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::model::caa::Caa;
use crate::model::host::Host;
use crate::model::pointing::{Pointing, Port80, Verdict};

/// How long an answer at port 80 is believed in, however often the DNS is asked; a little less than a minute, since
/// looks are whole minutes apart.
const PORT_80_AGAIN_AFTER: Duration = Duration::from_secs(55);

/// What was seen of one host.
#[derive(Debug, Clone)]
pub struct Look {
    /// Where its DNS leads.
    pub pointing: Pointing,
    /// Which authorities it is restricted to; `None` where there is no restriction, or the DNS did not tell.
    pub caa: Option<Caa>,
    /// What answers at port 80; `None` unless its DNS leads here, and before it was asked.
    pub port_80: Option<Port80>,
}

/// What was seen of hosts.
#[derive(Default)]
pub(super) struct Looks(Mutex<HashMap<Host, Noted>>);

struct Noted {
    look: Look,
    port_80_asked: Option<Instant>,
}

impl Looks {
    /// What was seen of a host.
    pub(super) fn of(&self, host: &Host) -> Option<Look> {
        self.lock().get(host).map(|noted| noted.look.clone())
    }

    /// Whether port 80 of a host was seen to lead elsewhere than to the proxy.
    pub(super) fn is_port_80_astray(&self, host: &Host) -> bool {
        let port_80 = self.of(host).and_then(|look| look.port_80);
        port_80.is_some_and(|found| found != Port80::Proxy)
    }

    /// Notes what the DNS said; `true` when port 80 is to be asked now, which then counts as asked.
    pub(super) fn put(&self, host: &Host, pointing: Pointing, caa: Option<Caa>, now: Instant) -> bool {
        let mut known = self.lock();
        let is_here = pointing.verdict == Verdict::Right;
        let before = known
            .remove(host)
            .filter(|noted| is_here && noted.look.pointing == pointing);
        let (port_80, asked) = before.map_or((None, None), |noted| (noted.look.port_80, noted.port_80_asked));
        let is_due = is_here && asked.is_none_or(|asked| now.duration_since(asked) >= PORT_80_AGAIN_AFTER);
        let noted = Noted {
            look: Look { pointing, caa, port_80 },
            port_80_asked: if is_due { Some(now) } else { asked },
        };
        known.insert(host.clone(), noted);
        is_due
    }

    /// Notes what answered at port 80; `true` when that is news.
    pub(super) fn put_port_80(&self, host: &Host, found: Option<Port80>) -> bool {
        let mut known = self.lock();
        let look = known.get_mut(host).map(|noted| &mut noted.look);
        let look = look.filter(|look| look.pointing.verdict == Verdict::Right);
        look.is_some_and(|look| std::mem::replace(&mut look.port_80, found) != found)
    }

    /// Forgets all other hosts.
    pub(super) fn keep(&self, hosts: &[Host]) {
        self.lock().retain(|host, _| hosts.contains(host));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Host, Noted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Looks, PORT_80_AGAIN_AFTER};
    use crate::model::host::Host;
    use crate::model::pointing::{Found, Pointing, Port80};
    use std::time::Instant;

    #[test]
    fn port_80_is_asked_once_a_minute_and_only_where_the_dns_leads_here() {
        let (looks, host) = (Looks::default(), Host::parse("a.example.com").expect("a host"));
        let own = "192.0.2.1".parse().expect("an address");
        let pointing = |text: &str| {
            let address = text.parse().expect("an address");
            Pointing::new(Found::Addresses(vec![address]), &[own], &[])
        };
        let now = Instant::now();
        let port_80 = || looks.of(&host).expect("looked").port_80;
        assert!(!looks.put(&host, pointing("192.0.2.9"), None, now));
        assert!(!looks.put_port_80(&host, Some(Port80::Proxy)), "it leads elsewhere");
        assert!(looks.put(&host, pointing("192.0.2.1"), None, now));
        assert_eq!(port_80(), None);
        assert!(!looks.is_port_80_astray(&host));
        assert!(looks.put_port_80(&host, Some(Port80::Unreachable)));
        assert!(looks.is_port_80_astray(&host));
        assert!(!looks.put_port_80(&host, Some(Port80::Unreachable)), "no news");
        assert!(!looks.put(&host, pointing("192.0.2.1"), None, now), "asked just now");
        assert_eq!(port_80(), Some(Port80::Unreachable));
        let later = now + PORT_80_AGAIN_AFTER;
        assert!(looks.put(&host, pointing("192.0.2.1"), None, later));
        assert_eq!(port_80(), Some(Port80::Unreachable), "until it is answered");
        assert!(!looks.put(&host, pointing("192.0.2.9"), None, later));
        assert_eq!(port_80(), None);
    }
}
