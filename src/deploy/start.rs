//! Start: freeze the release, run its release command, start the new instance beside the old one.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;

use super::build::{BuiltImage, labels};
use super::job::Job;
use super::{Context, DeployError, proxy};
use crate::db;
use crate::docker;
use crate::model::app::{App, RunSettings};
use crate::model::container::{ContainerSpec, KIND_LABEL, RestartPolicy};
use crate::model::deployment::CommitInfo;
use crate::model::env_var::SealedEnvVar;
use crate::model::ids::ReleaseId;
use crate::model::text::ContainerCommand;
use crate::secrets::Redaction;

/// Time between SIGTERM and SIGKILL, as the engine's own default.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Freezes the release and starts its first instance.
pub async fn run(job: &Job, image: &BuiltImage, commit: &CommitInfo) -> Result<(), DeployError> {
    let release = freeze(job, image, commit).await?;
    let env = release_env(job, release).await?;
    proxy::ensure_project_network(&job.context, &job.app).await?;
    let run = &job.app.settings.run;
    if let Some(command) = &run.release_command {
        run_release_command(job, image, command, &env).await?;
    }
    let spec = instance_spec(
        &job.context,
        &job.app,
        run,
        &job.container(),
        &image.id,
        env,
        labels(job, image.release_number),
    );
    job.context
        .engine
        .remove_container(&spec.name)
        .await
        .map_err(cannot_start)?;
    job.context.engine.create_container(&spec).await.map_err(cannot_start)?;
    job.context
        .engine
        .start_container(&spec.name)
        .await
        .map_err(cannot_start)?;
    job.log.line(&format!("Started {}", spec.name));
    Ok(())
}

/// An image that vanished in between is told as such.
fn cannot_start(error: docker::Error) -> DeployError {
    match error {
        docker::Error::NotFound(text) => DeployError::ImageNotFound(text),
        other => other.into(),
    }
}

/// Stores the release with the variables of this moment; a former attempt's release is replaced.
async fn freeze(job: &Job, image: &BuiltImage, commit: &CommitInfo) -> Result<ReleaseId, DeployError> {
    let (app, id, number) = (job.app.id, job.deployment.id, image.release_number);
    let (image_id, commit, run) = (image.id.clone(), commit.clone(), job.app.settings.run.clone());
    let release = job.context.db.write(move |tx| {
        let new = db::releases::NewRelease {
            app_id: app,
            number,
            deployment_id: id,
            image_id: &image_id,
            commit: Some(&commit),
            run: &run,
        };
        let release = db::releases::insert(tx, &new)?;
        db::env_vars::insert_of_release(tx, release, app)?;
        db::deployments::update_release(tx, id, Some(release))?;
        Ok::<_, db::Error>(release)
    });
    Ok(release.await?)
}

/// The frozen variables in the clear; secrets among them are hidden in the log from now on.
async fn release_env(job: &Job, release: ReleaseId) -> Result<Vec<(String, String)>, DeployError> {
    let sealed = job
        .context
        .db
        .read(move |c| db::env_vars::list_of_release(c, release))
        .await?;
    open(job, &sealed)
}

/// The app's present variables that pass a filter, in the clear, hidden in the log when secret.
pub async fn open_variables(
    job: &Job,
    filter: impl Fn(&SealedEnvVar) -> bool,
) -> Result<Vec<(String, String)>, DeployError> {
    let app = job.app.id;
    let mut sealed = job.context.db.read(move |c| db::env_vars::list_of_app(c, app)).await?;
    // Also those that this step does not need: a build may print a file that holds one.
    open(job, &sealed)?;
    sealed.retain(filter);
    open(job, &sealed)
}

fn open(job: &Job, sealed: &[SealedEnvVar]) -> Result<Vec<(String, String)>, DeployError> {
    let env = unseal_all(&job.context, job.app.id, sealed)?;
    let secrets = sealed.iter().zip(&env).filter(|(var, _)| var.is_secret);
    job.log
        .redact(Redaction::of(secrets.map(|(_, (_, value))| value.clone())));
    Ok(env)
}

/// Variables in the clear.
pub fn unseal_all(
    context: &Context,
    app: crate::model::ids::AppId,
    sealed: &[SealedEnvVar],
) -> Result<Vec<(String, String)>, DeployError> {
    let unseal = |var: &SealedEnvVar| {
        let value = context.secrets.unseal(&var.key.seal_identity(app), &var.sealed);
        Ok((
            var.key.to_string(),
            value.map_err(DeployError::unreadable(var.key.as_str()))?,
        ))
    };
    sealed.iter().map(unseal).collect()
}

/// The container of an instance.
pub fn instance_spec(
    context: &Context,
    app: &App,
    run: &RunSettings,
    name: &str,
    image: &str,
    mut env: Vec<(String, String)>,
    mut labels: BTreeMap<String, String>,
) -> ContainerSpec {
    env.push(("PORT".to_owned(), run.port.get().to_string()));
    labels.insert(KIND_LABEL.to_owned(), "app".to_owned());
    ContainerSpec {
        name: name.to_owned(),
        image: image.to_owned(),
        entrypoint: run.start_command.as_ref().map(|_| Vec::new()),
        command: run.start_command.as_ref().map(ContainerCommand::to_argv),
        env,
        labels,
        network: proxy::project_network(context, app),
        ports: Vec::new(),
        binds: Vec::new(),
        memory_bytes: run.resources.memory_bytes(),
        nano_cpus: run.resources.nano_cpus(),
        stop_timeout: STOP_TIMEOUT,
        // An exit while it is being checked must stay visible; retire changes this.
        restart: RestartPolicy::No,
        has_init: true,
    }
}

async fn run_release_command(
    job: &Job,
    image: &BuiltImage,
    command: &ContainerCommand,
    env: &[(String, String)],
) -> Result<(), DeployError> {
    let name = job.release_container();
    let run = RunSettings {
        start_command: Some(command.clone()),
        ..job.app.settings.run.clone()
    };
    let mut spec = instance_spec(
        &job.context,
        &job.app,
        &run,
        &name,
        &image.id,
        env.to_vec(),
        labels(job, image.release_number),
    );
    spec.labels.insert(KIND_LABEL.to_owned(), "job".to_owned());
    job.log
        .line(&format!("Running the release command: {}", command.as_str()));
    let engine = &job.context.engine;
    engine.remove_container(&name).await.map_err(cannot_start)?;
    engine.create_container(&spec).await.map_err(cannot_start)?;
    engine.start_container(&name).await.map_err(cannot_start)?;
    let mut output = std::pin::pin!(engine.follow_output(&name));
    while let Some(bytes) = output.next().await {
        let text = String::from_utf8_lossy(&bytes?).into_owned();
        text.lines().for_each(|line| job.log.line(line));
    }
    let exit_code = engine.wait_container(&name).await?;
    engine.remove_container(&name).await?;
    if exit_code == 0 {
        Ok(())
    } else {
        Err(DeployError::ReleaseCommandFailed { exit_code })
    }
}
