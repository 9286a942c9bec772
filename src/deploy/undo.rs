//! Undo: remove what a deployment made, by names that follow from its id, so that it works for one of a former
//! process too. Never touches what serves.

use super::job::image_tag;
use super::{Context, DeployError, insist, pull};
use crate::db;
use crate::model::app::App;
use crate::model::deployment::Deployment;
use crate::model::ids::{AppId, DeploymentId};

/// Removes containers, image, release and files. Trouble is noted; what is left is found by the next reconcile.
pub async fn remove_all(context: &Context, app: &App, deployment: &Deployment) {
    let container = context.name_of(app.slug.as_str(), deployment.id);
    for name in [format!("{container}-release"), container] {
        if let Err(error) = context.engine.remove_container(&name).await {
            tracing::warn!(container = name, %error, "a container of an ended deployment is left");
        }
    }
    let tag = image_tag(context, app, deployment.id);
    if let Err(error) = context.engine.remove_image(&tag).await {
        tracing::warn!(image = tag, %error, "an image of an ended deployment is left");
    }
    if let Err(error) = pull::remove_unused(context).await {
        tracing::warn!(%error, "an image that an ended deployment pulled is left");
    }
    if let Err(error) = remove_release(context, app.id, deployment.id).await {
        tracing::warn!(deployment = %deployment.id, %error, "the release of an ended deployment is left");
    }
    remove_checkout(context, app.id, deployment.id).await;
}

/// Forgets the release that never became live; one that was to come back stays.
async fn remove_release(context: &Context, app: AppId, deployment: DeploymentId) -> Result<(), DeployError> {
    let removed = insist::write(context, move |tx| {
        let active = db::apps::find(tx, app)?.and_then(|app| app.active_release_id);
        db::releases::delete_of_deployment(tx, deployment, active)?;
        db::deployments::update_release(tx, deployment, None)
    });
    Ok(removed.await?)
}

/// Removes the files of the commit.
pub async fn remove_checkout(context: &Context, app: AppId, deployment: DeploymentId) {
    let dir = context.paths.checkout(app, deployment);
    match tokio::fs::remove_dir_all(&dir).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(dir = %dir.display(), %error, "files of a deployment are left");
        }
        _ => {}
    }
}
