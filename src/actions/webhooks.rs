//! Webhooks of apps: the address, who may see the secret, exchanging it, checking with it.

use std::sync::Arc;

use super::{Actions, Error, Result, access};
use crate::db;
use crate::events::Event;
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::delivery::{Proof, Signature, Webhook};
use crate::model::ids::AppId;
use crate::model::time::Timestamp;
use crate::model::user::Actor;
use crate::secrets::{self, SecretKey};

/// How a forge reaches an app, as shown to somebody.
#[derive(Debug, Clone)]
pub struct WebhookAccess {
    /// Where it sends to.
    pub url: String,
    /// What it signs with; `None` for who may not know.
    pub secret: Option<String>,
    /// When the secret was last exchanged.
    pub rotated_at: Option<Timestamp>,
}

/// The other side of an address that something was sent to.
#[derive(Clone)]
pub struct Hook {
    /// Whose it is.
    pub app: AppId,
    secret: Arc<str>,
}

impl Hook {
    /// The side of an app whose secret is known.
    pub fn new(app: AppId, secret: &str) -> Self {
        let secret = secret.into();
        Self { app, secret }
    }

    /// Whether a request with this body was signed for it.
    pub fn check(&self, proof: &Proof, body: &[u8]) -> Signature {
        secrets::check_signature(&self.secret, proof, body)
    }

    /// The text without the secret.
    pub fn redacted(&self, text: &str) -> String {
        text.replace(&*self.secret, "***")
    }
}

impl Actions {
    /// The webhook at an address, if there is one.
    pub async fn find_hook(&self, public_id: &str) -> Result<Option<Hook>> {
        let public_id = public_id.to_owned();
        let found = self.db.read(move |c| db::webhooks::find_by_public_id(c, &public_id));
        let hook = |webhook: Webhook| Ok(Hook::new(webhook.app_id, &self.open_secret(&webhook)?));
        found.await?.map(hook).transpose()
    }

    /// An app's webhook, with its secret for who administers the project.
    pub async fn webhook(&self, actor: &Actor, app: &App) -> Result<WebhookAccess> {
        let (actor, id, project) = (actor.clone(), app.id, app.project_id);
        let read = self.db.read(move |c| {
            let right = access::right_in(c, &actor, project)?;
            Ok((right, db::webhooks::find(c, id)?))
        });
        let (Some(right), Some(webhook)) = read.await? else {
            return Err(Error::NotFound);
        };
        let may_know = right >= Right::Administer;
        Ok(WebhookAccess {
            url: format!("{}/webhooks/{}", self.config.panel_url(), webhook.public_id),
            secret: may_know.then(|| self.open_secret(&webhook)).transpose()?,
            rotated_at: webhook.rotated_at,
        })
    }

    /// Gives an app's webhook another secret; from now on the old one is worth nothing.
    pub async fn rotate_webhook(&self, actor: &Actor, slug: &str) -> Result<()> {
        let (actor, slug, key) = (actor.clone(), slug.to_owned(), self.secrets.clone());
        let rotated = self.db.write(move |tx| {
            let app = access::app(tx, &actor, &slug, Right::Administer)?;
            db::webhooks::update_secret(tx, app.id, &sealed_secret(&key, app.id))?;
            db::audit::insert(tx, &actor, "webhook.rotate", &slug)?;
            Ok::<_, Error>(app.id)
        });
        self.events.announce(Event::App(rotated.await?));
        Ok(())
    }

    fn open_secret(&self, webhook: &Webhook) -> Result<String> {
        let identity = Webhook::seal_identity(webhook.app_id);
        let secret = self.secrets.unseal(&identity, &webhook.sealed_secret);
        Ok(secret.map_err(anyhow::Error::from)?)
    }
}

/// Gives an app its webhook, in the transaction that makes it.
pub(super) fn make(tx: &db::Tx, key: &SecretKey, app: AppId) -> db::Result<()> {
    db::webhooks::insert(tx, app, &secrets::random_token(), &sealed_secret(key, app))
}

/// Gives every app its webhook that was made before there were any.
pub async fn make_missing(db: &db::Db, key: &SecretKey) -> db::Result<()> {
    let key = key.clone();
    db.write(move |tx| {
        for app in db::webhooks::list_apps_without(tx)? {
            make(tx, &key, app)?;
        }
        Ok(())
    })
    .await
}

fn sealed_secret(key: &SecretKey, app: AppId) -> Vec<u8> {
    key.seal(&Webhook::seal_identity(app), &secrets::random_webhook_secret())
}
