//! The proxy's container as a description: image, arguments, ports and mounts.
//!
//! Arguments only, no configuration file and no shell, so that any image with Traefik as its entry point serves.
//! Traefik gets no Docker socket; its API is on an entry point of its own that the host publishes on loopback.

use super::files::{acme_directory, certificates_directory, watched_directory};
use super::render::PublicPorts;
use super::{PRIVATE, RESOLVER, WEB, WEB_SECURE};
use crate::model::container::{BindMount, ContainerSpec, KIND_LABEL, PublishedPort, RestartPolicy};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Label with a fingerprint of everything else in the description: another value, and the container must be made
/// anew.
pub const SPEC_LABEL: &str = "dhow.spec";
/// Port of the private entry point inside the container; the engine chooses the one on the host.
pub const PRIVATE_PORT: u16 = 7071;

const WEB_PORT: u16 = 80;
const WEB_SECURE_PORT: u16 = 443;
const DYNAMIC_MOUNT: &str = "/dhow/dynamic";
pub(super) const CERTIFICATES_MOUNT: &str = "/dhow/certificates";
const ACME_MOUNT: &str = "/dhow/acme";
const ACME_CA_MOUNT: &str = "/dhow/acme-ca.pem";

/// What an operator can choose about the proxy.
#[derive(Debug, Clone)]
pub struct ProxySettings {
    /// The instance's name, prefix of the container's and the network's.
    pub instance: String,
    /// Image with Traefik as its entry point.
    pub image: String,
    /// Address of the host on which http and https are published.
    pub bind: String,
    /// Ports of the host for http and https.
    pub ports: PublicPorts,
    /// Absolute path of Traefik's directory below the data directory, as given to
    /// [`DynamicFiles::open`](super::DynamicFiles::open).
    pub directory: PathBuf,
    /// Where certificates come from; without it nothing is served by https.
    pub acme: Option<Acme>,
}

/// A certificate authority that speaks ACME (RFC 8555).
#[derive(Debug, Clone)]
pub struct Acme {
    /// The account's e-mail address.
    pub email: String,
    /// URL of the directory; `None` is Let's Encrypt.
    pub directory: Option<String>,
    /// PEM file with the certificate authorities that the directory's own https is checked by, besides the image's.
    pub ca_file: Option<PathBuf>,
}

/// Name of the proxy's network and of its container. It sorts before every `<instance>-<project>` network.
pub fn name(instance: &str) -> String {
    format!("{instance}--proxy")
}

/// The proxy's container.
pub fn container(settings: &ProxySettings) -> ContainerSpec {
    let mut spec = ContainerSpec {
        name: name(&settings.instance),
        image: settings.image.clone(),
        entrypoint: None,
        command: Some(arguments(settings)),
        env: Vec::new(),
        labels: BTreeMap::from([(KIND_LABEL.to_owned(), "proxy".to_owned())]),
        network: name(&settings.instance),
        ports: ports(settings),
        binds: binds(settings),
        memory_bytes: None,
        nano_cpus: None,
        pids_limit: None,
        // Traefik gives open requests 10 s by default (docs, "EntryPoints", lifeCycle).
        stop_timeout: Duration::from_secs(15),
        restart: RestartPolicy::UnlessStopped,
        has_init: false,
    };
    let fingerprint = Sha256::digest(format!("{spec:?}"));
    let fingerprint = fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
    spec.labels.insert(SPEC_LABEL.to_owned(), fingerprint);
    spec
}

fn ports(settings: &ProxySettings) -> Vec<PublishedPort> {
    let public = |container_port, host_port| PublishedPort {
        container_port,
        host_address: settings.bind.clone(),
        host_port: Some(host_port),
    };
    vec![
        public(WEB_PORT, settings.ports.http),
        public(WEB_SECURE_PORT, settings.ports.https),
        PublishedPort {
            container_port: PRIVATE_PORT,
            host_address: "127.0.0.1".to_owned(),
            host_port: None,
        },
    ]
}

fn binds(settings: &ProxySettings) -> Vec<BindMount> {
    let mount = |host_path: PathBuf, container_path: &str, is_read_only| BindMount {
        host_path,
        container_path: container_path.to_owned(),
        is_read_only,
    };
    let mut binds = vec![
        mount(watched_directory(&settings.directory), DYNAMIC_MOUNT, true),
        mount(certificates_directory(&settings.directory), CERTIFICATES_MOUNT, true),
    ];
    if let Some(acme) = &settings.acme {
        binds.push(mount(acme_directory(&settings.directory), ACME_MOUNT, false));
        binds.extend(
            acme.ca_file
                .as_deref()
                .map(|file| mount(Path::to_owned(file), ACME_CA_MOUNT, true)),
        );
    }
    binds
}

/// The static configuration (Traefik docs, "Configuration Options"), only with options that every 3.x knows: an
/// unknown one keeps Traefik from starting.
fn arguments(settings: &ProxySettings) -> Vec<String> {
    let mut arguments = vec![
        "--global.checkNewVersion=false".to_owned(),
        "--global.sendAnonymousUsage=false".to_owned(),
        "--log.level=WARN".to_owned(),
        "--log.noColor=true".to_owned(),
        format!("--providers.file.directory={DYNAMIC_MOUNT}"),
        "--providers.file.watch=true".to_owned(),
        // The default of 2 s would be added to every switch.
        "--providers.providersThrottleDuration=100ms".to_owned(),
        "--api=true".to_owned(),
        "--api.dashboard=false".to_owned(),
        "--metrics.prometheus=true".to_owned(),
        "--metrics.prometheus.manualRouting=true".to_owned(),
        format!("--metrics.prometheus.entryPoint={PRIVATE}"),
        "--metrics.prometheus.addServicesLabels=true".to_owned(),
        "--metrics.prometheus.addEntryPointsLabels=false".to_owned(),
        format!("--entryPoints.{PRIVATE}.address=:{PRIVATE_PORT}"),
        // Shorter than the keep-alive of common servers (Node, uvicorn: 5 s), so that no request meets a connection
        // that the app is about to close; and a drain, which waits for open connections, ends in time.
        "--serversTransport.forwardingTimeouts.idleConnTimeout=4s".to_owned(),
    ];
    arguments.extend(entry_point(WEB, WEB_PORT));
    arguments.extend(entry_point(WEB_SECURE, WEB_SECURE_PORT));
    arguments.extend(settings.acme.iter().flat_map(resolver));
    arguments
}

/// A public entry point. Traefik's default read timeout of 60 s covers the whole body and would cut every longer
/// upload (docs, "EntryPoints", respondingTimeouts); responses are never cut, so that streams stay open. Forwarded
/// headers of clients are not trusted, which is the default.
fn entry_point(name: &str, port: u16) -> [String; 4] {
    let timeouts = format!("--entryPoints.{name}.transport.respondingTimeouts");
    [
        format!("--entryPoints.{name}.address=:{port}"),
        format!("{timeouts}.readTimeout=0s"),
        format!("{timeouts}.writeTimeout=0s"),
        format!("{timeouts}.idleTimeout=180s"),
    ]
}

/// HTTP-01 at the plain http entry point. Traefik makes the storage file with mode 0600 and refuses any wider one.
fn resolver(acme: &Acme) -> Vec<String> {
    let option = |name: &str, value: &str| format!("--certificatesResolvers.{RESOLVER}.acme.{name}={value}");
    let mut arguments = vec![
        option("email", &acme.email),
        option("storage", &format!("{ACME_MOUNT}/acme.json")),
        option("keyType", "EC256"),
        option("httpChallenge.entryPoint", WEB),
    ];
    arguments.extend(acme.directory.iter().map(|url| option("caServer", url)));
    if acme.ca_file.is_some() {
        arguments.push(option("caCertificates", ACME_CA_MOUNT));
        arguments.push(option("caSystemCertPool", "true"));
    }
    arguments
}

#[cfg(test)]
mod tests;
