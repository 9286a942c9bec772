//! The proxy: its container kept right, and the networks that it shares with projects.
//!
//! Its own network sorts before every project's, because the engine ties published ports to the first network by
//! name; joining one that sorts later cuts no transfer.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{Instant, sleep};

use super::{Context, DeployError};
use crate::model::app::{App, Project};
use crate::model::container::{ContainerSpec, ContainerState, PROJECT_LABEL};
use crate::model::ids::ProjectId;
use crate::model::route::AppRoutes;
use crate::model::slug::{AppSlug, ProjectSlug};
use crate::traefik::proxy::{self, Acme, PRIVATE_PORT, ProxySettings, SPEC_LABEL};
use crate::traefik::{self, Counters, ProxyApi};
use crate::{db, docker};

/// How long a new proxy may take to answer.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How long the port of the proxy's API is believed in before it is looked up again.
const ADDRESS_LIFETIME: Duration = Duration::from_secs(2);
/// How long the proxy is asked for what it has counted.
const COUNTERS_LIMIT: Duration = Duration::from_secs(10);
/// Pause before the proxy is asked again.
const PAUSE: Duration = Duration::from_millis(50);

/// Restarts of the proxy that are left to the engine before its container is made anew.
const RESTARTS_OF_THE_ENGINE: i64 = 3;

/// What the API's password is derived for.
const PASSWORD_PURPOSE: &str = "proxy api";

/// Makes the proxy what the configuration says; `true` when its container was made anew.
pub async fn ensure(context: &Context) -> anyhow::Result<bool> {
    let _one_at_a_time = context.proxy_lock.lock().await;
    context
        .routes
        .write(traefik::api_file(), &traefik::render_api(&password(context)))
        .await?;
    let spec = proxy::container(&settings(context));
    let labels = BTreeMap::new();
    context
        .engine
        .ensure_network(&spec.network, Some(&context.config.subnet_pool), labels)
        .await?;
    if let Some(state) = context.engine.inspect_container(&spec.name).await? {
        if is_as_wanted(context, &spec, &state).await? && has_run(context, &state).await? {
            join_networks(context, &spec).await?;
            return Ok(false);
        }
        context.engine.remove_container(&spec.name).await?;
    }
    make(context, &spec).await?;
    Ok(true)
}

/// Has the wanted settings and the image that its name stands for now.
async fn is_as_wanted(context: &Context, spec: &ContainerSpec, state: &ContainerState) -> anyhow::Result<bool> {
    let image = context.engine.find_image(&spec.image).await?;
    let is_newest = image.is_none_or(|image| image.id == state.image_id);
    Ok(is_newest && state.labels.get(SPEC_LABEL) == spec.labels.get(SPEC_LABEL))
}

/// Has a proxy that ended run again in its container, which is quicker than a new one and in all its networks. `false`
/// when that does not help.
async fn has_run(context: &Context, state: &ContainerState) -> Result<bool, docker::Error> {
    if state.is_running {
        return Ok(true);
    }
    if state.is_restarting && state.restart_count > RESTARTS_OF_THE_ENGINE {
        return Ok(false);
    }
    // The engine takes one that it is about to start by itself for started.
    match context.engine.start_container(&state.name).await {
        Ok(()) => tracing::info!(container = state.name, "the proxy had ended and was started"),
        Err(error @ docker::Error::Unreachable(_)) => return Err(error),
        Err(error) => {
            tracing::warn!(%error, "the proxy cannot be started again");
            return Ok(false);
        }
    }
    Ok(wait_until_it_answers(context).await.is_ok())
}

/// Puts it back into every network that it has left.
async fn join_networks(context: &Context, spec: &ContainerSpec) -> anyhow::Result<()> {
    let state = context.engine.inspect_container(&spec.name).await?;
    let joined = state.map(|state| state.addresses).unwrap_or_default();
    for network in networks(context, spec).await? {
        if !joined.contains_key(&network) {
            tracing::info!(network, "putting the proxy back into a network");
            context.engine.connect_network(&network, &spec.name).await?;
        }
    }
    Ok(())
}

/// Our networks but those of projects that are being deleted, the proxy's own first.
async fn networks(context: &Context, spec: &ContainerSpec) -> anyhow::Result<Vec<String>> {
    let deleting = context.db.read(db::projects::list_deleting).await?;
    let deleting: Vec<String> = deleting
        .iter()
        .map(|project| network_name(context, &project.slug, project.id))
        .collect();
    let mut networks = context.engine.list_networks().await?;
    networks.retain(|network| !deleting.contains(network));
    networks.sort_by_key(|network| *network != spec.network);
    Ok(networks)
}

async fn make(context: &Context, spec: &ContainerSpec) -> anyhow::Result<()> {
    if context.engine.find_image(&spec.image).await?.is_none() {
        tracing::info!(image = spec.image, "pulling the proxy's image");
        context.engine.pull_image(&spec.image).await.with_context(|| {
            format!(
                "the proxy's image {} is not here and cannot be pulled; see --traefik-image",
                spec.image
            )
        })?;
    }
    context.engine.create_container(spec).await?;
    // Before it starts, so that it never answers for an app that it cannot reach.
    for network in networks(context, spec).await? {
        if network != spec.network {
            context.engine.connect_network(&network, &spec.name).await?;
        }
    }
    if let Err(error) = context.engine.start_container(&spec.name).await {
        context.engine.remove_container(&spec.name).await?;
        let (http, https) = (context.config.http_port, context.config.https_port);
        let advice = "if they are in use, see --http-port and --https-port";
        return Err(anyhow::Error::new(error).context(format!(
            "the proxy could not be started on ports {http} and {https}; {advice}"
        )));
    }
    tracing::info!(container = spec.name, "the proxy was started");
    wait_until_it_answers(context).await
}

async fn wait_until_it_answers(context: &Context) -> anyhow::Result<()> {
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        let answer = match api(context).await {
            Ok(api) => api.ping().await.map_err(DeployError::from),
            Err(error) => Err(error),
        };
        match answer {
            Ok(()) => return Ok(()),
            Err(error) if Instant::now() > deadline => {
                let name = proxy::name(&context.config.instance);
                let output = context
                    .engine
                    .last_output(&name, 3)
                    .await
                    .unwrap_or_default()
                    .join("; ");
                return Err(anyhow::Error::new(error).context(format!("the proxy does not answer: {output}")));
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

fn settings(context: &Context) -> ProxySettings {
    let config = &context.config;
    ProxySettings {
        instance: config.instance.clone(),
        image: config.traefik_image.clone(),
        bind: config.bind.to_string(),
        ports: super::routes::public_ports(context),
        directory: context.paths.traefik(),
        acme: config.acme_email.clone().map(|email| Acme {
            email,
            directory: config.acme_directory.clone(),
            ca_file: config.acme_ca_file.clone(),
        }),
    }
}

fn password(context: &Context) -> String {
    context.secrets.derive_password(PASSWORD_PURPOSE)
}

/// The proxy's API at the port that the engine chose for it; another one after each start.
pub async fn api(context: &Context) -> Result<ProxyApi, DeployError> {
    let name = proxy::name(&context.config.instance);
    let state = context.engine.inspect_container(&name).await?;
    let port = state.and_then(|state| state.host_ports.get(&PRIVATE_PORT).copied());
    let port = port.ok_or_else(|| traefik::Error::Unreachable("its container does not run".to_owned()))?;
    Ok(ProxyApi::new(
        SocketAddr::from(([127, 0, 0, 1], port)),
        &password(context),
    ))
}

/// What the proxy has counted for an app; `None` where it does not tell, on a machine that is too busy or because it
/// is being started.
pub async fn counters(context: &Context, app: &AppSlug) -> Option<Counters> {
    let deadline = Instant::now() + COUNTERS_LIMIT;
    loop {
        if let Ok(api) = api(context).await
            && let Ok(counters) = api.counters(app.as_str()).await
        {
            return Some(counters);
        }
        if Instant::now() >= deadline {
            return None;
        }
        sleep(PAUSE).await;
    }
}

/// Waits until the proxy serves exactly these routes. One that died and came back meanwhile answers at another port.
pub async fn confirm(context: &Context, routes: &AppRoutes, limit: Duration) -> Result<(), DeployError> {
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let error = match api(context).await {
            Ok(api) => match api.confirm(routes, left.min(ADDRESS_LIFETIME)).await {
                Ok(()) => return Ok(()),
                Err(error) => error.into(),
            },
            Err(error @ DeployError::RouteFailed(_)) => error,
            Err(error) => return Err(error),
        };
        if Instant::now() >= deadline {
            return Err(error);
        }
        sleep(PAUSE).await;
    }
}

/// The name of an app's project network.
pub fn project_network(context: &Context, app: &App) -> String {
    network_name(context, &app.project_slug, app.project_id)
}

/// The id keeps a deleted project's network apart from that of a new project with the same slug.
fn network_name(context: &Context, slug: &ProjectSlug, id: ProjectId) -> String {
    format!("{}-{slug}-{id}", context.config.instance)
}

/// Makes the network of an app's project, with the proxy in it.
pub async fn ensure_project_network(context: &Context, app: &App) -> Result<(), DeployError> {
    let _one_at_a_time = context.proxy_lock.lock().await;
    let network = project_network(context, app);
    let labels = BTreeMap::from([(PROJECT_LABEL.to_owned(), app.project_slug.to_string())]);
    context
        .engine
        .ensure_network(&network, Some(&context.config.subnet_pool), labels)
        .await?;
    Ok(context
        .engine
        .connect_network(&network, &proxy::name(&context.config.instance))
        .await?)
}

/// Removes a project's network.
pub async fn remove_project_network(context: &Context, project: &Project) -> Result<(), docker::Error> {
    let _one_at_a_time = context.proxy_lock.lock().await;
    remove_network(context, &network_name(context, &project.slug, project.id)).await
}

/// Removes networks of projects that the database does not know.
pub async fn remove_unknown_networks(context: &Context) -> Result<(), DeployError> {
    let _one_at_a_time = context.proxy_lock.lock().await;
    let mut networks = context.engine.list_networks().await?;
    // Asked after the list: a project that was made meanwhile is known.
    let mut projects = context.db.read(db::projects::list_all).await?;
    projects.extend(context.db.read(db::projects::list_deleting).await?);
    let known = projects
        .iter()
        .map(|project| network_name(context, &project.slug, project.id));
    let known: HashSet<String> = known.chain([proxy::container(&settings(context)).network]).collect();
    networks.retain(|network| !known.contains(network));
    for network in networks {
        tracing::info!(network, "removing a network that no project knows");
        remove_network(context, &network).await?;
    }
    Ok(())
}

async fn remove_network(context: &Context, network: &str) -> Result<(), docker::Error> {
    let proxy = proxy::name(&context.config.instance);
    context.engine.disconnect_network(network, &proxy).await?;
    context.engine.remove_network(network).await
}
