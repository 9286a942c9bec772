//! What a deployment makes live: a release of now, frozen from the app's settings and variables, or one that is there.
//!
//! An image is not built again when nothing that goes into it has changed and it is still on the engine.

use std::collections::BTreeMap;

use super::build::{self, BuiltImage};
use super::job::Job;
use super::variables::{self, Variables};
use super::{Context, DeployError, port};
use crate::db::{self, Page};
use crate::model::app::App;
use crate::model::build_inputs::BuildInputs;
use crate::model::deployment::{CommitInfo, Trigger};
use crate::model::difference::Configuration;
use crate::model::env_var::SealedEnvVar;
use crate::model::ids::{AppId, DeploymentId, ReleaseId};
use crate::model::release::Release;
use crate::model::source::{PulledImage, Source};

/// Releases whose images are compared with what is to be built; older ones are gone as a rule.
const LOOKED_AT: u32 = 50;

/// The release that a rollback or a restart makes live again, with its image still here; `None` for a deployment that
/// makes one of its own.
pub async fn wanted_back(job: &Job) -> Result<Option<Release>, DeployError> {
    let release = match job.deployment.trigger {
        Trigger::Rollback => wanted(job).await?,
        Trigger::Restart => active(&job.context, job.app.id)
            .await?
            .ok_or_else(|| DeployError::Internal("nothing is live that could be started again".into()))?,
        Trigger::Manual | Trigger::Api | Trigger::Push | Trigger::Webhook | Trigger::Config => return Ok(None),
    };
    require_image(job, &release).await?;
    let (id, release_id) = (job.deployment.id, release.id);
    let (commit, image) = (release.commit.clone(), release.image.clone());
    let noted = job.context.db.write(move |tx| {
        commit
            .map(|commit| db::deployments::update_commit(tx, id, &commit))
            .transpose()?;
        image
            .map(|image| db::deployments::update_image(tx, id, &image))
            .transpose()?;
        db::deployments::update_release(tx, id, Some(release_id))
    });
    noted.await?;
    job.log.line(&format!(
        "Nothing to fetch or build: using v{} as it was",
        release.number
    ));
    Ok(Some(release))
}

/// What a change of settings is applied to: the commit that serves, whatever its branch has become since.
pub async fn commit_of_settings(job: &Job) -> Result<Option<CommitInfo>, DeployError> {
    if job.deployment.trigger != Trigger::Config {
        return Ok(None);
    }
    Ok(active(&job.context, job.app.id)
        .await?
        .and_then(|release| release.commit))
}

/// An image that was made of the same commit, settings and variables, and is still here.
pub async fn made_before(job: &Job, commit: &CommitInfo) -> Result<Option<BuiltImage>, DeployError> {
    made_of_the_same(job, &build_inputs(&job.context, &job.app, commit).await?).await
}

/// An image that was made of the same and is still here. One that was asked for anew is built in any case.
pub async fn made_of_the_same(job: &Job, inputs: &BuildInputs) -> Result<Option<BuiltImage>, DeployError> {
    if job.deployment.is_fresh {
        return Ok(None);
    }
    let app = job.app.id;
    let releases = job
        .context
        .db
        .read(move |c| db::releases::list_of_app(c, app, Page::first(LOOKED_AT)))
        .await?;
    for release in releases {
        let Some(made_of) = release.build_inputs.filter(|made_of| made_of.makes_the_same(inputs)) else {
            continue;
        };
        if job.context.engine.find_image(&release.image_id).await?.is_none()
            || build::bases_now(&job.context, made_of.bases.keys()).await? != made_of.bases
        {
            continue;
        }
        let what = if made_of.commit == inputs.commit {
            "the same commit and settings"
        } else {
            "the same files and settings"
        };
        job.log.line(&format!(
            "Nothing to build: v{} was made of {what}, its image is used",
            release.number
        ));
        let files = inputs.files.clone().or(made_of.files);
        return Ok(Some(BuiltImage {
            id: release.image_id,
            inputs: BuildInputs {
                files,
                bases: made_of.bases,
                ..inputs.clone()
            },
        }));
    }
    Ok(None)
}

/// What an image of a commit would be made of now.
pub async fn build_inputs(context: &Context, app: &App, commit: &CommitInfo) -> Result<BuildInputs, DeployError> {
    build_inputs_with(context, app, commit, &variables::now(context, app).await?)
}

/// The same with these variables of the app.
pub fn build_inputs_with(
    context: &Context,
    app: &App,
    commit: &CommitInfo,
    sealed: &[SealedEnvVar],
) -> Result<BuildInputs, DeployError> {
    let mut variables = digests(context, app.id, sealed.iter().filter(|var| var.scope.is_build()))?;
    // The same value as an argument or as a secret makes two images.
    for var in sealed.iter().filter(|var| var.is_secret) {
        if let Some(digest) = variables.get_mut(var.key.as_str()) {
            digest.push_str(BuildInputs::SECRET_SUFFIX);
        }
    }
    Ok(BuildInputs::of(&app.settings, &commit.sha, variables))
}

/// What a release is of.
pub enum Origin {
    /// A commit, of which its image was built.
    Commit(CommitInfo),
    /// A ready image.
    Image(PulledImage),
}

/// Stores the release with the variables of this moment; a former attempt's release is replaced.
pub async fn freeze(job: &Job, image: BuiltImage, origin: Origin) -> Result<Release, DeployError> {
    let (app, project, id) = (job.app.id, job.app.project_id, job.deployment.id);
    let run = port::run_settings(job, &image.id).await?;
    let secrets = job.context.secrets.clone();
    let (commit, pulled) = match origin {
        Origin::Commit(commit) => (Some(commit), None),
        Origin::Image(pulled) => (None, Some(pulled)),
    };
    let release = job.context.db.write(move |tx| {
        let new = db::releases::NewRelease {
            app_id: app,
            number: db::releases::next_number(tx, app)?,
            deployment_id: id,
            image_id: &image.id,
            commit: commit.as_ref(),
            image: pulled.as_ref(),
            run: &run,
            build_inputs: &image.inputs,
        };
        let release = db::releases::insert(tx, &new)?;
        let mut vars = Variables::read(tx, app, project)?.sealed_for_app(&secrets)?;
        vars.retain(|var| var.scope.is_run());
        db::env_vars::insert_of_release(tx, release, &vars)?;
        db::deployments::update_release(tx, id, Some(release))?;
        Ok::<_, DeployError>(db::releases::find(tx, release)?)
    });
    release.await?.ok_or_else(missing)
}

/// The release of a deployment that is past its check.
pub async fn of_deployment(context: &Context, id: DeploymentId) -> Result<Release, DeployError> {
    let release = context.db.read(move |c| {
        let release = db::deployments::find(c, id)?.and_then(|deployment| deployment.release_id);
        find(c, release)
    });
    release.await?.ok_or_else(missing)
}

/// The release that serves an app.
pub async fn active(context: &Context, app: AppId) -> Result<Option<Release>, DeployError> {
    let release = context.db.read(move |c| {
        let active = db::apps::find_active(c, app)?;
        find(c, active.map(|(release, _)| release))
    });
    Ok(release.await?)
}

/// An app as its next release would freeze it, for the commit or the image that serves. A port that nobody has chosen is
/// taken for what it is there: a guess is no change that waits for being applied.
pub async fn configuration_of_app(
    context: &Context,
    app: &App,
    active: &Release,
) -> Result<Configuration, DeployError> {
    let sealed = variables::now(context, app).await?;
    let mut run = app.settings.run.clone();
    if app.settings.is_port_guessed {
        run.port = active.run.port;
    }
    let build = match (&app.settings.source, &active.commit) {
        (Source::Image { image }, _) => {
            let digest = active.image.as_ref().and_then(|pulled| pulled.digest.as_deref());
            Some(BuildInputs::of_image(image, digest.unwrap_or(&active.image_id)))
        }
        (_, Some(commit)) => Some(build_inputs(context, app, commit).await?),
        (_, None) => None,
    };
    Ok(Configuration {
        run,
        variables: digests(context, app.id, sealed.iter().filter(|var| var.scope.is_run()))?,
        build,
    })
}

/// A release as it is frozen.
pub async fn configuration_of_release(context: &Context, release: &Release) -> Result<Configuration, DeployError> {
    let id = release.id;
    let sealed = context.db.read(move |c| db::env_vars::list_of_release(c, id)).await?;
    Ok(Configuration {
        run: release.run.clone(),
        variables: digests(context, release.app_id, sealed.iter())?,
        build: release.build_inputs.clone(),
    })
}

fn digests<'a>(
    context: &Context,
    app: AppId,
    sealed: impl Iterator<Item = &'a SealedEnvVar>,
) -> Result<BTreeMap<String, String>, DeployError> {
    let digest = |var: &SealedEnvVar| {
        let value = context.secrets.unseal(&var.key.seal_identity(app), &var.sealed);
        let value = value.map_err(DeployError::unreadable(var.key.as_str()))?;
        Ok((var.key.to_string(), context.secrets.digest(&value)))
    };
    sealed.map(digest).collect()
}

async fn wanted(job: &Job) -> Result<Release, DeployError> {
    let wanted = job.deployment.wanted_release_id;
    let release = job.context.db.read(move |c| find(c, wanted)).await?;
    release.ok_or_else(missing)
}

async fn require_image(job: &Job, release: &Release) -> Result<(), DeployError> {
    if job.context.engine.find_image(&release.image_id).await?.is_some() {
        return Ok(());
    }
    let again = match (&release.image, &release.commit) {
        (Some(image), _) => format!("Deploy to pull {} again.", image.name),
        (None, Some(commit)) => format!("Deploy {} to build it again.", commit.short()),
        (None, None) => "Deploy its commit to build it again.".to_owned(),
    };
    Err(DeployError::ImageNotFound(format!(
        "The image of v{} is not on this server any more. {again}",
        release.number
    )))
}

fn find(c: &db::Tx, release: Option<ReleaseId>) -> db::Result<Option<Release>> {
    release
        .map(|release| db::releases::find(c, release))
        .transpose()
        .map(Option::flatten)
}

fn missing() -> DeployError {
    DeployError::Internal("the deployment's release is missing".into())
}
