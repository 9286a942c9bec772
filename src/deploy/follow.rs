//! Reading a deployment's log while it grows: the file is the truth, events only say when to look again.

use futures_util::Stream;

use super::Context;
use crate::db::{self, Db};
use crate::events::Event;
use crate::logs::{Chunk, Logs};
use crate::model::ids::DeploymentId;

/// A log from an offset on, as it grows; ends when the deployment has ended and all was read.
pub(super) fn follow(
    context: &Context,
    id: DeploymentId,
    offset: u64,
) -> impl Stream<Item = std::io::Result<Chunk>> + Send + use<> {
    let follower = Follower {
        db: context.db.clone(),
        logs: context.logs.clone(),
        events: context.events.listen(),
        id,
        offset,
    };
    futures_util::stream::unfold(Some(follower), Follower::next)
}

/// A reader that waits at the end of a log.
struct Follower {
    db: Db,
    logs: Logs,
    events: tokio::sync::broadcast::Receiver<Event>,
    id: DeploymentId,
    offset: u64,
}

impl Follower {
    /// The next part. It listened before it first read, so no growth is missed in between.
    async fn next(this: Option<Self>) -> Option<(std::io::Result<Chunk>, Option<Self>)> {
        let mut this = this?;
        loop {
            // The status is asked before the file: what was written before the end is then seen for certain.
            let has_ended = this.has_ended().await;
            match this.read().await {
                Ok(Some(chunk)) => {
                    this.offset = chunk.end;
                    return Some((Ok(chunk), Some(this)));
                }
                Ok(None) if has_ended => return None,
                Ok(None) => this.wait().await?,
                Err(error) => return Some((Err(error), None)),
            }
        }
    }

    async fn has_ended(&self) -> bool {
        let id = self.id;
        match self.db.read(move |c| db::deployments::find(c, id)).await {
            Ok(deployment) => deployment.is_none_or(|deployment| deployment.status.is_final()),
            // A database that cannot be read now may be readable at the next event.
            Err(_) => false,
        }
    }

    async fn read(&self) -> std::io::Result<Option<Chunk>> {
        let (logs, id, offset) = (self.logs.clone(), self.id, self.offset);
        tokio::task::spawn_blocking(move || logs.read(id, offset))
            .await
            .map_err(std::io::Error::other)?
    }

    /// Waits for anything about this deployment; `None` when Dhow stops.
    async fn wait(&mut self) -> Option<()> {
        use tokio::sync::broadcast::error::RecvError;
        loop {
            match self.events.recv().await {
                Ok(Event::Log(id) | Event::Deployment(id, _)) if id == self.id => return Some(()),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return Some(()),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
