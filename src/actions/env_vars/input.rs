//! Variables as they are written and shown.

use serde::{Deserialize, Deserializer, Serialize};

use crate::model::dotenv::LineNote;
use crate::model::env_var::EnvScope;

/// A variable as written or shown. A secret's value is shown as `null`, and so is a plain one that this server's key does
/// not open; `null` written keeps what is stored of either.
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

impl EnvVarInput {
    /// Whether a shown variable is no secret and yet cannot be read.
    pub fn is_unreadable(&self) -> bool {
        !self.secret && self.value.is_none()
    }
}

/// What a variable is for when nothing is said.
pub(super) fn default_scope() -> String {
    EnvScope::Run.as_str().to_owned()
}

/// All variables of an app or a project as written or shown.
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
    /// What an app's project shares with it; an own variable of the same name counts instead. Only shown: when written,
    /// it is not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<Vec<EnvVarInput>>,
}

/// A variable of a merge: what is left out stays as it is stored, or has its default where nothing is stored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvVarPatch {
    /// Its name.
    pub key: String,
    /// Its value; `null` keeps the stored one. A secret that shall be shown from now on has to be given with it.
    #[serde(default)]
    pub value: Option<String>,
    /// Whether the value is never shown again.
    #[serde(default, deserialize_with = "secret_or_default")]
    pub secret: Option<bool>,
    /// `run`, `build` or `both`.
    #[serde(default, deserialize_with = "scope_or_default")]
    pub scope: Option<String>,
}

/// Changes to the variables of an app or a project; those that it does not name stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvPatch {
    /// The version that the change is based on; a stale one is refused.
    #[serde(default)]
    pub version: Option<i64>,
    /// The variables to add or change.
    #[serde(default)]
    pub vars: Vec<EnvVarPatch>,
    /// Keys to remove.
    #[serde(default)]
    pub delete: Vec<String>,
    /// As it is shown; it is not looked at.
    #[serde(default)]
    pub shared: Option<Vec<EnvVarInput>>,
}

/// `null` is the default; only what is left out is unchanged.
fn secret_or_default<'de, D: Deserializer<'de>>(given: D) -> Result<Option<bool>, D::Error> {
    Option::deserialize(given).map(|secret| Some(secret.unwrap_or_default()))
}

fn scope_or_default<'de, D: Deserializer<'de>>(given: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(given).map(|scope| Some(scope.unwrap_or_else(default_scope)))
}

/// What a .env text made of the variables.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct EnvImport {
    /// The version as it is now.
    pub version: Option<i64>,
    /// The variables as they are now.
    pub vars: Vec<EnvVarInput>,
    /// What an app's project shares with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared: Option<Vec<EnvVarInput>>,
    /// What was understood but is probably not meant.
    pub warnings: Vec<EnvWarning>,
}

/// A sentence about a line of a .env text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct EnvWarning {
    /// The line, counted from 1.
    pub line: usize,
    /// What to look at there.
    pub message: String,
}

impl From<LineNote> for EnvWarning {
    fn from(LineNote { line, message }: LineNote) -> Self {
        Self { line, message }
    }
}

impl EnvImport {
    /// What an import answers.
    pub(super) fn new(env: EnvInput, warnings: Vec<LineNote>) -> Self {
        let warnings = warnings.into_iter().map(EnvWarning::from).collect();
        let EnvInput {
            version, vars, shared, ..
        } = env;
        Self {
            version,
            vars,
            shared,
            warnings,
        }
    }
}
