//! Where an app listens that does not listen at the port it was told, when nobody has chosen that port.
//!
//! Taken is what speaks HTTP as the proxy will, since a debugger or a cluster's port listens just as well; and only once
//! the app has opened no other port for a while. No port is worth a wait of its own: the check's pace is enough.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::probe::{Answer, Found, ask};
use crate::deploy::job::Job;
use crate::deploy::{DeployError, port, release, sockets};
use crate::model::app::{HealthPath, Port};
use crate::model::container::ContainerState;
use crate::model::port_guess;
use crate::model::release::Release;

/// How long what the app listens on must stay the same.
const SETTLED_AFTER: Duration = Duration::from_secs(1);
/// Most ports that are asked; an app that listens on more is none that could be told by them.
const MOST_ASKED: usize = 8;

/// A search beside a check.
pub struct Search {
    /// The port that it was told.
    told: Port,
    /// What its image exposes.
    exposed: Vec<u16>,
    /// What must answer, where its owner has said so.
    path: Option<HealthPath>,
    /// Whether the version that serves is served at the port that this one was told.
    is_proven: bool,
    /// Until when what is proven is not given up, and a bad answer is not enough.
    patient_until: Instant,
    /// What it listened on, and since when that is known or was asked.
    seen: Option<(Vec<u16>, Instant)>,
}

impl Search {
    /// A search for a release, if nobody has chosen its port.
    pub async fn of(job: &Job, release: &Release) -> Result<Option<Self>, DeployError> {
        if !port::is_guessed(job, release) {
            return Ok(None);
        }
        let image = job.context.engine.find_image(&release.image_id).await?;
        let active = release::active(&job.context, job.app.id).await?;
        let health = &release.run.health;
        Ok(Some(Self {
            told: release.run.port,
            exposed: image.map(|image| image.exposed_ports).unwrap_or_default(),
            path: health.path.clone(),
            is_proven: active.is_some_and(|active| active.run.port == release.run.port),
            patient_until: Instant::now() + Duration::from_secs(u64::from(health.timeout_s)) / 3,
            seen: None,
        }))
    }

    /// Looks once more, while nothing accepts at the port that was told; answers where the app is instead.
    pub async fn look(&mut self, state: &ContainerState, ip: IpAddr) -> Option<Port> {
        let listening = sockets::listening(state.pid)?;
        let outside = listening.iter().filter(|address| !address.ip().is_loopback());
        let mut ports: Vec<u16> = outside.map(SocketAddr::port).collect();
        ports.dedup();
        if !self.has_settled(&ports, Instant::now()) {
            return None;
        }
        let path = self.path.clone().unwrap_or_else(HealthPath::root);
        let asked = ports.iter().map(|port| ask(SocketAddr::new(ip, *port), Some(&path)));
        let answers = join_all(asked).await;
        let answered = ports.into_iter().zip(answers);
        let ports: Vec<u16> = answered
            .filter_map(|(port, found)| self.is_enough(&found).then_some(port))
            .collect();
        port_guess::of_listening(&ports, &self.exposed)
    }

    /// Whether these ports are worth asking now.
    fn has_settled(&mut self, ports: &[u16], now: Instant) -> bool {
        let since = match &self.seen {
            Some((seen, since)) if seen == ports => *since,
            _ => now,
        };
        let has_settled = now - since >= SETTLED_AFTER;
        self.seen = Some((ports.to_vec(), if has_settled { now } else { since }));
        has_settled
            && ports.len() <= MOST_ASKED
            && !ports.contains(&self.told.get())
            && !(self.is_proven && now < self.patient_until)
    }

    fn is_enough(&self, found: &Found) -> bool {
        match found {
            Found::Good => true,
            Found::Answer(Answer::Status(_)) => self.path.is_none() || Instant::now() >= self.patient_until,
            Found::Answer(_) | Found::Nothing(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(path: Option<&str>, is_proven: bool) -> Search {
        Search {
            told: Port::DEFAULT,
            exposed: Vec::new(),
            path: path.map(|path| HealthPath::parse(path).unwrap()),
            is_proven,
            patient_until: Instant::now() + Duration::from_secs(20),
            seen: None,
        }
    }

    /// Whether the ports, seen at these times in milliseconds, are worth asking the last time.
    fn settles(mut search: Search, looks: &[(u64, &[u16])]) -> bool {
        let began = Instant::now();
        let mut look = |(ms, ports): &(u64, &[u16])| search.has_settled(ports, began + Duration::from_millis(*ms));
        looks.iter().map(&mut look).last().unwrap()
    }

    #[tokio::test]
    async fn an_app_is_asked_once_it_has_opened_no_other_port_for_a_while() {
        let many: Vec<u16> = (4_000..4_009).collect();
        for (looks, expected) in [
            (&[(0, &[5555][..])][..], false),
            (&[(0, &[5555]), (999, &[5555])], false),
            (&[(0, &[5555]), (1_000, &[5555])], true),
            (&[(0, &[]), (900, &[5555]), (1_100, &[5555])], false),
            (&[(0, &[5555]), (900, &[5555, 6666]), (1_900, &[5555, 6666])], true),
            // Asked in vain, it has another while.
            (&[(0, &[5555]), (1_000, &[5555]), (1_500, &[5555])], false),
            // It listens where it was told, only not for everyone.
            (&[(0, &[3000, 5555]), (2_000, &[3000, 5555])], false),
            (&[(0, &many), (2_000, &many)], false),
        ] {
            assert_eq!(settles(search(None, false), looks), expected, "{looks:?}");
        }
        let slow = [(0, &[9090][..]), (19_000, &[9090])];
        assert!(
            !settles(search(None, true), &slow),
            "a version may start more slowly than its metrics"
        );
        assert!(settles(search(None, true), &[slow[0], (21_000, &[9090])]));
    }

    #[tokio::test]
    async fn what_speaks_http_is_enough_and_with_a_health_path_what_is_good() {
        let not_found = Found::Answer(Answer::Status(404));
        for (path, found, expected) in [
            (None, &Found::Good, true),
            (None, &not_found, true),
            (None, &Found::Answer(Answer::HungUp), false),
            (None, &Found::Answer(Answer::Silence), false),
            (Some("/up"), &Found::Good, true),
            (Some("/up"), &not_found, false),
        ] {
            assert_eq!(search(path, false).is_enough(found), expected, "{path:?} {found:?}");
        }
        let mut late = search(Some("/up"), false);
        late.patient_until = Instant::now();
        assert!(late.is_enough(&not_found), "why it is not good is told by the check");
    }
}
