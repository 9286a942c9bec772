//! Strays: what carries both labels of ownership, or lies in the data directory, and that the database does not know.
//!
//! They come from a kill between two steps, or from a database that was put back to an older state.

use std::collections::{BTreeMap, HashSet};

use super::{Context, DeployError, proxy, pull, routes};
use crate::db;
use crate::docker::{self, ContainerSummary, ImageSummary, ImageTag};
use crate::model::container::DEPLOYMENT_LABEL;
use crate::model::ids::{AppId, DeploymentId};

/// Removes containers, images and names of images of unknown deployments, networks of unknown projects, route files and repositories of
/// unknown apps.
pub async fn remove(context: &Context) -> Result<(), DeployError> {
    routes::remove_strays(context).await?;
    for container in all_containers(context).await? {
        if is_stray(context, &container.labels).await? {
            tracing::info!(
                container = container.name,
                "removing a container that no deployment knows"
            );
            context.engine.remove_container(&container.name).await?;
        }
    }
    for image in context.engine.list_images(None).await? {
        if is_stray(context, &image.labels).await? {
            tracing::info!(image = image.id, "removing an image that no deployment knows");
            remove_image(context, &image).await?;
        }
    }
    for name in context.engine.list_image_tags().await? {
        if !is_known(context, name.deployment).await? {
            tracing::info!(image = name.name, "removing an image's name that no deployment knows");
            context.engine.remove_image(&name.name).await?;
        }
    }
    pull::remove_unused(context).await?;
    proxy::remove_unknown_networks(context).await?;
    remove_repositories(context).await
}

/// All containers of apps, one-off ones included.
pub async fn all_containers(context: &Context) -> Result<Vec<ContainerSummary>, DeployError> {
    let mut containers = context.engine.list_containers(Some("app")).await?;
    containers.extend(context.engine.list_containers(Some("job")).await?);
    Ok(containers)
}

/// The deployment that made a container or an image, by its labels.
pub fn deployment_of(labels: &BTreeMap<String, String>) -> Option<DeploymentId> {
    labels.get(DEPLOYMENT_LABEL)?.parse().ok().map(DeploymentId)
}

/// Removes an image by every name that it has.
pub async fn remove_image(context: &Context, image: &ImageSummary) -> Result<(), docker::Error> {
    if image.tags.is_empty() {
        return context.engine.remove_image(&image.id).await;
    }
    for tag in &image.tags {
        context.engine.remove_image(tag).await?;
    }
    Ok(())
}

/// The names that deployments of an app gave to images. A slug may be used again by another app, a deployment's id not.
pub async fn names_of_app(context: &Context, app: AppId) -> Result<Vec<ImageTag>, DeployError> {
    let ids = context
        .db
        .read(move |c| db::deployments::list_ids_of_app(c, app))
        .await?;
    let ids: HashSet<DeploymentId> = ids.into_iter().collect();
    let mut named = context.engine.list_image_tags().await?;
    named.retain(|name| ids.contains(&name.deployment));
    Ok(named)
}

async fn is_stray(context: &Context, labels: &BTreeMap<String, String>) -> Result<bool, DeployError> {
    match deployment_of(labels) {
        Some(id) => Ok(!is_known(context, id).await?),
        None => Ok(false),
    }
}

async fn is_known(context: &Context, id: DeploymentId) -> Result<bool, DeployError> {
    Ok(context.db.read(move |c| db::deployments::find(c, id)).await?.is_some())
}

async fn remove_repositories(context: &Context) -> Result<(), DeployError> {
    let of_io = |error| DeployError::of_io(&error);
    let mut entries = match tokio::fs::read_dir(context.paths.repositories()).await {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(of_io(error)),
    };
    let mut found = Vec::new();
    while let Some(entry) = entries.next_entry().await.map_err(of_io)? {
        found.push(entry);
    }
    // Asked after the directory: an app that was made meanwhile is known.
    let apps = context.db.read(db::apps::list_ids).await?;
    let known: HashSet<String> = apps.iter().map(ToString::to_string).collect();
    found.retain(|entry| !known.contains(entry.file_name().to_string_lossy().as_ref()));
    for entry in found {
        tracing::info!(directory = %entry.path().display(), "removing files that no app knows");
        tokio::fs::remove_dir_all(entry.path()).await.map_err(of_io)?;
    }
    Ok(())
}
