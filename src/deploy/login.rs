//! What an app may show to the registry of its image, and whether the engine may be sent there; whether the image can be
//! had.

use std::time::Duration;

use super::{Context, DeployError};
use crate::db;
use crate::docker::{RegistryError, Resolved};
use crate::model::app::App;
use crate::model::ids::AppId;
use crate::model::source::{CredentialKind, ImageRef, SealedCredential, SourceToken};
use crate::outbound::{self, Refusal};

/// Somebody waits before the page.
const CHECK_LIMIT: Duration = Duration::from_secs(10);
/// The port of a registry whose name tells none.
const HTTPS: u16 = 443;

/// A user name and a password, opened for one registry.
pub(super) struct Login(SourceToken);

impl Login {
    /// Reads and opens what an app has for the registry of this image; what it has for another one stays closed.
    pub(super) async fn load(context: &Context, app: AppId, image: &ImageRef) -> Result<Option<Self>, DeployError> {
        let stored = context.db.read(move |c| db::source_credentials::find(c, app)).await?;
        let registry = image.registry_name();
        let stored =
            stored.filter(|stored| stored.kind == CredentialKind::Token && stored.origin.as_deref() == Some(registry));
        let Some(stored) = stored else { return Ok(None) };
        let identity = SealedCredential::seal_identity(app, stored.kind);
        let secret = context.secrets.unseal(&identity, &stored.sealed);
        let secret = secret.map_err(|_| DeployError::CredentialUnreadable)?;
        let token = SourceToken::parse(&stored.username.unwrap_or_default(), &secret);
        let token = token.map_err(|error| DeployError::Internal(error.0))?;
        Ok(Some(Self(token)))
    }

    /// What the engine is told.
    pub(super) fn token(&self) -> &SourceToken {
        &self.0
    }

    /// What must not be in a log.
    pub(super) fn texts_to_hide(&self) -> Vec<String> {
        vec![self.0.secret().to_owned()]
    }
}

/// Refuses a registry at a private address. The engine looks the name up again and dials itself, so that a name whose
/// answers change could still lead it there: this keeps honest names out, and addresses that are typed.
pub(super) async fn refuse_private(context: &Context, image: &ImageRef) -> Result<(), DeployError> {
    let Some(registry) = image.registry() else {
        return Ok(());
    };
    let (host, port) = match registry.split_once(':') {
        Some((host, port)) => (host.to_owned(), port.parse().unwrap_or(HTTPS)),
        None => (registry.to_owned(), HTTPS),
    };
    let allow_private = context.config.allow_private_sources;
    let name = host.clone();
    let asking = tokio::task::spawn_blocking(move || outbound::resolve(&host, port, allow_private, || false));
    match tokio::time::timeout(CHECK_LIMIT, asking).await {
        Ok(Ok(Err(Refusal::Private(address)))) => Err(DeployError::Pull(RegistryError::Refused(format!(
            "{name} is at {address}, a private address, and Dhow pulls only from public registries. An operator who trusts \
             every user of this panel can start it with --allow-private-sources."
        )))),
        Ok(Err(fault)) => Err(DeployError::Internal(fault.to_string())),
        Err(_elapsed) if !allow_private => Err(DeployError::Pull(RegistryError::Unreachable(format!(
            "It could not be found out within {} s where {name} is. Try again, or ask whoever runs this server about its \
             DNS.",
            CHECK_LIMIT.as_secs()
        )))),
        // Whether the name leads anywhere is for the engine to say, which may know it through a proxy.
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}

/// What the registry says that an app's image is now, in seconds or not at all.
pub(super) async fn check(context: &Context, app: &App, image: &ImageRef) -> Result<Resolved, DeployError> {
    let login = Login::load(context, app.id, image).await?;
    refuse_private(context, image).await?;
    let asking = context
        .engine
        .resolve_image(image.as_str(), login.as_ref().map(Login::token), CHECK_LIMIT);
    Ok(asking.await?)
}
