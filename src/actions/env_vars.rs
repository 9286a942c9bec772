//! Variables of an app: shown without secrets, replaced or merged as a whole, sealed before they are stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Actions, Error, Fields, Result};
use crate::db;
use crate::events::Event;
use crate::model::Invalid;
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::env_var::{EnvKey, EnvScope, EnvValue, SealedEnvVar};
use crate::model::ids::AppId;
use crate::model::user::Actor;
use crate::secrets::{self, SecretKey};

/// Most variables of one app; far below what the system passes to a program.
const MAX_VARS: usize = 1_000;

/// A variable as written or shown. A secret's value is shown as `null`; `null` written keeps the stored secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvVarInput {
    /// Its name.
    pub key: String,
    /// Its value.
    #[serde(default)]
    pub value: Option<String>,
    /// Whether the value is never shown again.
    #[serde(default)]
    pub secret: bool,
    /// `run`, `build` or `both`.
    #[serde(default = "default_scope")]
    pub scope: String,
}

fn default_scope() -> String {
    EnvScope::Run.as_str().to_owned()
}

/// All variables of an app as written or shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvInput {
    /// The version that the change is based on; a stale one is refused.
    #[serde(default)]
    pub version: Option<i64>,
    /// The variables.
    #[serde(default)]
    pub vars: Vec<EnvVarInput>,
    /// Keys to remove, for a merge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delete: Vec<String>,
}

/// How variables are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Replace,
    Merge,
}

impl Actions {
    /// An app's variables; values of secrets are left out.
    pub async fn show_env(&self, app: &App) -> Result<EnvInput> {
        let (id, secrets) = (app.id, self.secrets.clone());
        let shown = self.db.read(move |c| {
            let version = db::apps::find(c, id)?.map_or(0, |app| app.env_version);
            Ok((version, db::env_vars::list_of_app(c, id)?))
        });
        let (version, vars) = shown.await?;
        let vars = vars.iter().map(|var| show(&secrets, id, var)).collect::<Result<_>>()?;
        Ok(EnvInput {
            version: Some(version),
            vars,
            delete: Vec::new(),
        })
    }

    /// Replaces all variables.
    pub async fn replace_env(&self, actor: &Actor, app: &App, input: EnvInput) -> Result<EnvInput> {
        if !input.delete.is_empty() {
            let message = "Only a merge removes single keys; leave out here what shall go.";
            return Err(Error::field("delete", Invalid::new(message)));
        }
        self.change_env(actor, app, input, Change::Replace).await
    }

    /// Adds or changes the given variables, removes those in `delete`, keeps all others.
    pub async fn merge_env(&self, actor: &Actor, app: &App, input: EnvInput) -> Result<EnvInput> {
        self.change_env(actor, app, input, Change::Merge).await
    }

    async fn change_env(&self, actor: &Actor, app: &App, input: EnvInput, change: Change) -> Result<EnvInput> {
        self.require_in(actor, app, Right::Change).await?;
        let (actor, id, slug, secrets) = (actor.clone(), app.id, app.slug.clone(), self.secrets.clone());
        self.db
            .write(move |tx| {
                let version = db::apps::find(tx, id)?.ok_or(Error::NotFound)?.env_version;
                if input.version.is_some_and(|based_on| based_on != version) {
                    let message = "Somebody else changed the variables in the meantime. Load them again, then save.";
                    return Err(Error::Conflict(message.into()));
                }
                let stored = db::env_vars::list_of_app(tx, id)?;
                let vars = sealed_vars(&secrets, id, stored, &input, change)?;
                db::env_vars::update_all(tx, id, &vars)?;
                let keys = vars.iter().map(|var| var.key.as_str()).collect::<Vec<_>>().join(" ");
                Ok(db::audit::insert(tx, &actor, "env.change", &format!("{slug}: {keys}"))?)
            })
            .await?;
        self.events.announce(Event::App(app.id));
        self.show_env(app).await
    }
}

fn show(secrets: &SecretKey, app: AppId, var: &SealedEnvVar) -> Result<EnvVarInput> {
    let value = if var.is_secret {
        None
    } else {
        Some(unseal(secrets, app, var).map_err(anyhow::Error::from)?)
    };
    let (key, scope) = (var.key.to_string(), var.scope.as_str().to_owned());
    Ok(EnvVarInput {
        key,
        value,
        secret: var.is_secret,
        scope,
    })
}

fn unseal(secrets: &SecretKey, app: AppId, var: &SealedEnvVar) -> std::result::Result<String, secrets::Error> {
    secrets.unseal(&var.key.seal_identity(app), &var.sealed)
}

/// The variables to store after a change.
fn sealed_vars(
    secrets: &SecretKey,
    app: AppId,
    stored: Vec<SealedEnvVar>,
    input: &EnvInput,
    change: Change,
) -> Result<Vec<SealedEnvVar>> {
    let stored: BTreeMap<EnvKey, SealedEnvVar> = stored.into_iter().map(|var| (var.key.clone(), var)).collect();
    let mut fields = Fields::default();
    let mut vars = if change == Change::Merge {
        stored.clone()
    } else {
        BTreeMap::new()
    };
    for key in &input.delete {
        vars.retain(|stored, _| stored.as_str() != key);
    }
    let mut seen = std::collections::BTreeSet::new();
    for (index, var) in input.vars.iter().enumerate() {
        let Some(sealed) = sealed_var(secrets, app, &stored, var, index, &mut fields) else {
            continue;
        };
        if !seen.insert(sealed.key.clone()) {
            fields.refuse(
                &format!("vars[{index}].key"),
                Invalid::new(format!("{} is there twice.", sealed.key)),
            );
        }
        vars.insert(sealed.key.clone(), sealed);
    }
    if vars.len() > MAX_VARS {
        fields.refuse("vars", Invalid::new(format!("Use at most {MAX_VARS} variables.")));
    }
    fields.finish()?;
    Ok(vars.into_values().collect())
}

fn sealed_var(
    secrets: &SecretKey,
    app: AppId,
    stored: &BTreeMap<EnvKey, SealedEnvVar>,
    var: &EnvVarInput,
    index: usize,
    fields: &mut Fields,
) -> Option<SealedEnvVar> {
    let key = fields.check(&format!("vars[{index}].key"), EnvKey::parse(&var.key));
    let scope = fields.check(&format!("vars[{index}].scope"), EnvScope::parse(&var.scope));
    let value_field = format!("vars[{index}].value");
    let (key, scope) = (key?, scope?);
    let sealed = match &var.value {
        Some(value) => {
            let value = fields.check(&value_field, EnvValue::parse(value.as_str()))?;
            secrets.seal(&key.seal_identity(app), value.as_str())
        }
        None => match stored.get(&key) {
            Some(kept) if kept.is_secret && var.secret => kept.sealed.clone(),
            _ => {
                fields.refuse(
                    &value_field,
                    Invalid::new("Give a value; only a stored secret can be kept without one."),
                );
                return None;
            }
        },
    };
    Some(SealedEnvVar {
        key,
        sealed,
        is_secret: var.secret,
        scope,
    })
}
