//! What the variables of an owner are after a change. A value that stays keeps its sealed bytes, so that saving without
//! an edit changes no row.

use std::collections::{BTreeMap, BTreeSet};

use super::input::{EnvVarInput, EnvVarPatch, default_scope};
use crate::actions::{Fields, Result};
use crate::model::Invalid;
use crate::model::env_var::{EnvKey, EnvOwner, EnvScope, EnvValue, SealedEnvVar};
use crate::secrets::SecretKey;

/// Most variables of one owner; far below what the system passes to a program.
const MAX_VARS: usize = 1_000;

/// How variables are written.
pub enum Change {
    /// These and no others.
    Replace(Vec<EnvVarInput>),
    /// These and all others, without the names in the second list.
    Merge(Vec<EnvVarPatch>, Vec<String>),
    /// What a text says, and all others.
    MergeText(Vec<(EnvKey, EnvValue)>),
    /// What a text says, and of what it does not name the secrets and whatever cannot be read.
    ReplaceText(Vec<(EnvKey, EnvValue)>),
}

/// A variable as stored, with its value where it can be opened.
struct Opened {
    sealed: SealedEnvVar,
    value: Option<String>,
}

impl Opened {
    /// Whether the value is shown to nobody: a secret's, or one that cannot be opened.
    fn is_hidden(&self) -> bool {
        self.sealed.is_secret || self.value.is_none()
    }

    /// Bytes of the value; where it cannot be opened, those of the sealed one, which has a few more.
    fn value_bytes(&self) -> usize {
        self.value.as_ref().map_or(self.sealed.sealed.len(), String::len)
    }
}

/// The variables of an owner before a change.
pub struct Stored<'a> {
    secrets: &'a SecretKey,
    owner: EnvOwner,
    vars: BTreeMap<EnvKey, Opened>,
}

impl<'a> Stored<'a> {
    /// Opens what is stored.
    pub fn open(secrets: &'a SecretKey, owner: EnvOwner, stored: &[SealedEnvVar]) -> Self {
        let open = |sealed: &SealedEnvVar| {
            let value = secrets.unseal(&owner.seal_identity(&sealed.key), &sealed.sealed).ok();
            let sealed = sealed.clone();
            (sealed.key.clone(), Opened { sealed, value })
        };
        Self {
            secrets,
            owner,
            vars: stored.iter().map(open).collect(),
        }
    }

    /// What is to be stored after the change, by key.
    pub fn after(self, change: Change) -> Result<Vec<SealedEnvVar>> {
        let text_vars =
            |vars: &[(EnvKey, EnvValue)]| vars.iter().map(|(key, value)| self.of_text(key, value)).collect();
        let (kept, vars): (BTreeSet<EnvKey>, Vec<EnvVarInput>) = match change {
            Change::Replace(vars) => (BTreeSet::new(), vars),
            Change::Merge(vars, delete) => {
                let delete: BTreeSet<String> = delete.into_iter().collect();
                let vars = vars.into_iter().map(|var| self.filled(var)).collect();
                (self.keys(|var| !delete.contains(var.key.as_str())), vars)
            }
            Change::MergeText(vars) => (self.keys(|_| true), text_vars(&vars)),
            Change::ReplaceText(vars) => (self.hidden(), text_vars(&vars)),
        };
        self.apply(&kept, &vars)
    }

    fn keys(&self, is_kept: impl Fn(&SealedEnvVar) -> bool) -> BTreeSet<EnvKey> {
        let kept = self.vars.values().filter(|var| is_kept(&var.sealed));
        kept.map(|var| var.sealed.key.clone()).collect()
    }

    /// What no text shows.
    fn hidden(&self) -> BTreeSet<EnvKey> {
        let hidden = self.vars.iter().filter(|(_, var)| var.is_hidden());
        hidden.map(|(key, _)| key.clone()).collect()
    }

    /// What a merge leaves out is as it is stored. A secret's value stays out: it is kept only as a secret.
    fn filled(&self, var: EnvVarPatch) -> EnvVarInput {
        let stored = EnvKey::parse(&var.key).ok().and_then(|key| self.vars.get(&key));
        let shown = || stored.filter(|stored| !stored.sealed.is_secret)?.value.clone();
        let stored = stored.map(|stored| &stored.sealed);
        let scope_of = |stored: &SealedEnvVar| stored.scope.as_str().to_owned();
        EnvVarInput {
            value: var.value.or_else(shown),
            secret: var
                .secret
                .unwrap_or_else(|| stored.is_some_and(|stored| stored.is_secret)),
            scope: var.scope.unwrap_or_else(|| stored.map_or_else(default_scope, scope_of)),
            key: var.key,
        }
    }

    /// A line of a text: use and secrecy are those of the stored variable of that name.
    fn of_text(&self, key: &EnvKey, value: &EnvValue) -> EnvVarInput {
        let stored = self.vars.get(key).map(|var| &var.sealed);
        EnvVarInput {
            key: key.to_string(),
            value: Some(value.as_str().to_owned()),
            secret: stored.is_some_and(|var| var.is_secret),
            scope: stored.map_or(EnvScope::Run, |var| var.scope).as_str().to_owned(),
        }
    }

    fn apply(mut self, kept: &BTreeSet<EnvKey>, vars: &[EnvVarInput]) -> Result<Vec<SealedEnvVar>> {
        let mut fields = Fields::default();
        let mut written = BTreeMap::new();
        for (index, var) in vars.iter().enumerate() {
            let Some(opened) = self.written(var, index, &mut fields) else {
                continue;
            };
            let key = opened.sealed.key.clone();
            if written.insert(key.clone(), opened).is_some() {
                let twice = Invalid::new(format!("{key} is there twice."));
                fields.refuse(&format!("vars[{index}].key"), twice);
            }
        }
        self.vars.retain(|key, _| kept.contains(key));
        self.vars.append(&mut written);
        self.check_size(&mut fields);
        fields.finish()?;
        Ok(self.vars.into_values().map(|var| var.sealed).collect())
    }

    fn written(&self, var: &EnvVarInput, index: usize, fields: &mut Fields) -> Option<Opened> {
        let key = fields.check(&format!("vars[{index}].key"), EnvKey::parse(&var.key));
        let scope = fields.check(&format!("vars[{index}].scope"), EnvScope::parse(&var.scope));
        let field = format!("vars[{index}].value");
        let (key, scope) = (key?, scope?);
        let stored = self.vars.get(&key);
        let (value, sealed) = match &var.value {
            Some(value) => {
                let value = fields.check(&field, EnvValue::parse(value.as_str()))?;
                let same = stored.filter(|stored| stored.value.as_deref() == Some(value.as_str()));
                let sealed = same.map(|same| same.sealed.sealed.clone());
                let seal = || self.secrets.seal(&self.owner.seal_identity(&key), value.as_str());
                let sealed = sealed.unwrap_or_else(seal);
                (Some(value.as_str().to_owned()), sealed)
            }
            None => match stored.filter(|stored| stored.is_hidden() && stored.sealed.is_secret == var.secret) {
                Some(kept) => (kept.value.clone(), kept.sealed.sealed.clone()),
                None => {
                    let message = "Give a value; only a stored secret can be kept without one.";
                    fields.refuse(&field, Invalid::new(message));
                    return None;
                }
            },
        };
        let (is_secret, scope) = (var.secret, scope);
        let sealed = SealedEnvVar {
            key,
            sealed,
            is_secret,
            scope,
        };
        Some(Opened { sealed, value })
    }

    fn check_size(&self, fields: &mut Fields) {
        let count = self.vars.len();
        if count > MAX_VARS {
            let message = format!("There would be {count}; use at most {MAX_VARS} variables.");
            fields.refuse("vars", Invalid::new(message));
        }
        // Each is passed as NAME=value with a NUL at its end.
        let bytes: usize = self
            .vars
            .iter()
            .map(|(key, var)| key.as_str().len() + var.value_bytes() + 2)
            .sum();
        let most = self.owner.max_bytes();
        if bytes > most {
            let message = format!(
                "All variables together would have {bytes} bytes; use at most {most}. The system starts no program with \
                 much more. Put large texts into a file of the image or a store that the app asks."
            );
            fields.refuse("vars", Invalid::new(message));
        }
    }
}

#[cfg(test)]
mod tests;
