//! Reconcile: make what an app has on the engine match the database.
//!
//! Only objects with both labels of ownership are looked at. A container belongs to the app whose deployment made
//! it, by the deployment's id, since a slug may be used again by another app.

use std::collections::BTreeSet;

use super::strays::{self, all_containers, deployment_of};
use super::{Context, DeployError, environment, proxy, pull, routes, start};
use crate::db;
use crate::docker::{self, ContainerSummary};
use crate::model::app::App;
use crate::model::container::{
    APP_LABEL, ContainerState, DEPLOYMENT_LABEL, PROJECT_LABEL, RELEASE_LABEL, RestartPolicy,
};
use crate::model::ids::{AppId, DeploymentId};
use crate::model::release::Release;

/// Makes one app right: deletes it, or has exactly its active release running and routed.
pub async fn app(context: &Context, id: AppId) -> Result<(), DeployError> {
    let (app, is_deleting) = context
        .db
        .read(move |c| Ok((db::apps::find(c, id)?, db::apps::is_deleting(c, id)?)))
        .await?;
    match app {
        None => Ok(()),
        Some(app) if is_deleting => delete(context, &app).await,
        Some(app) => restore(context, &app).await,
    }
}

/// The containers of an app besides one, with their states.
pub async fn other_instances(context: &Context, app: AppId, kept: &str) -> Result<Vec<ContainerState>, DeployError> {
    let mut states = Vec::new();
    for container in containers_of(context, app).await? {
        if container.name != kept {
            states.extend(context.engine.inspect_container(&container.name).await?);
        }
    }
    Ok(states)
}

/// Stops an instance within its own time and removes it.
pub async fn remove_instance(context: &Context, name: &str) -> Result<(), docker::Error> {
    context.engine.set_restart_policy(name, RestartPolicy::No).await?;
    context.engine.stop_container(name).await?;
    context.engine.remove_container(name).await
}

/// Finishes the deletion of projects whose apps are gone.
pub async fn deleted_projects(context: &Context) -> Result<(), DeployError> {
    for project in context.db.read(db::projects::list_deleting).await? {
        proxy::remove_project_network(context, &project).await?;
        let id = project.id;
        context.db.write(move |tx| db::projects::delete(tx, id)).await?;
    }
    Ok(())
}

async fn containers_of(context: &Context, app: AppId) -> Result<Vec<ContainerSummary>, DeployError> {
    let ids: BTreeSet<DeploymentId> = context
        .db
        .read(move |c| db::deployments::list_ids_of_app(c, app))
        .await?
        .into_iter()
        .collect();
    let mut containers = all_containers(context).await?;
    containers.retain(|container| deployment_of(&container.labels).is_some_and(|id| ids.contains(&id)));
    Ok(containers)
}

/// Has the active release run and serve, unless it was stopped, and nothing else.
async fn restore(context: &Context, app: &App) -> Result<(), DeployError> {
    let id = app.id;
    let live = context.db.read(move |c| {
        let Some((release, deployment)) = db::apps::find_active(c, id)? else {
            return Ok(None);
        };
        Ok(db::releases::find(c, release)?.map(|release| (deployment, release)))
    });
    let live = live.await?;
    let kept = live
        .as_ref()
        .map(|(deployment, _)| context.name_of(app.slug.as_str(), *deployment));
    if app.stopped_at.is_some() {
        // Its route first, so that nothing is asked of what ends.
        routes::write(context, app.id).await?;
        if let Some(name) = &kept {
            stop_instance(context, name).await?;
        }
    } else if let Some((deployment, release)) = &live {
        proxy::ensure_project_network(context, app).await?;
        run_instance(context, app, *deployment, release).await?;
    }
    routes::write(context, app.id).await?;
    for container in containers_of(context, app.id).await? {
        if Some(&container.name) != kept.as_ref() {
            tracing::info!(container = container.name, "removing a container that is not live");
            remove_instance(context, &container.name).await?;
        }
    }
    Ok(())
}

/// Ends an instance that shall not run and keeps its container, with what it has printed.
async fn stop_instance(context: &Context, name: &str) -> Result<(), DeployError> {
    match context.engine.inspect_container(name).await? {
        Some(state) if state.is_running => {
            context.engine.set_restart_policy(name, RestartPolicy::No).await?;
            Ok(context.engine.stop_container(name).await?)
        }
        _ => Ok(()),
    }
}

/// Starts the instance of a release, making it anew when its container is gone.
async fn run_instance(
    context: &Context,
    app: &App,
    deployment: DeploymentId,
    release: &Release,
) -> Result<(), DeployError> {
    let name = context.name_of(app.slug.as_str(), deployment);
    let policy = RestartPolicy::UnlessStopped;
    match context.engine.inspect_container(&name).await? {
        Some(state) if state.is_running => {
            // Its deployment may have died before it came to this.
            context.engine.set_restart_policy(&name, policy).await?;
            if state.is_paused {
                tracing::info!(container = name, "letting a paused instance go on");
                context.engine.unpause_container(&name).await?;
            }
            return rejoin_network(context, app, &state).await;
        }
        Some(_) => {}
        None => make_instance(context, app, deployment, release, &name).await?,
    }
    tracing::info!(container = name, "starting an instance that did not run");
    // First, so that the engine has it from there on, also when it ends at once.
    context.engine.set_restart_policy(&name, policy).await?;
    Ok(context.engine.start_container(&name).await?)
}

/// An instance that somebody took out of its project's network is put back.
async fn rejoin_network(context: &Context, app: &App, state: &ContainerState) -> Result<(), DeployError> {
    let network = proxy::project_network(context, app);
    if state.addresses.contains_key(&network) {
        return Ok(());
    }
    tracing::info!(
        container = state.name,
        network,
        "putting an instance back into its network"
    );
    Ok(context.engine.connect_network(&network, &state.name).await?)
}

async fn make_instance(
    context: &Context,
    app: &App,
    deployment: DeploymentId,
    release: &Release,
    name: &str,
) -> Result<(), DeployError> {
    let release_id = release.id;
    let sealed = context
        .db
        .read(move |c| db::env_vars::list_of_release(c, release_id))
        .await?;
    let mut env = start::unseal_all(context, app.id, &sealed)?;
    env.extend(environment::reserved(context, app, release).await?);
    let labels = [
        (PROJECT_LABEL, app.project_slug.to_string()),
        (APP_LABEL, app.slug.to_string()),
        (DEPLOYMENT_LABEL, deployment.to_string()),
        (RELEASE_LABEL, release.number.to_string()),
    ];
    let labels = labels
        .into_iter()
        .map(|(label, value)| (label.to_owned(), value))
        .collect();
    let spec = start::instance_spec(context, app, release, name, env, labels);
    context.engine.create_container(&spec).await?;
    if let Err(error) = environment::confirm(&context.engine, &spec).await {
        context.engine.remove_container(name).await?;
        return Err(error);
    }
    Ok(())
}

/// Finishes the deletion of an app: route first, so that nothing is asked of what goes away.
async fn delete(context: &Context, app: &App) -> Result<(), DeployError> {
    remove_route(context, app).await?;
    for container in containers_of(context, app.id).await? {
        remove_instance(context, &container.name).await?;
    }
    let id = app.id;
    let deployments: BTreeSet<DeploymentId> = context
        .db
        .read(move |c| db::deployments::list_ids_of_app(c, id))
        .await?
        .into_iter()
        .collect();
    for image in context.engine.list_images(Some(app.slug.as_str())).await? {
        if deployment_of(&image.labels).is_some_and(|id| deployments.contains(&id)) {
            strays::remove_image(context, &image).await?;
        }
    }
    for name in strays::names_of_app(context, id).await? {
        context.engine.remove_image(&name.name).await?;
    }
    pull::remove_unused(context).await?;
    for deployment in deployments {
        let removed = context.logs.remove(deployment);
        removed.map_err(|error| DeployError::of_io(&error))?;
    }
    match tokio::fs::remove_dir_all(context.paths.app(app.id)).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(DeployError::of_io(&error)),
        _ => {}
    }
    context.db.write(move |tx| db::apps::delete(tx, id)).await?;
    tracing::info!(app = %app.slug, "the app was deleted");
    deleted_projects(context).await
}

/// Removes the route file, unless a new app has taken the slug and with it the file.
async fn remove_route(context: &Context, app: &App) -> Result<(), DeployError> {
    let slug = app.slug.to_string();
    match context.db.read(move |c| db::apps::find_by_slug(c, &slug)).await? {
        Some(successor) => routes::write(context, successor.id).await.map(drop),
        None => routes::write(context, app.id).await.map(drop),
    }
}
