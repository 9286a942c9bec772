//! Containers: made from a spec, started, stopped, removed, listed and described.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bollard::errors::Error as BollardError;
use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, ContainerSummaryStateEnum, ContainerUpdateBody, EndpointSettings,
    HostConfig, HostConfigLogConfig, Mount, MountType, NetworkingConfig, PortBinding, RestartPolicy as EnginePolicy,
    RestartPolicyNameEnum,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, RemoveContainerOptionsBuilder, StartContainerOptions,
    StopContainerOptions, WaitContainerOptionsBuilder,
};
use futures_util::StreamExt;

use super::ownership::{Labels, name_of};
use super::state::container_state;
use super::{Engine, Error};
use crate::model::container::{ContainerSpec, ContainerState, KIND_LABEL, PublishedPort, RestartPolicy};

/// What the engine may take beyond a container's stop timeout, after which it has sent SIGKILL.
const STOP_ALLOWANCE: Duration = Duration::from_secs(60);
/// The engine's own default where a container names no stop timeout, in seconds.
const DEFAULT_STOP_SECONDS: i64 = 10;
/// The API version that lets the first network stay the default route whatever joins later.
const GATEWAY_PRIORITY_SINCE: u32 = 48;

/// A container as a list shows it; [`Engine::inspect_container`] tells the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSummary {
    /// The engine's id.
    pub id: String,
    /// Its name, without the leading slash.
    pub name: String,
    /// Id of the image that it runs (`sha256:…`).
    pub image_id: String,
    /// Labels, ownership included.
    pub labels: BTreeMap<String, String>,
    /// Whether its process runs now.
    pub is_running: bool,
    /// Unix time, in seconds, at which it was made.
    pub created_at: i64,
}

impl Engine {
    /// Makes a container with the ownership labels added and answers its id. `Conflict` names the holder of the name;
    /// `NotFound` means that the image is not here. The spec's labels must hold `dhow.kind`.
    pub async fn create_container(&self, spec: &ContainerSpec) -> Result<String, Error> {
        if !spec.labels.contains_key(KIND_LABEL) {
            return Err(Error::Refused(format!(
                "container `{}` was given no {KIND_LABEL} label",
                spec.name
            )));
        }
        let docker = self.docker().await?;
        let options = CreateContainerOptionsBuilder::default().name(&spec.name).build();
        let has_gateway_priority = self.connection.api_minor() >= GATEWAY_PRIORITY_SINCE;
        let mut body = create_body(spec, has_gateway_priority);
        body.labels = Some(self.with_our_labels(&spec.labels));
        match docker
            .create_container(Some(options), body)
            .await
            .map_err(self.explain())
        {
            Ok(created) => Ok(created.id),
            Err(Error::Conflict(message)) => Err(self.name_conflict(&spec.name, message).await),
            Err(error) => Err(error),
        }
    }

    /// Starts it; one that runs already is fine.
    pub async fn start_container(&self, name: &str) -> Result<(), Error> {
        let id = self.our_container(name).await?.id.unwrap_or_default();
        let docker = self.docker().await?;
        docker
            .start_container(&id, None::<StartContainerOptions>)
            .await
            .map_err(self.explain())
    }

    /// Lets the processes of a paused one go on.
    pub async fn unpause_container(&self, name: &str) -> Result<(), Error> {
        let id = self.our_container(name).await?.id.unwrap_or_default();
        let docker = self.docker().await?;
        docker.unpause_container(&id).await.map_err(self.explain())
    }

    /// Stops it within its own stop timeout; one that does not run or is gone is fine.
    pub async fn stop_container(&self, name: &str) -> Result<(), Error> {
        let container = match self.our_container(name).await {
            Ok(container) => container,
            Err(Error::NotFound(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let own = container
            .config
            .and_then(|config| config.stop_timeout)
            .unwrap_or(DEFAULT_STOP_SECONDS);
        let bound = Duration::from_secs(own.max(0).unsigned_abs()) + STOP_ALLOWANCE;
        let docker = self.docker().await?.with_timeout(bound);
        let id = container.id.unwrap_or_default();
        gone_is_fine(
            docker
                .stop_container(&id, None::<StopContainerOptions>)
                .await
                .map_err(self.explain()),
        )
    }

    /// Removes it, running or not, with its anonymous volumes; one that is gone is fine. `Refused` when it is not ours.
    pub async fn remove_container(&self, name: &str) -> Result<(), Error> {
        let id = match self.our_container(name).await {
            Ok(container) => container.id.unwrap_or_default(),
            Err(Error::NotFound(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let docker = self.docker().await?;
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match docker
            .remove_container(&id, Some(options))
            .await
            .map_err(self.explain())
        {
            Err(Error::Conflict(message)) if message.contains("already in progress") => {
                let removed = WaitContainerOptionsBuilder::default().condition("removed").build();
                // Its answer and its errors say the same: the container is gone.
                docker.wait_container(&id, Some(removed)).next().await;
                Ok(())
            }
            outcome => gone_is_fine(outcome),
        }
    }

    /// Its condition, whoever owns it; `None` when there is none of that name.
    pub async fn inspect_container(&self, name: &str) -> Result<Option<ContainerState>, Error> {
        Ok(self.find_container(name).await?.map(container_state))
    }

    /// The same, but only of a container that is ours.
    pub async fn inspect_our_container(&self, name: &str) -> Result<Option<ContainerState>, Error> {
        let found = self.find_container(name).await?;
        let ours = found.filter(|found| self.is_our_container(labels_of(found)));
        Ok(ours.map(container_state))
    }

    /// The variables of a container that is ours, as `KEY=value`, those of its image among them.
    pub async fn container_environment(&self, name: &str) -> Result<Vec<String>, Error> {
        let config = self.our_container(name).await?.config;
        Ok(config.and_then(|config| config.env).unwrap_or_default())
    }

    /// Our containers, stopped ones included, optionally only those of a kind (`app`, `proxy`, `job`).
    pub async fn list_containers(&self, kind: Option<&str>) -> Result<Vec<ContainerSummary>, Error> {
        let label = kind.map_or_else(|| KIND_LABEL.to_owned(), |kind| format!("{KIND_LABEL}={kind}"));
        let containers = self.containers(&self.our_filters([label])).await?;
        let summaries = containers.into_iter().map(|container| ContainerSummary {
            name: name_of(&container),
            id: container.id.unwrap_or_default(),
            image_id: container.image_id.unwrap_or_default(),
            labels: container.labels.unwrap_or_default().into_iter().collect(),
            is_running: container.state == Some(ContainerSummaryStateEnum::RUNNING),
            created_at: container.created.unwrap_or(0),
        });
        Ok(summaries.collect())
    }

    /// Changes what the engine does after an exit.
    pub async fn set_restart_policy(&self, name: &str, policy: RestartPolicy) -> Result<(), Error> {
        let id = self.our_container(name).await?.id.unwrap_or_default();
        let docker = self.docker().await?;
        let change = ContainerUpdateBody {
            restart_policy: Some(engine_policy(policy)),
            ..Default::default()
        };
        docker.update_container(&id, change).await.map_err(self.explain())
    }

    /// The container of that name or id as the engine describes it, whoever owns it.
    pub(super) async fn find_container(&self, name: &str) -> Result<Option<ContainerInspectResponse>, Error> {
        let docker = self.docker().await?;
        match docker.inspect_container(name, None::<InspectContainerOptions>).await {
            Ok(found) => Ok(Some(found)),
            Err(BollardError::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(error) => Err(self.connection.explain(error)),
        }
    }

    /// The same, but `NotFound` when there is none and `Refused` when it is not ours.
    pub(super) async fn our_container(&self, name: &str) -> Result<ContainerInspectResponse, Error> {
        let found = self.find_container(name).await?;
        let found = found.ok_or_else(|| Error::NotFound(format!("there is no container `{name}`")))?;
        if self.is_our_container(labels_of(&found)) {
            return Ok(found);
        }
        Err(Error::Refused(format!(
            "container `{name}` does not belong to this Dhow and is left alone"
        )))
    }

    async fn name_conflict(&self, name: &str, message: String) -> Error {
        let Ok(Some(holder)) = self.find_container(name).await else {
            return Error::Conflict(message);
        };
        let config = holder.config.unwrap_or_default();
        let owner = if self.is_our_container(config.labels.as_ref()) {
            "this Dhow"
        } else {
            "somebody else"
        };
        let id: String = holder.id.unwrap_or_default().chars().take(12).collect();
        let image = config.image.unwrap_or_default();
        Error::Conflict(format!(
            "the name `{name}` is taken by container {id} (image {image}), which belongs to {owner}; remove or rename it"
        ))
    }
}

fn labels_of(container: &ContainerInspectResponse) -> Option<&Labels> {
    container.config.as_ref()?.labels.as_ref()
}

fn gone_is_fine(outcome: Result<(), Error>) -> Result<(), Error> {
    match outcome {
        Err(Error::NotFound(_)) => Ok(()),
        outcome => outcome,
    }
}

fn create_body(spec: &ContainerSpec, has_gateway_priority: bool) -> ContainerCreateBody {
    // The API clears an entry point by one empty string; an empty list means "the image's".
    let entrypoint = spec
        .entrypoint
        .clone()
        .map(|words| if words.is_empty() { vec![String::new()] } else { words });
    let priority = EndpointSettings {
        gw_priority: Some(1),
        ..Default::default()
    };
    let networking = NetworkingConfig {
        endpoints_config: Some(HashMap::from([(spec.network.clone(), priority)])),
    };
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        entrypoint,
        cmd: spec.command.clone(),
        env: Some(spec.env.iter().map(|(key, value)| format!("{key}={value}")).collect()),
        exposed_ports: Some(spec.ports.iter().map(port_key).collect()),
        stop_timeout: i64::try_from(spec.stop_timeout.as_secs()).ok(),
        host_config: Some(host_config(spec)),
        networking_config: has_gateway_priority.then_some(networking),
        ..Default::default()
    }
}

fn host_config(spec: &ContainerSpec) -> HostConfig {
    let mounts = spec.binds.iter().map(|bind| Mount {
        typ: Some(MountType::BIND),
        source: Some(bind.host_path.display().to_string()),
        target: Some(bind.container_path.clone()),
        read_only: Some(bind.is_read_only),
        ..Default::default()
    });
    let ports = spec.ports.iter().map(|port| {
        let host_port = port.host_port.map_or_else(String::new, |port| port.to_string());
        let binding = PortBinding {
            host_ip: Some(port.host_address.clone()),
            host_port: Some(host_port),
        };
        (port_key(port), Some(vec![binding]))
    });
    HostConfig {
        network_mode: Some(spec.network.clone()),
        mounts: Some(mounts.collect()),
        port_bindings: Some(ports.collect()),
        memory: spec.memory_bytes,
        nano_cpus: spec.nano_cpus,
        pids_limit: spec.pids_limit,
        restart_policy: Some(engine_policy(spec.restart)),
        init: Some(spec.has_init),
        log_config: Some(log_config()),
        ..Default::default()
    }
}

/// The engine's default keeps every line for ever, which fills the disk of a host that nobody watches.
fn log_config() -> HostConfigLogConfig {
    let limits = [("max-size", "10m"), ("max-file", "3")];
    let config = limits.map(|(key, value)| (key.to_owned(), value.to_owned()));
    HostConfigLogConfig {
        typ: Some("json-file".to_owned()),
        config: Some(HashMap::from(config)),
    }
}

fn port_key(port: &PublishedPort) -> String {
    format!("{}/tcp", port.container_port)
}

fn engine_policy(policy: RestartPolicy) -> EnginePolicy {
    let name = match policy {
        RestartPolicy::No => RestartPolicyNameEnum::NO,
        RestartPolicy::UnlessStopped => RestartPolicyNameEnum::UNLESS_STOPPED,
    };
    EnginePolicy {
        name: Some(name),
        maximum_retry_count: None,
    }
}
