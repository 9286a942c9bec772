//! When sources are looked at: an app's in its slot, since a deployment would fetch into the same copy.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::{Freed, Slot, Worker};
use crate::db;
use crate::deploy::look;
use crate::model::ids::AppId;

/// Pause before a source is looked at again for which nothing could be stored: a database or disk that cannot be used now.
const LOOKED_AGAIN_AFTER: Duration = Duration::from_secs(5);

impl Worker {
    /// Sources that somebody waits to see are looked at where the app's slot is free; the engine is not needed.
    pub(super) async fn look_at_sources(&mut self) {
        let waiting = match self.context.db.read(db::build_plans::list_unseen).await {
            Ok(waiting) => waiting,
            Err(error) => return tracing::error!(%error, "sources to be looked at could not be listed"),
        };
        for app in waiting {
            if !self.slots.contains_key(&app) {
                self.spawn_look(app);
            }
        }
    }

    fn spawn_look(&mut self, app: AppId) {
        let slot = Slot::without_deployment();
        let cancel = slot.cancel.clone();
        self.slots.insert(app, slot);
        let context = Arc::clone(&self.context);
        self.tasks.spawn(async move {
            let look = AssertUnwindSafe(look::at_source(&context, app, &cancel)).catch_unwind();
            match look.await {
                Ok(Ok(())) => {}
                failed => {
                    tracing::error!(%app, ?failed, "a source could not be looked at");
                    let pause = tokio::time::sleep(LOOKED_AGAIN_AFTER);
                    context.shutdown.run_until_cancelled(pause).await;
                }
            }
            Freed { app, is_suspect: false }
        });
    }
}
