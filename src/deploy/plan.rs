//! Plan: how a checkout will be built, what it is made of, and what people are told of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::fetch::Checkout;
use super::job::Job;
use super::{Context, DeployError, release, variables};
use crate::build::detect::{Detected, Wishes};
use crate::build::{self, BuildPlan, Decided, DockerfileSource};
use crate::db;
use crate::events::Event;
use crate::git::{HostedRepository, Mirror};
use crate::model::app::{App, Builder};
use crate::model::build_inputs::BuildInputs;
use crate::model::build_plan::{PlanFile, PlanOutcome, PlanReason, WrittenPlan};
use crate::model::env_var::SealedEnvVar;
use crate::model::source::{CommitSha, RelativePath, Source};
use crate::model::text::shown_path;

/// How long it may take to decide how a source is built; it takes some milliseconds.
const WITHIN: Duration = Duration::from_secs(30);

/// A checkout that is ready to be built.
pub struct Planned {
    /// What is sent to the builder.
    pub plan: BuildPlan,
    /// What the Dockerfile was written for, where Dhow wrote it.
    pub written: Option<WrittenPlan>,
    /// What the image will be made of.
    pub inputs: BuildInputs,
    /// The app's variables, read once: what the image is said to be made of is what it is made of.
    pub sealed: Vec<SealedEnvVar>,
}

/// Decides how a checkout is built.
pub async fn make(job: &Job, checkout: &Checkout) -> Result<Planned, DeployError> {
    let sealed = variables::now(&job.context, &job.app).await?;
    let decided = decide(&job.context, &job.app, &sealed, &checkout.dir).await;
    let outcome = outcome(&decided, &checkout.dir, &checkout.commit.sha);
    store(&job.context, &job.app, &outcome).await?;
    let Decided { plan, detected } = decided?;
    let mut inputs = release::build_inputs_with(&job.context, &job.app, &checkout.commit, &sealed)?;
    inputs.files = files(&job.context, &job.app, checkout, &plan).await?;
    Ok(Planned {
        plan,
        written: detected.map(WrittenPlan::from),
        inputs,
        sealed,
    })
}

/// Decides how the files in a directory are built, as the app's settings and these variables of it say.
pub async fn decide(context: &Context, app: &App, sealed: &[SealedEnvVar], dir: &Path) -> Result<Decided, DeployError> {
    let settings = app.settings.build.clone();
    let names = |is_secret| {
        let of_build = sealed
            .iter()
            .filter(|var| var.scope.is_build() && var.is_secret == is_secret);
        of_build.map(|var| var.key.to_string()).collect()
    };
    let publish_dir = settings.publish_dir.as_ref().map(shown_dir);
    let wishes = Wishes {
        build_command: settings
            .build_command
            .as_ref()
            .map(|command| command.as_str().to_owned()),
        publish_dir: publish_dir.map(str::to_owned),
        has_start_command: app.settings.run.start_command.is_some(),
        arguments: names(false),
        secrets: names(true),
        cache_scope: format!("{}-{}", app.slug, app.id),
        has_ca: context.config.build_network.ca_file.is_some(),
    };
    let root_dir = app.settings.source.root_dir().cloned().unwrap_or_default();
    let dir = dir.to_owned();
    let decide = move || build::decide(&dir, root_dir.as_str(), &settings, &wishes);
    let decided = tokio::time::timeout(WITHIN, tokio::task::spawn_blocking(decide)).await;
    let decided = decided.map_err(|_elapsed| DeployError::BuildFailed {
        message: format!(
            "it could not be told within {} s how this is built. Add a Dockerfile to the repository.",
            WITHIN.as_secs()
        ),
    })?;
    Ok(decided.map_err(|error| DeployError::Internal(error.to_string()))??)
}

/// What people are told of a decision.
pub fn outcome(decided: &Result<Decided, DeployError>, dir: &Path, sha: &str) -> PlanOutcome {
    let commit = sha.chars().take(7).collect();
    match decided {
        Err(error) => PlanOutcome::Failed {
            message: error.to_string(),
        },
        Ok(Decided {
            detected: Some(detected),
            ..
        }) => PlanOutcome::Written {
            commit,
            written: WrittenPlan::from(detected.clone()),
        },
        Ok(Decided { plan, .. }) => PlanOutcome::Own {
            commit,
            path: match &plan.dockerfile {
                DockerfileSource::Checkout(path) => {
                    relative(path, dir).map_or_else(String::new, |path| shown_path(&path))
                }
                DockerfileSource::Generated(_) => String::new(),
            },
        },
    }
}

/// Stores what was seen of an app's source, and tells listeners.
pub async fn store(context: &Context, app: &App, outcome: &PlanOutcome) -> Result<(), DeployError> {
    let (id, outcome) = (app.id, outcome.clone());
    let stored = context.db.write(move |tx| {
        // The app may be gone by now.
        if db::apps::is_kept(tx, id)? {
            db::build_plans::replace(tx, id, Some(&outcome))?;
        }
        Ok::<_, db::Error>(())
    });
    stored.await?;
    context.events.announce(Event::App(app.id));
    Ok(())
}

/// Tells in the log how the image is made.
pub fn tell(job: &Job, planned: &Planned) {
    let settings = &job.app.settings.build;
    let Some(written) = &planned.written else {
        if settings.builder == Builder::Auto && (settings.build_command.is_some() || settings.publish_dir.is_some()) {
            job.log.line(
                "Warning: the repository brings its own Dockerfile, so the build command and the publish folder of the \
                 settings are not used.",
            );
        }
        return;
    };
    job.log.line(&format!("Recognised: {}", written.summary));
    for reason in &written.reasons {
        job.log.line(&format!("  {}: {}", reason.file, reason.means));
    }
    job.log.line("The Dockerfile that is built:");
    for line in written.dockerfile.lines() {
        job.log.line(&format!("  │ {line}"));
    }
    for file in &written.files {
        job.log.line(&format!(
            "It copies {}, which Dhow writes too ({} lines; the app's build page has it)",
            file.path,
            file.text.lines().count()
        ));
    }
}

/// What of the commit the build can see, by the names that Git has for it; `None` where they do not tell, since a part is
/// another repository's.
async fn files(
    context: &Context,
    app: &App,
    checkout: &Checkout,
    plan: &BuildPlan,
) -> Result<Option<String>, DeployError> {
    let commit = CommitSha::parse(&checkout.commit.sha).map_err(|error| DeployError::Internal(error.0))?;
    let file = match &plan.dockerfile {
        DockerfileSource::Checkout(path) => Some(path.clone()),
        DockerfileSource::Generated(_) => None,
    };
    let seen: Vec<PathBuf> = [Some(plan.context_dir.clone()), file, plan.ignore_path.clone()]
        .into_iter()
        .flatten()
        .filter_map(|path| relative(&path, &checkout.dir))
        .collect();
    let (mirror, hosted) = (context.paths.mirror(app.id), context.paths.hosted_repository(app.id));
    let is_hosted = matches!(app.settings.source, Source::Push { .. });
    let names = tokio::task::spawn_blocking(move || {
        let find = |path: &PathBuf| match is_hosted {
            true => HostedRepository::open(&hosted)?.object_at(&commit, path),
            false => Mirror::open(&mirror)?.object_at(&commit, path),
        };
        seen.iter().map(find).collect::<Result<Option<Vec<String>>, _>>()
    });
    let names = names
        .await
        .map_err(|error| DeployError::Internal(error.to_string()))??;
    Ok(names.map(|names| with_written(names, plan)))
}

/// The names, and a digest of what Dhow wrote.
fn with_written(mut names: Vec<String>, plan: &BuildPlan) -> String {
    if let DockerfileSource::Generated(text) = &plan.dockerfile {
        let mut digest = Sha256::new();
        for part in [text]
            .into_iter()
            .chain(plan.files.iter().flat_map(|file| [&file.path, &file.text]))
        {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        names.push(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
    }
    names.join(" ")
}

/// A path in the checkout as it is in the repository; both are free of links, or become so.
fn relative(path: &Path, checkout: &Path) -> Option<PathBuf> {
    let root = checkout.canonicalize().ok()?;
    path.strip_prefix(root).ok().map(Path::to_owned)
}

/// A folder as detection wants it.
fn shown_dir(path: &RelativePath) -> &str {
    if path.is_root() { "." } else { path.as_str() }
}

impl From<Detected> for WrittenPlan {
    fn from(detected: Detected) -> Self {
        Self {
            summary: detected.summary,
            reasons: detected
                .reasons
                .into_iter()
                .map(|reason| PlanReason {
                    file: reason.file,
                    means: reason.means,
                })
                .collect(),
            dockerfile: detected.dockerfile,
            files: detected
                .files
                .into_iter()
                .map(|file| PlanFile {
                    path: file.path,
                    text: file.text,
                })
                .collect(),
        }
    }
}
