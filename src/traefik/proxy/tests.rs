use super::{Acme, ProxySettings, SPEC_LABEL, container};
use crate::traefik::PublicPorts;
use insta::assert_snapshot;
use std::path::PathBuf;

fn settings() -> ProxySettings {
    ProxySettings {
        instance: "dhow".to_owned(),
        image: "traefik:v3.7".to_owned(),
        bind: "0.0.0.0".to_owned(),
        ports: PublicPorts { http: 80, https: 443 },
        directory: PathBuf::from("/var/lib/dhow/traefik"),
        acme: None,
    }
}

fn acme() -> Acme {
    let directory = Some("https://pebble:14000/dir".to_owned());
    Acme {
        email: "a@b.example".to_owned(),
        directory,
        ca_file: Some(PathBuf::from("/etc/pebble.pem")),
    }
}

#[test]
fn the_static_configuration_is_arguments_only() {
    let spec = container(&ProxySettings {
        acme: Some(acme()),
        ..settings()
    });
    assert_eq!((spec.entrypoint, spec.env), (None, Vec::new()));
    assert_snapshot!(spec.command.expect("arguments").join("\n"), @"
    --global.checkNewVersion=false
    --global.sendAnonymousUsage=false
    --log.level=WARN
    --log.noColor=true
    --providers.file.directory=/dhow/dynamic
    --providers.file.watch=true
    --providers.providersThrottleDuration=100ms
    --api=true
    --api.dashboard=false
    --metrics.prometheus=true
    --metrics.prometheus.manualRouting=true
    --metrics.prometheus.entryPoint=dhow
    --metrics.prometheus.addServicesLabels=true
    --metrics.prometheus.addEntryPointsLabels=false
    --entryPoints.dhow.address=:7071
    --serversTransport.forwardingTimeouts.idleConnTimeout=4s
    --entryPoints.web.address=:80
    --entryPoints.web.transport.respondingTimeouts.readTimeout=0s
    --entryPoints.web.transport.respondingTimeouts.writeTimeout=0s
    --entryPoints.web.transport.respondingTimeouts.idleTimeout=180s
    --entryPoints.websecure.address=:443
    --entryPoints.websecure.transport.respondingTimeouts.readTimeout=0s
    --entryPoints.websecure.transport.respondingTimeouts.writeTimeout=0s
    --entryPoints.websecure.transport.respondingTimeouts.idleTimeout=180s
    --certificatesResolvers.acme.acme.email=a@b.example
    --certificatesResolvers.acme.acme.storage=/dhow/acme/acme.json
    --certificatesResolvers.acme.acme.keyType=EC256
    --certificatesResolvers.acme.acme.httpChallenge.entryPoint=web
    --certificatesResolvers.acme.acme.caServer=https://pebble:14000/dir
    --certificatesResolvers.acme.acme.caCertificates=/dhow/acme-ca.pem
    --certificatesResolvers.acme.acme.caSystemCertPool=true
    ");
}

#[test]
fn route_upload_longer_than_60s_neither_requests_nor_answers_have_a_limit_of_time() {
    let arguments = container(&settings()).command.expect("arguments");
    for entry_point in ["web", "websecure"] {
        for limit in ["readTimeout=0s", "writeTimeout=0s"] {
            let argument = format!("--entryPoints.{entry_point}.transport.respondingTimeouts.{limit}");
            assert!(arguments.contains(&argument), "{argument}");
        }
    }
    let harmless = ["respondingTimeouts", "idleConnTimeout"];
    let mut others = arguments.iter().filter(|argument| argument.contains("imeout"));
    let other = others.find(|argument| !harmless.iter().any(|name| argument.contains(name)));
    assert_eq!(other, None, "no other limit cuts a transfer");
}

#[test]
fn the_api_is_published_on_loopback_only() {
    let spec = container(&settings());
    let published: Vec<_> = spec
        .ports
        .iter()
        .map(|port| (port.container_port, &*port.host_address, port.host_port))
        .collect();
    assert_eq!(
        published,
        [
            (80, "0.0.0.0", Some(80)),
            (443, "0.0.0.0", Some(443)),
            (7071, "127.0.0.1", None)
        ]
    );
}

#[test]
fn nothing_of_docker_is_mounted_and_routes_cannot_be_changed_from_within() {
    let mounts = |acme| {
        let spec = container(&ProxySettings { acme, ..settings() });
        let of = |bind: &super::BindMount| (bind.host_path.display().to_string(), bind.is_read_only);
        spec.binds.iter().map(of).collect::<Vec<_>>()
    };
    let dynamic = ("/var/lib/dhow/traefik/dynamic".to_owned(), true);
    let certificates = ("/var/lib/dhow/traefik/certificates".to_owned(), true);
    assert_eq!(mounts(None), [dynamic.clone(), certificates.clone()]);
    let storage = ("/var/lib/dhow/traefik/acme".to_owned(), false);
    assert_eq!(
        mounts(Some(acme())),
        [dynamic, certificates, storage, ("/etc/pebble.pem".to_owned(), true)]
    );
}

#[test]
fn every_change_of_the_settings_is_seen_in_the_label() {
    let label = |settings: &ProxySettings| container(settings).labels[SPEC_LABEL].clone();
    let usual = label(&settings());
    assert_eq!(label(&settings()), usual);
    let others = [
        ProxySettings {
            image: "traefik:v3.8".to_owned(),
            ..settings()
        },
        ProxySettings {
            bind: "127.0.0.1".to_owned(),
            ..settings()
        },
        ProxySettings {
            ports: PublicPorts { http: 8080, https: 443 },
            ..settings()
        },
        ProxySettings {
            directory: PathBuf::from("/srv/dhow/traefik"),
            ..settings()
        },
        ProxySettings {
            acme: Some(acme()),
            ..settings()
        },
    ];
    for other in others {
        assert_ne!(label(&other), usual, "{other:?}");
    }
}
