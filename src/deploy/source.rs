//! What a fetch of an app may show to its server, and by what servers are known; whether the repository can be reached.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Context, DeployError};
use crate::db;
use crate::git::{Access, Branches, Credential, Error, FetchLimits, HostKeys};
use crate::model::app::App;
use crate::model::source::{CredentialKind, GitUrl, SealedCredential, Source, SourceToken};
use crate::secrets::SecretKey;

/// Somebody waits before the page.
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);
const CHECK_LIMITS: FetchLimits = FetchLimits {
    connect: Duration::from_secs(4),
    idle: Duration::from_secs(8),
    total: Duration::from_secs(9),
    // Only a list is asked for.
    pack_bytes: 1 << 20,
};

/// Tells a blocking thread to give up when nobody waits for it any more.
pub(super) struct CancelOnDrop(pub(super) Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What a fetch needs to be let in.
pub(super) struct Keys {
    pub(super) credential: Option<Credential>,
    pub(super) host_keys: Arc<HostKeys>,
    allow_private: bool,
}

impl Keys {
    /// Reads and opens what an app has for its repository.
    pub(super) async fn load(context: &Context, app: &App) -> Result<Self, DeployError> {
        let id = app.id;
        let stored = context
            .db
            .read(move |c| Ok((db::source_credentials::find(c, id)?, db::host_keys::list(c)?)));
        let (sealed, known) = stored.await?;
        let credential = match (&app.settings.source, sealed) {
            (Source::Git { url, .. }, Some(sealed)) => Some(open(&context.secrets, app, url, sealed)?),
            _ => None,
        };
        Ok(Self {
            credential,
            host_keys: Arc::new(HostKeys::new(known)),
            allow_private: context.config.allow_private_sources,
        })
    }

    /// What a conversation may do with it.
    pub(super) fn access(&self, limits: FetchLimits) -> Access<'_> {
        Access {
            allow_private: self.allow_private,
            limits,
            credential: self.credential.as_ref(),
            host_keys: &self.host_keys,
        }
    }
}

fn open(secrets: &SecretKey, app: &App, url: &GitUrl, stored: SealedCredential) -> Result<Credential, DeployError> {
    let identity = SealedCredential::seal_identity(app.id, stored.kind);
    let opened = secrets.unseal(&identity, &stored.sealed);
    let secret = opened.map_err(|_| DeployError::CredentialUnreadable)?;
    Ok(match stored.kind {
        CredentialKind::Token => Credential::Token {
            origin: stored.origin.unwrap_or_default(),
            token: SourceToken::parse(&stored.username.unwrap_or_default(), &secret)
                .map_err(|error| DeployError::Internal(error.0))?,
        },
        CredentialKind::Key => Credential::Key {
            host: url.host(),
            private_key: secret,
            fingerprint: stored.fingerprint.unwrap_or_default(),
        },
    })
}

/// Stores what servers showed at first contact.
pub(super) async fn pin_new(context: &Context, host_keys: &HostKeys) -> Result<(), DeployError> {
    let new = host_keys.take_new();
    if new.is_empty() {
        return Ok(());
    }
    for key in &new {
        tracing::info!(
            host = key.host,
            port = key.port,
            key = key.fingerprint,
            "first contact by SSH"
        );
    }
    let pinned = context
        .db
        .write(move |tx| new.iter().try_for_each(|key| db::host_keys::insert_new(tx, key)));
    Ok(pinned.await?)
}

/// The branches of an app's repository, in seconds or not at all.
pub(super) async fn list_branches(context: &Context, app: &App, url: &GitUrl) -> Result<Branches, DeployError> {
    let keys = Keys::load(context, app).await?;
    let host_keys = Arc::clone(&keys.host_keys);
    let is_cancelled = Arc::new(AtomicBool::new(false));
    let _guard = CancelOnDrop(Arc::clone(&is_cancelled));
    let (host, url) = (url.host(), url.clone());
    let asking = tokio::task::spawn_blocking(move || Branches::list(&url, keys.access(CHECK_LIMITS), &is_cancelled));
    let answer = tokio::time::timeout(CHECK_TIMEOUT, asking).await;
    pin_new(context, &host_keys).await?;
    match answer {
        Ok(Ok(branches)) => Ok(branches?),
        Ok(Err(fault)) => Err(DeployError::Internal(fault.to_string())),
        Err(_) => Err(DeployError::Git(Error::Unreachable(format!(
            "{host} did not answer within {} s. Check the address, or try again later.",
            CHECK_TIMEOUT.as_secs()
        )))),
    }
}
