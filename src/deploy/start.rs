//! Start: run the release command of a new release, start the new instance beside the old one.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;

use super::build::labels;
use super::job::Job;
use super::{Context, DeployError, environment, exit, proxy};
use crate::db;
use crate::docker::{self, Engine};
use crate::model::app::App;
use crate::model::container::{ContainerSpec, KIND_LABEL, RestartPolicy};
use crate::model::env_var::SealedEnvVar;
use crate::model::release::Release;
use crate::model::text::ContainerCommand;
use crate::secrets::Redaction;

/// Most processes and threads of one instance: far above what servers use, far below what harms the machine.
const PIDS_LIMIT: i64 = 4_096;

/// Starts an instance of the release.
pub async fn run(job: &Job, release: &Release) -> Result<(), DeployError> {
    let env = release_env(job, release).await?;
    proxy::ensure_project_network(&job.context, &job.app).await?;
    // A release that comes back, or is started once more, was prepared when it was new.
    if let Some(command) = &release.run.release_command
        && release.deployment_id == job.deployment.id
    {
        run_release_command(job, release, command, &env).await?;
    }
    let labels = labels(job, release.number);
    let spec = instance_spec(&job.context, &job.app, release, &job.container(), env, labels);
    start_container(&job.context.engine, &spec).await?;
    job.log.line(&format!("Started {}", spec.name));
    Ok(())
}

/// Makes and starts a container, and sees that its variables are those that it was to be given.
async fn start_container(engine: &Engine, spec: &ContainerSpec) -> Result<(), DeployError> {
    free_name(engine, &spec.name).await?;
    engine.create_container(spec).await.map_err(cannot_start)?;
    engine.start_container(&spec.name).await.map_err(cannot_start)?;
    environment::confirm(engine, spec).await
}

/// Removes what a former attempt left under a name. What belongs to somebody else stays: making ours then fails, and the
/// error names it.
async fn free_name(engine: &Engine, name: &str) -> Result<(), DeployError> {
    match engine.remove_container(name).await {
        Err(docker::Error::Refused(_)) => Ok(()),
        removed => removed.map_err(cannot_start),
    }
}

/// An image that vanished in between is told as such.
fn cannot_start(error: docker::Error) -> DeployError {
    match error {
        docker::Error::NotFound(text) => DeployError::ImageNotFound(format!("{text} Deploy again to build it.")),
        other => other.into(),
    }
}

/// The frozen variables and Dhow's own in the clear; secrets among them are hidden in the log from now on.
async fn release_env(job: &Job, release: &Release) -> Result<Vec<(String, String)>, DeployError> {
    let id = release.id;
    let sealed = job
        .context
        .db
        .read(move |c| db::env_vars::list_of_release(c, id))
        .await?;
    let mut env = open(job, &sealed)?;
    env.extend(environment::reserved(&job.context, &job.app, release).await?);
    Ok(env)
}

/// Variables of the app in the clear; secrets among them are hidden in the log from now on.
pub fn open(job: &Job, sealed: &[SealedEnvVar]) -> Result<Vec<(String, String)>, DeployError> {
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

/// The container of an instance; `env` is all that it is given.
pub fn instance_spec(
    context: &Context,
    app: &App,
    release: &Release,
    name: &str,
    env: Vec<(String, String)>,
    mut labels: BTreeMap<String, String>,
) -> ContainerSpec {
    let run = &release.run;
    labels.insert(KIND_LABEL.to_owned(), "app".to_owned());
    ContainerSpec {
        name: name.to_owned(),
        image: release.image_id.clone(),
        entrypoint: run.start_command.as_ref().map(|_| Vec::new()),
        command: run.start_command.as_ref().map(ContainerCommand::to_argv),
        env,
        labels,
        network: proxy::project_network(context, app),
        ports: Vec::new(),
        binds: Vec::new(),
        memory_bytes: run.resources.memory_bytes(),
        nano_cpus: run.resources.nano_cpus(),
        pids_limit: Some(PIDS_LIMIT),
        stop_timeout: Duration::from_secs(u64::from(run.stop_timeout_s)),
        // An exit while it is being checked must stay visible; retire changes this.
        restart: RestartPolicy::No,
        has_init: true,
    }
}

async fn run_release_command(
    job: &Job,
    release: &Release,
    command: &ContainerCommand,
    env: &[(String, String)],
) -> Result<(), DeployError> {
    let name = job.release_container();
    let mut once = release.clone();
    once.run.start_command = Some(command.clone());
    let labels = labels(job, release.number);
    let mut spec = instance_spec(&job.context, &job.app, &once, &name, env.to_vec(), labels);
    spec.labels.insert(KIND_LABEL.to_owned(), "job".to_owned());
    job.log
        .line(&format!("Running the release command: {}", command.as_str()));
    let engine = &job.context.engine;
    start_container(engine, &spec).await?;
    let mut output = std::pin::pin!(engine.follow_output(&name));
    while let Some(bytes) = output.next().await {
        let text = String::from_utf8_lossy(&bytes?).into_owned();
        text.lines().for_each(|line| job.log.line(line));
    }
    let result = match engine.wait_container(&name).await? {
        0 => Ok(()),
        _ => Err(explain_release_command(job, release, command, &name).await?),
    };
    engine.remove_container(&name).await?;
    result
}

async fn explain_release_command(
    job: &Job,
    release: &Release,
    command: &ContainerCommand,
    name: &str,
) -> Result<DeployError, DeployError> {
    let engine = &job.context.engine;
    let never_ran = exit::never_ran(Some(command), &engine.last_output(name, 1).await?);
    let state = engine.inspect_container(name).await?.unwrap_or_default();
    let reason = never_ran.unwrap_or_else(|| exit::reason(&state, release.run.resources));
    Ok(DeployError::ReleaseCommandFailed { reason })
}
