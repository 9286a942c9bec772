//! What an actor may do: authorise, validate, write, note in the audit, announce. One file a resource.
//!
//! Every way in (pages, API, hooks, command line) goes through here, so a rule written once holds everywhere.

use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::db::{self, Db};
use crate::deploy::Deployer;
use crate::events::Events;
use crate::logs::Logs;
use crate::model::Invalid;
use crate::secrets::{self, Passwords, SecretKey};

mod access;
pub mod account;
pub mod app_input;
pub mod apps;
mod attempts;
pub mod audit;
mod build_plans;
pub mod deliveries;
pub mod deployments;
pub mod domains;
pub mod env_vars;
pub mod invitations;
pub mod json;
pub mod key_rotation;
pub mod members;
pub mod projects;
pub mod pushes;
pub mod releases;
pub mod sessions;
pub mod sign_in;
pub mod source;
pub mod tokens;
pub mod two_factor;
pub mod users;
pub mod webhooks;

/// A refused field.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// Its name, as in the API: `port`, `source.url`, `vars[2].key`.
    pub field: String,
    /// What is allowed.
    pub message: String,
}

/// Why an action was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not exist, or the actor may not know of it.
    #[error("not found")]
    NotFound,
    /// The actor may not do this.
    #[error("not allowed")]
    Forbidden,
    /// Some fields were refused; nothing was stored.
    #[error("invalid input")]
    Invalid(Vec<FieldError>),
    /// It contradicts what is there now; the sentence says what and what to do.
    #[error("{0}")]
    Conflict(String),
    /// Too much was tried that was wrong; so long must be waited until something is checked again.
    #[error("Too much was tried that was wrong.")]
    TooMany(Duration),
    /// A part that is needed does not answer; the sentence says which.
    #[error("{0}")]
    Unavailable(String),
    /// A fault of Dhow or of its machine; shown as an id only.
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

/// The result of an action.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// One refused field.
    pub fn field(field: impl Into<String>, error: Invalid) -> Self {
        Self::Invalid(vec![FieldError {
            field: field.into(),
            message: error.0,
        }])
    }
}

impl From<db::Error> for Error {
    fn from(error: db::Error) -> Self {
        match error {
            db::Error::DiskFull => Self::Unavailable(
                "The server's disk is full; nothing was stored. Free some space, then try again.".into(),
            ),
            error => Self::Internal(error.into()),
        }
    }
}

/// Notes a fault in Dhow's own log and answers the id under which it is found there: all that an outsider is told.
pub fn report(fault: &anyhow::Error) -> String {
    let id = secrets::random_label();
    tracing::error!(
        request = id,
        error = format!("{fault:#}"),
        "a request failed by a fault of Dhow"
    );
    id
}

/// Collects refused fields, so that a form shows all of them at once.
#[derive(Debug, Default)]
pub struct Fields {
    errors: Vec<FieldError>,
}

impl Fields {
    /// Keeps a value that was accepted, notes one that was not.
    pub fn check<T>(&mut self, field: &str, value: std::result::Result<T, Invalid>) -> Option<T> {
        value.map_err(|error| self.refuse(field, error)).ok()
    }

    /// The same for a field that may be left out.
    pub fn check_optional<T>(
        &mut self,
        field: &str,
        text: Option<&str>,
        parse: impl FnOnce(&str) -> std::result::Result<T, Invalid>,
    ) -> Option<T> {
        text.and_then(|text| self.check(field, parse(text)))
    }

    /// Notes a refusal.
    pub fn refuse(&mut self, field: &str, error: Invalid) {
        self.errors.push(FieldError {
            field: field.to_owned(),
            message: error.0,
        });
    }

    /// The refusals so far, if any.
    pub fn finish(self) -> Result<()> {
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(self.errors))
        }
    }
}

/// What actions work with; clones share it.
#[derive(Clone)]
pub struct Actions {
    /// Where everything is stored.
    pub db: Db,
    /// Where deployments are asked for.
    pub deployer: Deployer,
    /// Where changes are announced.
    pub events: Events,
    /// Where deployments write what they do.
    pub logs: Logs,
    /// What the operator chose.
    pub config: Arc<Config>,
    secrets: SecretKey,
    passwords: Passwords,
    claim: Arc<users::Claim>,
    attempts: Arc<attempts::Attempts>,
}

impl Actions {
    /// Puts the parts together.
    pub fn new(
        db: Db,
        deployer: Deployer,
        events: Events,
        logs: Logs,
        config: Arc<Config>,
        secrets: SecretKey,
        passwords: Passwords,
    ) -> Self {
        Self {
            db,
            deployer,
            events,
            logs,
            config,
            secrets,
            passwords,
            claim: Arc::new(users::Claim::new()),
            attempts: Arc::default(),
        }
    }
}
