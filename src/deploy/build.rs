//! Build: make the image by BuildKit, its output live in the log.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use tokio::sync::mpsc;

use super::job::Job;
use super::plan::{self, Planned};
use super::{Context, DeployError, start};
use crate::build::{self, detect::CA_SECRET, detect::SECRETS_ARGUMENT};
use crate::config::BuildNetwork;
use crate::db;
use crate::docker::{BuildError, ImageBuild};
use crate::model::build_inputs::BuildInputs;
use crate::model::container::{APP_LABEL, DEPLOYMENT_LABEL, PROJECT_LABEL, RELEASE_LABEL};
use crate::model::dockerfile::Declared;
use crate::model::env_var::SealedEnvVar;
use crate::secrets::Redaction;

/// The finished image.
pub struct BuiltImage {
    /// Its id (`sha256:…`).
    pub id: String,
    /// What it was made of.
    pub inputs: BuildInputs,
}

/// Builds what was planned.
pub async fn run(job: &Job, planned: Planned) -> Result<BuiltImage, DeployError> {
    let release_number = next_release(job).await?;
    // Those that this step does not need are hidden too: a build may print a file that holds one.
    let opened = start::open(job, &planned.sealed)?;
    let network = &job.context.config.build_network;
    job.log.redact(Redaction::of(network.texts_to_hide()));
    plan::tell(job, &planned);
    let (of_app, mut secrets) = of_build(&planned.sealed, opened);
    let marker = secrets_argument(job, &secrets);
    // An app's own variable of that name counts: of two the last one is taken.
    let args = network.arguments().into_iter().chain(of_app).chain(marker).collect();
    let Planned { plan, mut inputs, .. } = planned;
    for warning in warnings(&plan.declared, &secrets) {
        job.log.line(&warning);
    }
    secrets.extend(authority(network).await?);
    let planned = plan.clone();
    let opened = tokio::task::spawn_blocking(move || build::Context::open(&planned)).await;
    let context = opened.map_err(|error| DeployError::Internal(error.to_string()))?;
    let context = context.map_err(unreadable_context)?;
    let image = ImageBuild {
        tag: job.image_tag(),
        dockerfile: context.dockerfile().to_owned(),
        needs: plan.needs.clone(),
        target: plan.target.clone(),
        args,
        secrets,
        labels: labels(job, release_number),
        is_fresh: job.deployment.is_fresh,
    };
    let (lines, log) = lines_to_log(job);
    let limit = job.context.config.build_timeout;
    let built = tokio::time::timeout(
        limit,
        job.context.engine.build_image(&image, context.into_stream(), lines),
    )
    .await;
    // The sender went with the build: what it had written is in the log before the outcome is told.
    log.await.map_err(|error| DeployError::Internal(error.to_string()))?;
    match built {
        Ok(Ok(id)) => {
            inputs.bases = bases_now(&job.context, &plan.bases).await?;
            Ok(BuiltImage { id, inputs })
        }
        Ok(Err(error)) => Err(explain(job, error)),
        Err(_elapsed) => Err(DeployError::BuildTimedOut {
            minutes: whole_minutes(limit),
        }),
    }
}

fn unreadable_context(error: io::Error) -> DeployError {
    if error.kind() == io::ErrorKind::InvalidData {
        let message = format!("{error}. Correct that file in the repository.");
        return DeployError::BuildFailed { message };
    }
    DeployError::of_io(&error)
}

/// The ids of those of these images that are on the engine. What a build fetched for itself is in its cache alone.
pub async fn bases_now(
    context: &Context,
    names: impl IntoIterator<Item = &String>,
) -> Result<BTreeMap<String, String>, DeployError> {
    let mut bases = BTreeMap::new();
    for name in names {
        // A name that the engine would not take is none of an image there.
        if let Ok(Some(image)) = context.engine.find_image(name).await {
            bases.insert(name.clone(), image.id);
        }
    }
    Ok(bases)
}

/// What a Dockerfile may declare before a step that mounts secrets: BuildKit takes such a step from its cache whatever their
/// values are.
fn secrets_argument(job: &Job, secrets: &[(String, String)]) -> Option<(String, String)> {
    if secrets.is_empty() {
        return None;
    }
    let values: Vec<String> = (secrets.iter())
        .map(|(name, value)| format!("{name}={}", job.context.secrets.digest(value)))
        .collect();
    let digest = job.context.secrets.digest(&values.join("\n"));
    Some((SECRETS_ARGUMENT.to_owned(), digest))
}

/// The certificate authority of the server's network, as a secret that steps may mount. Read for each build, since it is
/// renewed now and then.
async fn authority(network: &BuildNetwork) -> Result<Option<(String, String)>, DeployError> {
    let Some(path) = &network.ca_file else { return Ok(None) };
    let text = tokio::fs::read_to_string(path).await.map_err(|error| DeployError::BuildFailed {
        message: format!(
            "the certificates that --build-ca-file names ({}) cannot be read: {error}. Ask whoever runs this server.",
            path.display()
        ),
    })?;
    Ok(Some((CA_SECRET.to_owned(), text)))
}

/// Names and values.
type Values = Vec<(String, String)>;

/// What builds see: as arguments, and as secrets.
fn of_build(sealed: &[SealedEnvVar], opened: Values) -> (Values, Values) {
    let of_build = sealed.iter().zip(opened).filter(|(var, _)| var.scope.is_build());
    let (secrets, args): (Vec<_>, Vec<_>) = of_build.partition(|(var, _)| var.is_secret);
    let values = |of: Vec<(&SealedEnvVar, (String, String))>| of.into_iter().map(|(_, pair)| pair).collect();
    (values(args), values(secrets))
}

/// What the author of a Dockerfile should know who takes a secret for a build argument.
fn warnings(declared: &[Declared], secrets: &[(String, String)]) -> Vec<String> {
    let mut warnings = Vec::new();
    for (key, _) in secrets {
        if let Some(found) = declared.iter().find(|found| found.name == *key) {
            warnings.push(format!(
                "Warning: the Dockerfile declares `{} {key}`, but {key} is secret and is passed to no ARG or ENV, since \
                 its value would stay in the image. Read it in the step that needs it: \
                 RUN --mount=type=secret,id={key} … /run/secrets/{key}",
                found.instruction
            ));
        }
    }
    warnings
}

async fn next_release(job: &Job) -> Result<i64, DeployError> {
    let app = job.app.id;
    Ok(job.context.db.read(move |c| db::releases::next_number(c, app)).await?)
}

/// The labels that images and instances of the app carry.
pub fn labels(job: &Job, release_number: i64) -> BTreeMap<String, String> {
    BTreeMap::from([
        (PROJECT_LABEL.to_owned(), job.app.project_slug.to_string()),
        (APP_LABEL.to_owned(), job.app.slug.to_string()),
        (DEPLOYMENT_LABEL.to_owned(), job.deployment.id.to_string()),
        (RELEASE_LABEL.to_owned(), release_number.to_string()),
    ])
}

/// A channel whose lines go to the log, and the task that writes them.
pub(super) fn lines_to_log(job: &Job) -> (mpsc::Sender<String>, tokio::task::JoinHandle<()>) {
    let (sender, mut receiver) = mpsc::channel::<String>(256);
    let log = job.log.clone();
    let task = tokio::spawn(async move {
        while let Some(line) = receiver.recv().await {
            log.line(&line);
        }
    });
    (sender, task)
}

/// A failed command is told in words; what BuildKit said of it stays in the log.
fn explain(job: &Job, error: BuildError) -> DeployError {
    match error {
        BuildError::Failed {
            exit_code: Some(code),
            message,
        } => {
            job.log.line(&message);
            let command = command_of(&message).unwrap_or("a command of the Dockerfile");
            DeployError::BuildFailed {
                message: format!("“{command}” ended with exit code {code}. See its output in the log."),
            }
        }
        BuildError::Failed {
            exit_code: None,
            message,
        } => {
            job.log.line(&message);
            DeployError::BuildFailed {
                message: base_missing(&message).unwrap_or_else(|| without_preamble(&message).to_owned()),
            }
        }
        error => error.into(),
    }
}

/// `…: failed to create LLB definition: registry.example/library/x:9: not found`.
fn is_missing_tag(message: &str) -> bool {
    let named = message.split_once("failed to create LLB definition: ");
    let name = named.and_then(|(_, rest)| rest.strip_suffix(": not found"));
    name.is_some_and(|name| name.contains('/') && !name.contains(' '))
}

/// What to do where an image that the Dockerfile begins with cannot be had, which BuildKit of Docker 20.10 and newer ones
/// tell in other words.
fn base_missing(message: &str) -> Option<String> {
    let is_new = message.contains("failed to resolve source metadata");
    // The older words stand before every fault of a Dockerfile, too.
    let is_old = message.contains("failed to create LLB definition")
        && [
            "failed to do request",
            "failed to authorize",
            "pull access denied",
            "manifest unknown",
        ]
        .iter()
        .any(|sign| message.contains(sign));
    if !is_new && !is_old && !is_missing_tag(message) {
        return None;
    }
    let reason = message.rsplit(": ").next().unwrap_or(message).trim();
    Some(format!(
        "an image that the Dockerfile begins with or copies from could not be fetched ({reason}). Check its name, and that \
         this server can reach its registry; the log has the engine's own words."
    ))
}

/// BuildKit's message without the names of its inner parts.
fn without_preamble(message: &str) -> &str {
    message
        .find("dockerfile parse error")
        .map_or(message, |at| &message[at..])
}

/// The command in BuildKit's message, whose form depends on its version.
fn command_of(message: &str) -> Option<&str> {
    let old = message
        .split_once("executor failed running [")
        .and_then(|(_, rest)| rest.rsplit_once("]: exit code"));
    let new = || {
        message
            .split_once("process \"")
            .and_then(|(_, rest)| rest.rsplit_once("\" did not complete"))
    };
    let (command, _) = old.or_else(new)?;
    let command = command.strip_prefix("/bin/sh -c ").unwrap_or(command);
    Some(command.lines().next().unwrap_or(command)).filter(|command| command.len() <= 200)
}

pub(super) fn whole_minutes(limit: Duration) -> u64 {
    limit.as_secs().div_ceil(60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::env_var::{EnvKey, EnvScope};

    #[test]
    fn a_declared_secret_is_warned_of_without_its_value() {
        let declared = Declared::all_of("FROM a\nARG TOKEN\nENV TOKEN=$TOKEN\nARG OTHER");
        let secrets = ["TOKEN", "UNUSED"].map(|key| (key.to_owned(), "sk-1".to_owned()));
        let warnings = warnings(&declared, &secrets);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("`ARG TOKEN`") && warnings[0].contains("--mount=type=secret,id=TOKEN"));
        assert!(!warnings[0].contains("sk-1"));
    }

    #[test]
    fn builds_see_their_scope_only_and_secrets_are_no_arguments() {
        let var = |key: &str, is_secret, scope| SealedEnvVar {
            key: EnvKey::parse(key).unwrap(),
            sealed: Vec::new(),
            is_secret,
            scope,
        };
        let sealed = [
            var("A", false, EnvScope::Build),
            var("B", true, EnvScope::Both),
            var("C", false, EnvScope::Run),
            var("D", true, EnvScope::Run),
            var("E", false, EnvScope::Both),
        ];
        let opened = sealed.iter().map(|var| (var.key.to_string(), "value".to_owned()));
        let (args, secrets) = of_build(&sealed, opened.collect());
        let keys = |values: Values| values.into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(
            (keys(args).join(" "), keys(secrets).join(" ")),
            ("A E".to_owned(), "B".to_owned())
        );
    }

    #[test]
    fn a_base_image_that_cannot_be_had_is_told_in_words() {
        let old = "failed to solve with frontend dockerfile.v0: failed to create LLB definition: failed to do request: Head \
                   \"https://registry.example/v2/x/manifests/1\": dial tcp: lookup registry.example: no such host";
        let new = "node:999: failed to resolve source metadata for registry.example/library/node:999: not found";
        assert!(
            base_missing(old)
                .unwrap()
                .contains("could not be fetched (no such host)")
        );
        assert!(base_missing(new).unwrap().contains("could not be fetched (not found)"));
        let missing = "failed to create LLB definition: registry.example/library/node:999: not found";
        assert!(base_missing(missing).is_some());
        for fault in [
            "dockerfile parse error line 2: unknown instruction: RNU",
            "target stage web could not be found",
            "secret npm token: not found",
        ] {
            assert_eq!(base_missing(&format!("failed to create LLB definition: {fault}")), None);
        }
    }

    #[test]
    fn the_failed_command_is_found_in_old_and_new_messages() {
        let old = "executor failed running [/bin/sh -c exit 3]: exit code: 3";
        let new = "process \"/bin/sh -c npm run [x]\" did not complete successfully: exit code: 1";
        assert_eq!(command_of(old), Some("exit 3"));
        assert_eq!(command_of(new), Some("npm run [x]"));
        assert_eq!(command_of("failed to solve: parse error"), None);
    }
}
