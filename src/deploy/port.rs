//! The port of an app whose owner has chosen none: told to it in `PORT` as any other, and given up for the one that it is
//! found at.
//!
//! Only the release knows of a guess until its instance was good there; then it becomes the app's own, in one transaction
//! with the release's. So a version that never was good changes nothing for the next one.

use super::DeployError;
use super::job::Job;
use crate::db;
use crate::events::Event;
use crate::model::app::RunSettings;
use crate::model::port_guess;
use crate::model::release::Release;

/// Whether the port of a release may be guessed: it is new, and nobody has chosen one.
pub fn is_guessed(job: &Job, release: &Release) -> bool {
    job.app.settings.is_port_guessed && release.deployment_id == job.deployment.id
}

/// The run settings that a release of an image begins with.
pub async fn run_settings(job: &Job, image: &str) -> Result<RunSettings, DeployError> {
    let mut run = job.app.settings.run.clone();
    if !job.app.settings.is_port_guessed {
        return Ok(run);
    }
    let Some(image) = job.context.engine.find_image(image).await? else {
        return Ok(run);
    };
    if let Some(port) = port_guess::of_image(&image.exposed_ports, image.port_variable.as_deref()) {
        let number = port.get();
        job.log.line(&format!(
            "Port {number}, since it is the only one that the image exposes"
        ));
        run.port = port;
    }
    Ok(run)
}

/// Stores where the instance was found to be good. The app gets it too, unless its port was chosen, or found by somebody
/// else, since the deployment began.
pub async fn keep(job: &Job, release: &Release) -> Result<(), DeployError> {
    let (app, before) = (job.app.id, job.app.settings.run.port);
    if !is_guessed(job, release) {
        return Ok(());
    }
    let (id, port) = (release.id, release.run.port);
    let kept = job.context.db.write(move |tx| {
        db::releases::update_port(tx, id, port)?;
        db::apps::update_guessed_port(tx, app, before, port)
    });
    if kept.await? && before != port {
        let number = port.get();
        job.log.line(&format!(
            "Port {number} is used from now on; to have another one, set it in the app's settings"
        ));
        job.context.events.announce(Event::App(app));
    }
    Ok(())
}
