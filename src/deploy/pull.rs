//! Pull: bring the ready image that an app runs, as its registry has it now.
//!
//! What is pulled is pulled by its digest and then named as the deployment's own. A name that somebody else gave an image
//! on this engine is neither moved nor taken away.

use std::time::Duration;

use super::build::{BuiltImage, lines_to_log, whole_minutes};
use super::fetch::Disk;
use super::job::Job;
use super::login::Login;
use super::{Context, DeployError, login, release};
use crate::db;
use crate::docker::{self, Image, RegistryError, Resolved};
use crate::model::build_inputs::BuildInputs;
use crate::model::deployment::{Step, Trigger};
use crate::model::source::{ImageRef, PulledImage};
use crate::secrets::Redaction;

/// How long a registry may take to say what a name stands for; the engine asks again by itself in this time.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// How often an image is fetched that another app's clean-up takes away before it is named.
const ATTEMPTS: usize = 3;

/// Answers the image to run and what it is. A change of settings keeps the one that serves, whatever its tag has become
/// since; everything else asks the registry.
pub async fn run(job: &Job, image: &ImageRef) -> Result<(BuiltImage, PulledImage), DeployError> {
    let asked = PulledImage {
        name: image.to_string(),
        digest: None,
    };
    remember(job, asked).await?;
    let (id, pulled) = match unchanged(job, image).await? {
        Some(found) => found,
        None => job.step(Step::Fetch, bring(job, image)).await?,
    };
    let inputs = BuildInputs::of_image(image, pulled.digest.as_deref().unwrap_or(&id));
    remember(job, pulled.clone()).await?;
    Ok((BuiltImage { id, inputs }, pulled))
}

/// Stores what the deployment is of, as far as it is known.
async fn remember(job: &Job, image: PulledImage) -> Result<(), DeployError> {
    let id = job.deployment.id;
    let noted = job
        .context
        .db
        .write(move |tx| db::deployments::update_image(tx, id, &image));
    noted.await?;
    job.announce();
    Ok(())
}

/// Takes what Dhow's own pulls have brought off the engine again, once nothing names or runs it.
pub async fn remove_unused(context: &Context) -> Result<(), DeployError> {
    for reference in context.db.read(db::pulled_images::list).await? {
        if context.engine.remove_fetched(&reference).await? {
            let gone = context.db.write(move |tx| db::pulled_images::delete(tx, &reference));
            gone.await?;
        }
    }
    Ok(())
}

/// The image that serves, for a change of settings that leaves it as it is.
async fn unchanged(job: &Job, image: &ImageRef) -> Result<Option<(String, PulledImage)>, DeployError> {
    if job.deployment.trigger != Trigger::Config {
        return Ok(None);
    }
    let Some(active) = release::active(&job.context, job.app.id).await? else {
        return Ok(None);
    };
    let pulled = active.image.filter(|pulled| pulled.name == image.as_str());
    let Some(pulled) = pulled else { return Ok(None) };
    if job.context.engine.find_image(&active.image_id).await?.is_none() {
        return Ok(None);
    }
    job.log.line(&format!(
        "Nothing to pull: the image of v{} is used, which {image} stood for then",
        active.number
    ));
    Ok(Some((active.image_id, pulled)))
}

async fn bring(job: &Job, image: &ImageRef) -> Result<(String, PulledImage), DeployError> {
    Disk::of(&job.context).free()?;
    let login = Login::load(&job.context, job.app.id, image).await?;
    let hidden = login.as_ref().map(Login::texts_to_hide);
    job.log.redact(Redaction::of(hidden.unwrap_or_default()));
    login::refuse_private(&job.context, image).await?;
    job.log.line(&format!(
        "Asking {} {} for {image}",
        image.registry_name(),
        if login.is_some() {
            "with the stored password"
        } else {
            "without a password"
        }
    ));
    let engine = &job.context.engine;
    let answer = engine
        .resolve_image(image.as_str(), login.as_ref().map(Login::token), ANSWER_LIMIT)
        .await;
    let (found, digest) = match answer {
        Ok(resolved) => {
            tell(job, image, &resolved);
            let found = fetch(job, &resolved.reference, login.as_ref()).await?;
            (found, resolved.digest().to_owned().into())
        }
        Err(RegistryError::Unreachable(sentence)) => local(job, image, sentence).await?,
        Err(error) => return Err(error.into()),
    };
    Ok((
        found.id,
        PulledImage {
            name: image.to_string(),
            digest,
        },
    ))
}

fn tell(job: &Job, image: &ImageRef, resolved: &Resolved) {
    job.log.line(&format!("{image} is {}", resolved.digest()));
    if !resolved.other_platforms.is_empty() {
        job.log.line(&format!(
            "Warning: the image is made for {} and not for this server; it only runs where that is emulated",
            resolved.other_platforms.join(", ")
        ));
    }
}

/// Has an image on the engine under the deployment's own name.
async fn fetch(job: &Job, reference: &str, login: Option<&Login>) -> Result<Image, DeployError> {
    let engine = &job.context.engine;
    for _ in 0..ATTEMPTS {
        let found = match engine.find_image(reference).await? {
            Some(found) => {
                job.log.line("Nothing to pull: it is on this server already");
                found
            }
            None => pull(job, reference, login).await?,
        };
        match engine.tag_image(&found.id, &job.image_tag()).await {
            Ok(()) => return Ok(found),
            // A clean-up did not know yet that it was wanted again.
            Err(docker::Error::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(DeployError::ImageNotFound(format!(
        "{reference} vanished from the engine each time it was pulled. See what removes images there, then deploy again."
    )))
}

async fn pull(job: &Job, reference: &str, login: Option<&Login>) -> Result<Image, DeployError> {
    // Before, so that a kill leaves nothing behind that nobody knows; and after, since a clean-up may have found
    // nothing there yet.
    note(&job.context, reference).await?;
    let (lines, log) = lines_to_log(job);
    let limit = job.context.config.build_timeout;
    let pulling = job
        .context
        .engine
        .fetch_image(reference, login.map(Login::token), &lines);
    let pulled = tokio::time::timeout(limit, pulling).await;
    drop(lines);
    log.await.map_err(|error| DeployError::Internal(error.to_string()))?;
    let minutes = whole_minutes(limit);
    let pulled = pulled.map_err(|_elapsed| DeployError::PullTimedOut { minutes })??;
    note(&job.context, reference).await?;
    Ok(pulled)
}

async fn note(context: &Context, reference: &str) -> Result<(), DeployError> {
    let reference = reference.to_owned();
    let noted = context
        .db
        .write(move |tx| db::pulled_images::insert_new(tx, &reference));
    Ok(noted.await?)
}

/// The image of this very name or digest that is on the engine, where its registry does not answer. What other apps had
/// built or pulled for them is none of it: their registry let them have it, and nobody else.
async fn local(job: &Job, image: &ImageRef, sentence: String) -> Result<(Image, Option<String>), DeployError> {
    let engine = &job.context.engine;
    let found = engine.find_image(image.as_str()).await?;
    let found = found.filter(|found| !engine.is_ours(found, image.familiar()));
    let is_others = is_pulled_for_others(job, image).await?;
    let Some(found) = found.filter(|_| !is_others) else {
        return Err(RegistryError::Unreachable(sentence).into());
    };
    job.log.line(&sentence);
    job.log.line(&match image.digest() {
        Some(_) => format!("The engine has this very image, so it is used: {image}"),
        None => format!(
            "Warning: the image that the engine has under the name {image} is used; whether the registry has a newer one \
             is not known"
        ),
    });
    engine.tag_image(&found.id, &job.image_tag()).await?;
    Ok((found, image.digest().map(str::to_owned)))
}

/// Whether Dhow pulled an image that is asked for by its digest, and never for this app.
async fn is_pulled_for_others(job: &Job, image: &ImageRef) -> Result<bool, DeployError> {
    let Some(digest) = image.digest().map(str::to_owned) else {
        return Ok(false);
    };
    let app = job.app.id;
    let is_pulled = job.context.db.read(move |c| {
        let pulled = db::pulled_images::list(c)?;
        let is_pulled = pulled.iter().any(|reference| reference.ends_with(&digest));
        Ok(is_pulled && !db::releases::has_image(c, app, &digest)?)
    });
    Ok(is_pulled.await?)
}
