//! What comes to webhooks: stored and answered in one transaction, so that one that failed can come again and one that
//! was accepted does nothing a second time.

use super::{Actions, Error, Result, access};
use crate::db::{self, Tx, deliveries::Handled};
use crate::deploy::{self, Queued, RequestError};
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::delivery::{Decision, Delivery, Outcome, Received, Signature, Verdict, concerning, decide};
use crate::model::ids::{AppId, DeliveryId};
use crate::model::user::Actor;

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::AppGone => Self::NotFound,
            RequestError::Db(error) => error.into(),
        }
    }
}

impl Actions {
    /// Takes a delivery whose signature is right: decides about it, or leaves it to the worker where the repository has to
    /// be asked. One that was accepted before is answered again as it was.
    pub async fn receive_delivery(&self, actor: &Actor, app: AppId, received: Received) -> Result<Delivery> {
        let actor = actor.clone();
        let stored = self.db.write(move |tx| {
            if let Some(forge_id) = &received.forge_id
                && let Some(known) = db::deliveries::find_accepted(tx, app, forge_id)?
            {
                return Ok((known, None));
            }
            handle(tx, &actor, app, &received, None)
        });
        self.told(stored.await?)
    }

    /// Keeps a delivery whose signature is not right, so that whoever set the webhook up sees why nothing happens.
    pub async fn refuse_delivery(&self, app: AppId, received: Received, signature: Signature) -> Result<()> {
        let verdict = refusal(signature);
        let stored = self.db.write(move |tx| {
            let handled = Handled {
                signature,
                verdict: Some(&verdict),
                deployment: None,
                replay_of: None,
            };
            db::deliveries::insert(tx, app, &received, handled)
        });
        stored.await?;
        Ok(())
    }

    /// Handles a delivery once more, by the settings and the state of now.
    pub async fn replay_delivery(&self, actor: &Actor, slug: &str, id: DeliveryId) -> Result<Delivery> {
        let (actor, slug) = (actor.clone(), slug.to_owned());
        let stored = self.db.write(move |tx| {
            let app = access::app(tx, &actor, &slug, Right::Deploy)?;
            let delivery = find_of_app(tx, &app, id)?;
            if delivery.signature != Signature::Valid {
                let message = "Its signature was not right, so nobody knows who sent it. Correct the secret at the forge, \
                               then have the forge send it again.";
                return Err(Error::Conflict(message.to_owned()));
            }
            db::audit::insert(tx, &actor, "delivery.replay", &id.to_string())?;
            let received = Received {
                forge: delivery.forge,
                event_name: delivery.event.clone(),
                forge_id: None,
                event: delivery.told(),
                payload: db::deliveries::find_payload(tx, id)?,
            };
            handle(tx, &actor, app.id, &received, Some(id))
        });
        self.told(stored.await?)
    }

    /// A delivery of an app, with its payload.
    pub async fn find_delivery(&self, app: &App, id: DeliveryId) -> Result<(Delivery, String)> {
        let app = app.id;
        let found = self.db.read(move |c| {
            let delivery = db::deliveries::find(c, id)?.filter(|delivery| delivery.app_id == app);
            Ok(delivery.zip(Some(db::deliveries::find_payload(c, id)?)))
        });
        found.await?.ok_or(Error::NotFound)
    }

    /// A page of what came to all webhooks; only for who sees every project.
    pub async fn list_deliveries(&self, actor: &Actor, page: db::Page) -> Result<Vec<Delivery>> {
        if !actor.sees_all() {
            return Err(Error::Forbidden);
        }
        Ok(self.db.read(move |c| db::deliveries::list(c, page)).await?)
    }

    /// Announces what was stored.
    fn told(&self, (delivery, queued): (Delivery, Option<Queued>)) -> Result<Delivery> {
        match &queued {
            Some(queued) => self.deployer.announce(queued),
            None if delivery.verdict.is_none() => self.deployer.wake(),
            None => {}
        }
        Ok(delivery)
    }
}

fn find_of_app(c: &Tx, app: &App, id: DeliveryId) -> Result<Delivery> {
    let found = db::deliveries::find(c, id)?;
    found
        .filter(|delivery| delivery.app_id == app.id)
        .ok_or(Error::NotFound)
}

/// Decides, stores, and asks for what was decided.
fn handle(
    tx: &Tx,
    actor: &Actor,
    app: AppId,
    received: &Received,
    replay_of: Option<DeliveryId>,
) -> Result<(Delivery, Option<Queued>)> {
    let settings = db::apps::find(tx, app)?.ok_or(Error::NotFound)?.settings;
    let received = &Received {
        event: concerning(&settings, &received.event),
        ..received.clone()
    };
    let (verdict, queued) = match decide(&settings, &received.event) {
        Outcome::Skip(verdict) => (Some(verdict), None),
        Outcome::Deploy(push, commit, verdict) => {
            let queued = deploy::put_push(tx, actor, app, &push, &commit)?;
            (Some(verdict), Some(queued))
        }
        Outcome::AskRepository(..) => (None, None),
    };
    let handled = Handled {
        signature: Signature::Valid,
        verdict: verdict.as_ref(),
        deployment: queued.as_ref().map(|queued| queued.deployment.id),
        replay_of,
    };
    let id = db::deliveries::insert(tx, app, received, handled)?;
    let delivery = db::deliveries::find(tx, id)?.ok_or(Error::NotFound)?;
    Ok((delivery, queued))
}

fn refusal(signature: Signature) -> Verdict {
    let reason = match signature {
        Signature::Missing => {
            "Refused: it is not signed. Enter the secret at the forge; SHA-1 alone and an empty token do not count."
        }
        Signature::Wrong | Signature::Valid => {
            "Refused: it is signed with another secret. Enter the one of this app's webhook page at the forge."
        }
    };
    Verdict {
        decision: Decision::Refused,
        rule: "signature".to_owned(),
        reason: reason.to_owned(),
    }
}
