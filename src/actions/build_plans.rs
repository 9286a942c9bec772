//! How an app's source would be built: asked for here, looked up by the worker.

use super::{Actions, Error, Result, access};
use crate::db;
use crate::events::Event;
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::source::Source;
use crate::model::user::Actor;

impl Actions {
    /// Has an app's source looked at; what is seen is stored and announced.
    pub async fn look_at_source(&self, actor: &Actor, app: &App) -> Result<()> {
        let (actor, slug) = (actor.clone(), app.slug.to_string());
        self.db
            .write(move |tx| {
                let app = access::app(tx, &actor, &slug, Right::Deploy)?;
                if matches!(app.settings.source, Source::Image { .. }) {
                    return Err(Error::Conflict(
                        "This app runs a ready image; nothing is built.".to_owned(),
                    ));
                }
                db::build_plans::replace(tx, app.id, None)?;
                db::audit::insert(tx, &actor, "source.look", &slug)?;
                Ok(())
            })
            .await?;
        self.events.announce(Event::App(app.id));
        self.deployer.wake();
        Ok(())
    }
}
