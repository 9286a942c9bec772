//! Writes that must not get lost: how a deployment ended, and what serves. A full disk holds them up until it has room
//! again, and the app's slot with them, so that nothing newer overtakes.

use std::time::Duration;

use tokio::time::sleep;

use super::Context;
use crate::db::{self, Tx};

/// Pause before the write is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Writes until the disk has room for it, or until Dhow stops; any other error is answered at once.
pub async fn write<T, F>(context: &Context, statements: F) -> db::Result<T>
where
    T: Send + 'static,
    F: Fn(&Tx) -> db::Result<T> + Clone + Send + 'static,
{
    let mut is_told = false;
    loop {
        let once = statements.clone();
        match context.db.write(move |tx| once(tx)).await {
            Err(db::Error::DiskFull) if !context.shutdown.is_cancelled() => {
                if !std::mem::replace(&mut is_told, true) {
                    tracing::error!("the disk is full; what a deployment came to is stored once there is room");
                }
                context.shutdown.run_until_cancelled(sleep(PAUSE)).await;
            }
            written => return written,
        }
    }
}
