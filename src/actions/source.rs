//! What opens an app's repository or the registry of its image: stored write-only, and tried on the spot; and the keys by
//! which servers are known.

mod registry;

use serde::{Deserialize, Serialize};

use super::{Actions, Error, Fields, Result, access};
use crate::db;
use crate::deploy::{Branches, DeployError, Resolved};
use crate::events::Event;
use crate::model::Invalid;
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::deployment::ErrorKind;
use crate::model::ids::AppId;
use crate::model::source::{CredentialKind, GitUrl, HostKey, SealedCredential, Source, SourceToken};
use crate::model::time::Timestamp;
use crate::model::user::Actor;
use crate::secrets::{DeployKey, SecretKey};

/// A credential as written.
#[derive(Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialInput {
    /// `token` for https and for the registry of an image, `key` for SSH.
    pub kind: String,
    /// What goes with a token; most forges take any, a registry its own.
    #[serde(default)]
    pub username: Option<String>,
    /// A token or password. It is never shown again.
    #[serde(default)]
    pub token: Option<String>,
    /// A private key without passphrase, in OpenSSH's form or as PEM; one is made when it is left out. It is never shown
    /// again.
    #[serde(default)]
    pub private_key: Option<String>,
}

/// A credential as shown: nothing of it opens anything. All fields are null where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CredentialView {
    /// `token` or `key`.
    pub kind: Option<&'static str>,
    /// The only server that a token is sent to.
    pub origin: Option<String>,
    /// What goes with a token; null for those who may not change it.
    pub username: Option<String>,
    /// The public half of a key, to be added to the repository as a deploy key; null for those who may not change it.
    pub public_key: Option<String>,
    /// Fingerprint of a key.
    pub fingerprint: Option<String>,
    /// When it was stored.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_at: Option<Timestamp>,
}

impl CredentialView {
    fn new(stored: Option<SealedCredential>, right: Right) -> Self {
        let Some(stored) = stored else {
            return Self::default();
        };
        let may_change = right >= Right::Change;
        Self {
            kind: Some(stored.kind.as_str()),
            origin: stored.origin,
            username: stored.username.filter(|_| may_change),
            public_key: stored.public_key.filter(|_| may_change),
            fingerprint: stored.fingerprint,
            created_at: Some(stored.created_at),
        }
    }
}

/// What a check of the access found.
#[derive(Debug)]
pub enum Reached {
    /// The repository with its branches.
    Repository(Branches),
    /// The image, by its digest.
    Image(Resolved),
}

impl Actions {
    /// What an app has for its repository, without anything that opens it.
    pub async fn show_credential(&self, app: &App, right: Right) -> Result<CredentialView> {
        let id = app.id;
        let stored = self.db.read(move |c| db::source_credentials::find(c, id)).await?;
        Ok(CredentialView::new(stored, right))
    }

    /// Stores a credential in place of the one before.
    pub async fn replace_credential(&self, actor: &Actor, app: &App, input: CredentialInput) -> Result<CredentialView> {
        let (actor, slug, secrets) = (actor.clone(), app.slug.to_string(), self.secrets.clone());
        let stored = self
            .db
            .write(move |tx| {
                let app = access::app(tx, &actor, &slug, Right::Change)?;
                let credential = checked(&secrets, &app, &input)?;
                db::source_credentials::replace(tx, app.id, &credential)?;
                let what = credential.fingerprint.as_deref().unwrap_or("token");
                db::audit::insert(tx, &actor, "credential.change", &format!("{slug}: {what}"))?;
                Ok::<_, Error>(credential)
            })
            .await?;
        self.events.announce(Event::App(app.id));
        Ok(CredentialView::new(Some(stored), Right::Change))
    }

    /// Forgets an app's credential.
    pub async fn remove_credential(&self, actor: &Actor, app: &App) -> Result<()> {
        let (actor, slug) = (actor.clone(), app.slug.to_string());
        self.db
            .write(move |tx| {
                let app = access::app(tx, &actor, &slug, Right::Change)?;
                if db::source_credentials::delete(tx, app.id)? {
                    db::audit::insert(tx, &actor, "credential.remove", &slug)?;
                }
                Ok::<_, Error>(())
            })
            .await?;
        self.events.announce(Event::App(app.id));
        Ok(())
    }

    /// Asks the repository's server for its branches, or the registry for the image, now. What speaks against it is the
    /// refusal of `source.url` or `source.image`, or of `credential`.
    pub async fn check_access(&self, actor: &Actor, app: &App) -> Result<Reached> {
        self.require_in(actor, app, Right::Change).await?;
        match &app.settings.source {
            Source::Git { url, .. } => {
                let branches = self.deployer.list_branches(app, url).await;
                branches
                    .map(Reached::Repository)
                    .map_err(|error| refusal("source.url", error))
            }
            Source::Image { image } => {
                let resolved = self.deployer.resolve_image(app, image).await;
                resolved
                    .map(Reached::Image)
                    .map_err(|error| refusal("source.image", error))
            }
            Source::Push { .. } => Err(Error::Conflict(
                "This app is pushed to; there is no repository elsewhere to be reached.".into(),
            )),
        }
    }

    /// By what the server of an app's repository is known, if it is reached by SSH and was reached before.
    pub async fn find_host_key(&self, app: &App) -> Result<Option<HostKey>> {
        let Source::Git { url, .. } = &app.settings.source else {
            return Ok(None);
        };
        let (host, port) = (url.host(), url.port());
        let is_ssh = url.is_ssh();
        let found = self.db.read(move |c| db::host_keys::find(c, &host, port)).await?;
        Ok(found.filter(|_| is_ssh))
    }

    /// Forgets a server's key, so that the one that it shows next is taken; for the instance's admins.
    pub async fn remove_host_key(&self, actor: &Actor, host: &str, port: u16, fingerprint: &str) -> Result<()> {
        let (actor, host, fingerprint) = (actor.clone(), host.to_owned(), fingerprint.to_owned());
        self.db
            .write(move |tx| {
                if !access::as_now(tx, &actor)?.may_administer() {
                    return Err(Error::Forbidden);
                }
                if db::host_keys::delete(tx, &host, port, &fingerprint)? {
                    let object = format!("{host}:{port} {fingerprint}");
                    db::audit::insert(tx, &actor, "host_key.remove", &object)?;
                }
                Ok(())
            })
            .await
    }
}

fn refusal(address: &str, error: DeployError) -> Error {
    match error.kind() {
        ErrorKind::Internal => Error::Internal(anyhow::Error::msg(error.to_string())),
        ErrorKind::DockerUnreachable => Error::Unavailable(error.to_string()),
        _ if error.is_of_credential() => Error::field("credential", Invalid::new(error.to_string())),
        _ => Error::field(address, Invalid::new(error.to_string())),
    }
}

/// A token for a repository on the web, sealed for its app.
pub(super) fn sealed_token(secrets: &SecretKey, app: AppId, url: &GitUrl, token: &SourceToken) -> SealedCredential {
    sealed_for(secrets, app, &url.origin().ascii_serialization(), token)
}

fn sealed_for(secrets: &SecretKey, app: AppId, origin: &str, token: &SourceToken) -> SealedCredential {
    let kind = CredentialKind::Token;
    SealedCredential {
        kind,
        origin: Some(origin.to_owned()),
        username: Some(token.username().to_owned()),
        sealed: secrets.seal(&SealedCredential::seal_identity(app, kind), token.secret()),
        public_key: None,
        fingerprint: None,
        created_at: Timestamp::now(),
    }
}

fn sealed_key(secrets: &SecretKey, app: AppId, key: &DeployKey) -> SealedCredential {
    let kind = CredentialKind::Key;
    SealedCredential {
        kind,
        origin: None,
        username: None,
        sealed: secrets.seal(&SealedCredential::seal_identity(app, kind), &key.private_key()),
        public_key: Some(key.public_key()),
        fingerprint: Some(key.fingerprint()),
        created_at: Timestamp::now(),
    }
}

/// Whether a credential is for this source: a token for its server or its registry alone, a key for SSH.
pub(super) fn fits(credential: &SealedCredential, source: &Source) -> bool {
    match (source, credential.kind) {
        (Source::Git { url, .. }, CredentialKind::Key) => url.is_ssh(),
        (Source::Git { url, .. }, CredentialKind::Token) => {
            credential.origin == Some(url.origin().ascii_serialization())
        }
        (Source::Image { image }, CredentialKind::Token) => credential.origin.as_deref() == Some(image.registry_name()),
        (Source::Image { .. }, CredentialKind::Key) | (Source::Push { .. }, _) => false,
    }
}

fn checked(secrets: &SecretKey, app: &App, input: &CredentialInput) -> Result<SealedCredential> {
    let refuse = |field: &str, message: &str| Error::field(field, Invalid::new(message));
    let url = match &app.settings.source {
        Source::Git { url, .. } => url,
        Source::Image { image } => return registry::checked(secrets, app.id, image, input),
        Source::Push { .. } => return Err(refuse("kind", "This app is pushed to; it needs no credential.")),
    };
    let mut fields = Fields::default();
    let kind = fields.check("kind", CredentialKind::parse(&input.kind));
    let made = match kind {
        Some(CredentialKind::Token) if url.is_ssh() => {
            return Err(refuse(
                "kind",
                "The repository is reached by SSH, which takes a key. Change its address to one with https:// for a token.",
            ));
        }
        Some(CredentialKind::Key) if !url.is_ssh() => {
            return Err(refuse(
                "kind",
                "The repository is reached over https, which takes a token. Change its address to one for SSH, such as \
                 git@github.com:acme/web.git, for a key.",
            ));
        }
        Some(CredentialKind::Token) => {
            if input.private_key.is_some() {
                fields.refuse("private_key", Invalid::new("A token has none; leave it out."));
            }
            let token = SourceToken::parse(
                input.username.as_deref().unwrap_or_default(),
                input.token.as_deref().unwrap_or_default(),
            );
            let token = fields.check("token", token);
            token.map(|token| sealed_token(secrets, app.id, url, &token))
        }
        Some(CredentialKind::Key) => {
            if input.token.is_some() || input.username.is_some() {
                fields.refuse(
                    "token",
                    Invalid::new("A key has neither token nor user name; leave both out."),
                );
            }
            let comment = format!("dhow-{}", app.slug);
            let key = match &input.private_key {
                Some(text) => fields.check("private_key", DeployKey::parse(text, &comment)),
                None => Some(DeployKey::make(&comment)),
            };
            key.map(|key| sealed_key(secrets, app.id, &key))
        }
        None => None,
    };
    fields.finish()?;
    Ok(made.expect("without refusals there is one"))
}
