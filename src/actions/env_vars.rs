//! Variables of an app, and those that a project shares with its apps: shown without secrets, replaced or merged as a
//! whole, by lists or as .env text, sealed before they are stored. What changes nothing writes nothing.

use self::change::{Change, Stored};
use super::{Actions, Error, FieldError, Result, access};
use crate::db;
use crate::events::Event;
use crate::model::Invalid;
use crate::model::access::Right;
use crate::model::app::{App, Project};
use crate::model::dotenv::{self, Dotenv, LineNote};
use crate::model::env_var::{EnvChanges, EnvOwner, SealedEnvVar};
use crate::model::ids::ProjectId;
use crate::model::user::Actor;
use crate::secrets::SecretKey;

mod change;
mod input;

pub use self::input::{EnvImport, EnvInput, EnvPatch, EnvVarInput, EnvVarPatch, EnvWarning};

/// Whose variables: an app's own, or what a project shares.
#[derive(Debug, Clone, Copy)]
pub enum Owner<'a> {
    /// An app's own.
    App(&'a App),
    /// Those that a project shares with its apps.
    Project(&'a Project),
}

impl Owner<'_> {
    /// The row that owns them.
    pub const fn id(self) -> EnvOwner {
        match self {
            Self::App(app) => EnvOwner::App(app.id),
            Self::Project(project) => EnvOwner::Project(project.id),
        }
    }

    fn slug(self) -> String {
        match self {
            Self::App(app) => app.slug.to_string(),
            Self::Project(project) => project.slug.to_string(),
        }
    }

    const fn project(self) -> ProjectId {
        match self {
            Self::App(app) => app.project_id,
            Self::Project(project) => project.id,
        }
    }
}

impl Actions {
    /// The variables; values of secrets are left out.
    pub async fn show_env(&self, owner: Owner<'_>) -> Result<EnvInput> {
        let (id, project) = (owner.id(), EnvOwner::Project(owner.project()));
        let read = self.db.read(move |c| {
            let version = db::env_vars::find_version(c, id)?;
            let shared = if id == project {
                Vec::new()
            } else {
                db::env_vars::list(c, project)?
            };
            Ok((version, db::env_vars::list(c, id)?, shared))
        });
        let (version, vars, shared) = read.await?;
        let show_all = |vars: &[SealedEnvVar], owner| -> Vec<EnvVarInput> {
            vars.iter().map(|var| show(&self.secrets, owner, var)).collect()
        };
        Ok(EnvInput {
            version: Some(version.unwrap_or_default()),
            vars: show_all(&vars, id),
            delete: Vec::new(),
            shared: matches!(owner, Owner::App(_)).then(|| show_all(&shared, project)),
        })
    }

    /// Replaces all variables.
    pub async fn replace_env(&self, actor: &Actor, owner: Owner<'_>, input: EnvInput) -> Result<EnvInput> {
        if !input.delete.is_empty() {
            let message = "Only a merge removes single keys; leave out here what shall go.";
            return Err(Error::field("delete", Invalid::new(message)));
        }
        self.change_env(actor, owner, input.version, Change::Replace(input.vars))
            .await
    }

    /// Adds or changes the given variables, removes those in `delete`, keeps all others. What is left out
    /// of a given one stays as it is stored.
    pub async fn merge_env(&self, actor: &Actor, owner: Owner<'_>, patch: EnvPatch) -> Result<EnvInput> {
        let change = Change::Merge(patch.vars, patch.delete);
        self.change_env(actor, owner, patch.version, change).await
    }

    /// Adds or changes the variables of a .env text. Names and values come from the text; what is there keeps its use
    /// and secrecy, what is new is for instances and no secret. `version` is what the change is based on.
    ///
    /// # Errors
    /// `Invalid` with a sentence for each line that cannot be read; nothing is stored then.
    pub async fn import_env(
        &self,
        actor: &Actor,
        owner: Owner<'_>,
        text: &str,
        version: Option<i64>,
    ) -> Result<EnvImport> {
        let Dotenv { vars, warnings } = self.read_env_text(actor, owner, text).await?;
        let env = self.change_env(actor, owner, version, Change::MergeText(vars)).await?;
        Ok(EnvImport::new(env, warnings))
    }

    /// The same, and whatever is neither in the text nor a secret goes: the text tells all that can be shown.
    pub async fn replace_env_text(
        &self,
        actor: &Actor,
        owner: Owner<'_>,
        text: &str,
        version: Option<i64>,
    ) -> Result<EnvImport> {
        let Dotenv { vars, warnings } = self.read_env_text(actor, owner, text).await?;
        let env = self
            .change_env(actor, owner, version, Change::ReplaceText(vars))
            .await?;
        Ok(EnvImport::new(env, warnings))
    }

    /// Who may not change it is told nothing of the text.
    async fn read_env_text(&self, actor: &Actor, owner: Owner<'_>, text: &str) -> Result<Dotenv> {
        self.require_env(actor, owner).await?;
        let refused = |LineNote { line, message }| FieldError {
            field: "text".to_owned(),
            message: format!("Line {line}: {message}"),
        };
        dotenv::parse(text).map_err(|errors| Error::Invalid(errors.into_iter().map(refused).collect()))
    }

    async fn require_env(&self, actor: &Actor, owner: Owner<'_>) -> Result<()> {
        match owner {
            Owner::App(app) => self.require_in(actor, app, Right::Change).await,
            Owner::Project(project) => {
                self.require_in_project(actor, project.slug.as_str(), Right::Change)
                    .await
            }
        }
    }

    async fn change_env(
        &self,
        actor: &Actor,
        owner: Owner<'_>,
        based_on: Option<i64>,
        change: Change,
    ) -> Result<EnvInput> {
        self.require_env(actor, owner).await?;
        let (id, project, slug) = (owner.id(), owner.project(), owner.slug());
        let (actor, secrets) = (actor.clone(), self.secrets.clone());
        let written = self.db.write(move |tx| {
            access::require(tx, &actor, project, Right::Change)?;
            let version = db::env_vars::find_version(tx, id)?.ok_or(Error::NotFound)?;
            if based_on.is_some_and(|based_on| based_on != version) {
                let message = "Somebody else changed the variables in the meantime. Load them again, then save.";
                return Err(Error::Conflict(message.into()));
            }
            let stored = db::env_vars::list(tx, id)?;
            let vars = Stored::open(&secrets, id, &stored).after(change)?;
            let changes = EnvChanges::between(&stored, &vars);
            if changes.is_empty() {
                return Ok(false);
            }
            db::env_vars::update_all(tx, id, &vars)?;
            db::audit::insert(tx, &actor, action(id), &format!("{slug}: {changes}"))?;
            db::env_changes::insert(tx, id, &changes)?;
            Ok(true)
        });
        if written.await? {
            self.events.announce(match owner {
                Owner::App(app) => Event::App(app.id),
                Owner::Project(project) => Event::Project(project.id),
            });
        }
        self.show_env(owner).await
    }
}

/// The name of a change in the audit.
const fn action(owner: EnvOwner) -> &'static str {
    match owner {
        EnvOwner::App(_) => "env.change",
        EnvOwner::Project(_) => "project_env.change",
    }
}

/// What cannot be read is shown without its value: one of them must not hide all others.
fn show(secrets: &SecretKey, owner: EnvOwner, var: &SealedEnvVar) -> EnvVarInput {
    let read = || secrets.unseal(&owner.seal_identity(&var.key), &var.sealed).ok();
    EnvVarInput {
        key: var.key.to_string(),
        value: if var.is_secret { None } else { read() },
        secret: var.is_secret,
        scope: var.scope.as_str().to_owned(),
    }
}
