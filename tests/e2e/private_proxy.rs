//! An app shares a network with the proxy, but not its API and not its metrics.

use std::collections::BTreeSet;
use std::process::Command;

use crate::harness::dhow::Dhow;
use crate::harness::docker::inspect;
use crate::harness::git_server::GitServer;
use crate::harness::process::run;

/// Where Traefik's API and metrics would be (Traefik docs, "API & Dashboard", "Metrics").
const PATHS: [&str; 8] = [
    "/api/version",
    "/api/rawdata",
    "/api/http/routers",
    "/api/overview",
    "/metrics",
    "/ping",
    "/dashboard/",
    "/debug/vars",
];
/// The private entry point's port in the proxy's container.
const PRIVATE_PORT: u16 = 7071;

#[tokio::test(flavor = "multi_thread")]
async fn an_app_reaches_neither_the_api_nor_the_metrics_of_the_proxy() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("nosy");
    repository.commit_app("nosy");
    api.live_app("Nosy", "nosy", &repository).await;
    let app = dhow.containers_of("nosy").remove(0);
    let proxy = inspect("container", &dhow.containers("proxy")[0]);
    let addresses = addresses(&proxy["NetworkSettings"]["Networks"], "IPAddress");
    assert_eq!(addresses.len(), 2, "its own network and the project's");
    let ports = listening_ports(&proxy["State"]["Pid"]);
    assert!(ports.is_superset(&BTreeSet::from([80, 443, PRIVATE_PORT])), "{ports:?}");

    let (mut answers, mut locked, mut reached) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for address in &addresses {
        for port in &ports {
            for path in PATHS {
                let answer = asked_from(&app, address, *port, path, "Host: traefik").await;
                assert!(is_refusal(&answer), "{address}:{port}{path}: {answer}");
                let is_unreached = is_unreached(&answer);
                if answer.contains(" 401 ") {
                    locked.insert(format!("{port}{path}"));
                    reached.insert(address);
                }
                answers.insert((*port, answer));
                // Each of the others would take as long to find the same.
                if is_unreached {
                    break;
                }
            }
        }
    }
    println!("{answers:#?}");
    for port in &ports {
        let is_reached = |(asked, answer): &(u16, String)| asked == port && !is_unreached(answer);
        assert!(
            answers.iter().any(is_reached),
            "port {port} answers the app: {answers:?}"
        );
    }

    for path in ["/api/version", "/api/rawdata", "/metrics"] {
        let asked = [PRIVATE_PORT.to_string().as_str(), path].concat();
        assert!(
            locked.contains(&asked),
            "{asked} is there, behind a password: {locked:?}"
        );
    }

    // Nor by a guessed password, by the name of another host, or by the port that the host publishes for Dhow.
    for header in [
        "Authorization: Basic ZGhvdzpkaG93",
        "Authorization: Basic Og==",
        "Host: localhost",
        "X-Forwarded-For: 127.0.0.1",
    ] {
        for address in &reached {
            let answer = asked_from(&app, address, PRIVATE_PORT, "/api/version", header).await;
            assert!(is_refusal(&answer), "{header}: {answer}");
        }
    }
    let published = &proxy["NetworkSettings"]["Ports"][format!("{PRIVATE_PORT}/tcp")][0];
    assert_eq!(published["HostIp"], "127.0.0.1");
    let port = published["HostPort"].as_str().unwrap().parse().unwrap();
    for gateway in self::addresses(&proxy["NetworkSettings"]["Networks"], "Gateway") {
        let answer = asked_from(&app, &gateway, port, "/api/version", "Host: traefik").await;
        assert!(is_unreached(&answer), "{gateway}:{port}: {answer}");
    }
}

fn addresses(networks: &serde_json::Value, key: &str) -> BTreeSet<String> {
    let networks = networks.as_object().unwrap().values();
    networks
        .map(|network| network[key].as_str().unwrap().to_owned())
        .collect()
}

/// Every port that something listens on in a process's network namespace, but for Docker's own name server.
fn listening_ports(pid: &serde_json::Value) -> BTreeSet<u16> {
    let read = |table: &str| std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
    let tables = format!("{}{}", read("tcp"), read("tcp6"));
    let listening = tables.lines().filter_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let (address, port) = columns.get(1)?.split_once(':')?;
        let is_ours = columns[3] == "0A" && address != "0B00007F";
        is_ours.then(|| u16::from_str_radix(port, 16).unwrap())
    });
    listening.collect()
}

/// What an app gets to hear: the first line of the answer, or why there is none.
async fn asked_from(container: &str, address: &str, port: u16, path: &str, header: &str) -> String {
    let mut nc = Command::new("docker");
    nc.args(["exec", "-i", container, "nc", "-w", "2", address, &port.to_string()]);
    let request = format!("GET {path} HTTP/1.0\r\n{header}\r\n\r\n");
    let outcome = run(nc, &request).await;
    outcome.stdout.lines().next().unwrap_or(&outcome.stderr).to_owned()
}

fn is_unreached(answer: &str) -> bool {
    ["refused", "timed out", "unreachable"]
        .iter()
        .any(|word| answer.contains(word))
}

/// No connection, no such page, or the question for a password.
fn is_refusal(answer: &str) -> bool {
    is_unreached(answer) || answer.contains(" 404 ") || answer.contains(" 401 ")
}
