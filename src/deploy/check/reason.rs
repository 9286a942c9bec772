//! Why an instance did not become good: what was asked, what was found, and the likely mistake.
//!
//! A wrong port and an address that only the container reaches look the same from outside; the kernel's table of
//! listening sockets tells them apart.

use std::net::SocketAddr;

use super::probe::{Answer, Found};
use crate::deploy::job::Job;
use crate::deploy::{DeployError, sockets};
use crate::model::container::{ContainerState, HealthCheckRun};
use crate::model::release::Release;

/// Longest quotation of a health check's output in a sentence, in characters.
const LONGEST_QUOTE: usize = 200;

/// The error for an instance that was not good in time.
pub async fn of(
    job: &Job,
    release: &Release,
    state: &ContainerState,
    address: Option<SocketAddr>,
    found: Found,
) -> DeployError {
    let (run, port) = (&release.run, release.run.port.get());
    let seconds = run.health.timeout_s;
    match (found, &run.health.path) {
        (Found::Answer(answer), Some(path)) => DeployError::HealthCheckFailed {
            path: path.as_str().to_owned(),
            port,
            hint: answer_hint(&answer, address),
            answer: answer.to_string(),
            seconds,
        },
        (found, _) => {
            let image = job.context.engine.find_image(&release.image_id).await.ok().flatten();
            let exposed = image.map(|image| image.exposed_ports).unwrap_or_default();
            DeployError::PortNotListening {
                port,
                seconds,
                found: match found {
                    Found::Nothing(why) => why,
                    Found::Good | Found::Answer(_) => "no second connection".to_owned(),
                },
                hint: port_hint(sockets::listening(state.pid).as_deref(), port, &exposed),
            }
        }
    }
}

/// What mends a wrong answer of the health path.
fn answer_hint(answer: &Answer, address: Option<SocketAddr>) -> String {
    match answer {
        Answer::Status(400 | 421) => {
            let host = address.map_or_else(|| "the container's address".to_owned(), |address| address.to_string());
            format!("The app may refuse the host {host}, by which it was asked; let it accept any host there.")
        }
        Answer::Status(401 | 403) => "Set a health path in the app's settings that needs no sign-in.".to_owned(),
        Answer::Status(404) => "Set a health path that the app has, or none to ask for the port alone.".to_owned(),
        Answer::Status(_) => "See its last output in the log.".to_owned(),
        Answer::NotHttp(_) | Answer::HungUp => {
            "If the app speaks no HTTP, set no health path: then the port alone is asked.".to_owned()
        }
        Answer::Silence => "Let the app answer there without waiting for anything else.".to_owned(),
    }
}

/// The likely mistake when nothing answers on a port, by what the app listens on (where that can be told) and by what
/// its image exposes.
fn port_hint(listening: Option<&[SocketAddr]>, port: u16, exposed: &[u16]) -> String {
    let mut hint = listening.map_or_else(
        || "Let the app listen on 0.0.0.0, not on 127.0.0.1, at the port in the variable PORT.".to_owned(),
        |listening| listening_hint(listening, port),
    );
    let is_known = |exposed: &u16| listening.is_some_and(|all| has_port(all, *exposed));
    if !exposed.contains(&port) && !exposed.iter().all(is_known) {
        let ports = ports_in_words(exposed);
        hint.push_str(&format!(
            " The image exposes {ports}; if the app uses that, set it in the app's settings."
        ));
    }
    hint
}

fn has_port(addresses: &[SocketAddr], port: u16) -> bool {
    addresses.iter().any(|address| address.port() == port)
}

fn listening_hint(listening: &[SocketAddr], port: u16) -> String {
    let (inside, outside): (Vec<&SocketAddr>, Vec<&SocketAddr>) =
        listening.iter().partition(|address| address.ip().is_loopback());
    if let Some(here) = outside.iter().find(|address| address.port() == port) {
        return format!(
            "The app listens on {here} by now: if it needs longer to start, raise the time limit of its health check; \
             if it takes IPv6 alone, let it listen on 0.0.0.0."
        );
    }
    if let Some(here) = inside.iter().find(|address| address.port() == port) {
        return format!("The app listens on {here}, which only its own container reaches; let it listen on 0.0.0.0.");
    }
    let mut others: Vec<u16> = outside.iter().map(|address| address.port()).collect();
    others.dedup();
    if let [first, rest @ ..] = others.as_slice() {
        let choice = if rest.is_empty() {
            first.to_string()
        } else {
            "the right one".to_owned()
        };
        let ports = ports_in_words(&others);
        return format!(
            "The app listens on {ports}, not on {port}; set the port in the app's settings to {choice}, or let the app use \
             the variable PORT."
        );
    }
    match inside.first() {
        Some(here) => format!(
            "The app listens on {here}, which only its own container reaches; let it listen on 0.0.0.0, at the port in \
             the variable PORT."
        ),
        None => {
            "The app listens on nothing. If it needs longer to start, raise the time limit of its health check; else \
                 see its last output in the log."
                .to_owned()
        }
    }
}

fn ports_in_words(ports: &[u16]) -> String {
    let all: Vec<String> = ports.iter().map(u16::to_string).collect();
    match all.as_slice() {
        [.., last] if all.len() > 1 => format!("ports {} and {last}", all[..all.len() - 1].join(", ")),
        _ => format!("port {}", all.concat()),
    }
}

/// What an image's own health check said last, as part of a sentence.
pub fn health_check_said(check: Option<&HealthCheckRun>) -> String {
    let Some(check) = check else {
        return "it left no output".to_owned();
    };
    let last = check.output.lines().rev().map(str::trim).find(|line| !line.is_empty());
    match last {
        Some(line) => {
            let quote: String = line.chars().take(LONGEST_QUOTE).collect();
            format!("“{quote}” (exit code {})", check.exit_code)
        }
        None => format!("it printed nothing (exit code {})", check.exit_code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn hint(listening: &[&str], exposed: &[u16]) -> String {
        let listening: Vec<SocketAddr> = listening.iter().map(|address| address.parse().unwrap()).collect();
        port_hint(Some(&listening), 8080, exposed)
    }

    #[test]
    fn the_likely_mistake_follows_from_what_the_app_listens_on() {
        for (listening, expected) in [
            (
                vec!["127.0.0.1:8080"],
                "The app listens on 127.0.0.1:8080, which only its own container reaches; let it listen on 0.0.0.0.",
            ),
            (
                vec!["[::1]:8080", "0.0.0.0:9229"],
                "The app listens on [::1]:8080, which only",
            ),
            (
                vec!["0.0.0.0:4000", "[::]:4000"],
                "The app listens on port 4000, not on 8080; set the port in the app's settings to 4000, or let the app use \
                 the variable PORT.",
            ),
            (
                vec!["0.0.0.0:4000", "127.0.0.1:5000", "0.0.0.0:6000", "[::]:7000"],
                "The app listens on ports 4000, 6000 and 7000, not on 8080; set the port in the app's settings to the right",
            ),
            (
                vec!["127.0.0.1:4000"],
                "The app listens on 127.0.0.1:4000, which only its own container",
            ),
            (vec!["[::]:8080"], "The app listens on [::]:8080 by now"),
            (vec![], "The app listens on nothing."),
        ] {
            let hint = hint(&listening, &[]);
            assert!(hint.starts_with(expected), "{listening:?}: {hint}");
        }
    }

    #[test]
    fn what_the_image_exposes_is_told_when_it_is_news() {
        let told = "The image exposes ports 3000 and 9000; if the app uses that";
        assert!(hint(&[], &[3000, 9000]).contains(told));
        assert!(hint(&["127.0.0.1:8080"], &[9000]).contains("exposes port 9000"));
        assert!(!hint(&[], &[8080, 9000]).contains("exposes"));
        assert!(!hint(&["0.0.0.0:9000"], &[9000]).contains("exposes"));
        assert!(hint(&["0.0.0.0:3000"], &[3000, 9000]).contains(told));
        let unknown = port_hint(None, 8080, &[9000]);
        assert!(
            unknown.contains("0.0.0.0") && unknown.contains("exposes port 9000"),
            "{unknown}"
        );
    }

    #[test]
    fn a_health_check_is_quoted_by_its_last_line() {
        let said = |output: &str| {
            let output = output.to_owned();
            health_check_said(Some(&HealthCheckRun { exit_code: 3, output }))
        };
        assert_eq!(said("one\nno database\n\n"), "“no database” (exit code 3)");
        assert_eq!(said(" \n"), "it printed nothing (exit code 3)");
        assert!(said(&"x".repeat(5_000)).len() < 250);
        assert_eq!(health_check_said(None), "it left no output");
    }
}
