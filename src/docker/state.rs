//! Turns the engine's description of a container into the model's.

use std::collections::BTreeMap;

use bollard::models::{ContainerInspectResponse, HealthStatusEnum, HealthcheckResult, NetworkSettings};

use crate::model::container::{ContainerState, HealthCheckRun};
use crate::model::time::Timestamp;

/// The model's view of an inspected container.
pub(super) fn container_state(inspected: ContainerInspectResponse) -> ContainerState {
    let state = inspected.state.unwrap_or_default();
    let networks = inspected.network_settings.unwrap_or_default();
    let health = state.health.unwrap_or_default();
    ContainerState {
        id: inspected.id.unwrap_or_default(),
        name: inspected.name.unwrap_or_default().trim_start_matches('/').to_owned(),
        image_id: inspected.image.unwrap_or_default(),
        labels: inspected
            .config
            .and_then(|config| config.labels)
            .unwrap_or_default()
            .into_iter()
            .collect(),
        // The engine calls a container that waits for its next restart "running" as well.
        is_running: state.running.unwrap_or(false) && !state.restarting.unwrap_or(false),
        is_paused: state.paused.unwrap_or(false),
        is_restarting: state.restarting.unwrap_or(false),
        started_at: state.started_at.as_deref().and_then(moment),
        finished_at: state.finished_at.as_deref().and_then(moment),
        exit_code: state.exit_code.unwrap_or(0),
        was_out_of_memory: state.oom_killed.unwrap_or(false),
        restart_count: inspected.restart_count.unwrap_or(0),
        health: health.status.and_then(health_word),
        last_health_check: health.log.and_then(last_health_check),
        pid: state.pid.unwrap_or(0),
        host_ports: host_ports(&networks),
        addresses: addresses(networks),
    }
}

/// The engine writes "never" as the first moment of year 1.
fn moment(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).filter(|moment| moment.as_millis() > 0)
}

fn health_word(status: HealthStatusEnum) -> Option<String> {
    match status {
        HealthStatusEnum::EMPTY | HealthStatusEnum::NONE => None,
        HealthStatusEnum::STARTING | HealthStatusEnum::HEALTHY | HealthStatusEnum::UNHEALTHY => {
            Some(status.to_string())
        }
    }
}

/// The engine lists its last five runs, oldest first.
fn last_health_check(runs: Vec<HealthcheckResult>) -> Option<HealthCheckRun> {
    runs.into_iter().next_back().map(|run| HealthCheckRun {
        exit_code: run.exit_code.unwrap_or(0),
        output: run.output.unwrap_or_default(),
    })
}

fn addresses(networks: NetworkSettings) -> BTreeMap<String, String> {
    let endpoints = networks.networks.unwrap_or_default().into_iter();
    let addresses = endpoints.filter_map(|(network, endpoint)| Some((network, endpoint.ip_address?)));
    addresses.filter(|(_, address)| !address.is_empty()).collect()
}

fn host_ports(networks: &NetworkSettings) -> BTreeMap<u16, u16> {
    let ports = networks.ports.iter().flatten();
    let published = ports.filter_map(|(port, bindings)| {
        let container_port = port.strip_suffix("/tcp")?.parse().ok()?;
        let host_port = bindings
            .as_ref()?
            .iter()
            .find_map(|binding| binding.host_port.as_ref()?.parse().ok())?;
        Some((container_port, host_port))
    });
    published.collect()
}
