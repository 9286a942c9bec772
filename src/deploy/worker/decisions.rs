//! When deliveries that wait are decided: an app's in its slot, since its repository is looked into, and before its
//! deployments, since they may replace what is queued.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::{Freed, Slot, Worker};
use crate::db;
use crate::deploy::deliveries;
use crate::model::ids::AppId;

/// Pause before deliveries are looked at again whose decision failed: a database or disk that cannot be used now.
const DECIDED_AGAIN_AFTER: Duration = Duration::from_secs(5);

impl Worker {
    /// Deliveries that wait are decided where the app's slot is free: its repository is needed, the engine is not.
    pub(super) async fn decide_deliveries(&mut self) {
        let waiting = match self.context.db.read(db::deliveries::list_undecided_apps).await {
            Ok(waiting) => waiting,
            Err(error) => return tracing::error!(%error, "deliveries that wait could not be read"),
        };
        for app in waiting {
            if !self.slots.contains_key(&app) {
                self.spawn_decisions(app);
            }
        }
    }

    fn spawn_decisions(&mut self, app: AppId) {
        self.slots.insert(app, Slot::without_deployment());
        let context = Arc::clone(&self.context);
        self.tasks.spawn(async move {
            match AssertUnwindSafe(deliveries::decide_all(&context, app))
                .catch_unwind()
                .await
            {
                Ok(Ok(())) => {}
                failed => {
                    tracing::error!(%app, ?failed, "deliveries could not be decided");
                    let pause = tokio::time::sleep(DECIDED_AGAIN_AFTER);
                    context.shutdown.run_until_cancelled(pause).await;
                }
            }
            Freed { app, is_suspect: false }
        });
    }
}
