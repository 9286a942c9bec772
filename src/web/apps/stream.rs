//! An open page of an app while a deployment is under way or the first push is waited for: the page's content anew
//! whenever something changes.

use std::time::Duration;

use askama::Template as _;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::response::sse::Event;
use axum::routing::get;
use futures_util::stream;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::show::AppPage;
use crate::actions::Actions;
use crate::events::Event as Change;
use crate::model::ids::AppId;
use crate::model::ids::UserId;
use crate::web::Web;
use crate::web::layout::Frame;
use crate::web::load::LoadedApp;
use crate::web::signed_in::SignedIn;
use crate::web::sse;

/// Least time between two messages: changes that come close together are shown at once.
const PACE: Duration = Duration::from_millis(200);

/// The stream.
pub fn router() -> Router<Web> {
    Router::new().route("/apps/{app}/stream", get(follow))
}

async fn follow(
    State(web): State<Web>,
    SignedIn { user, .. }: SignedIn,
    LoadedApp(app, _): LoadedApp,
    frame: Frame,
) -> Response {
    let live = Live {
        changes: web.actions.events.listen(),
        actions: web.actions.clone(),
        app: app.id,
        slug: app.slug.to_string(),
        user: user.id,
        frame,
        phase: Phase::Begin,
    };
    sse::stream(&web, user.id, stream::unfold(live, Live::next))
}

/// What an open page waits for.
struct Live {
    actions: Actions,
    app: AppId,
    slug: String,
    /// Who looks: a right that is taken ends the stream.
    user: UserId,
    frame: Frame,
    changes: Receiver<Change>,
    phase: Phase,
}

enum Phase {
    /// The page may be older than the stream.
    Begin,
    Follow,
    /// Nothing is under way any more.
    Done,
    Over,
}

impl Live {
    /// The next message. An error ends the stream: the browser comes back.
    async fn next(mut self) -> Option<(Event, Self)> {
        match self.phase {
            Phase::Begin => {}
            Phase::Follow => {
                changed(&mut self.changes, self.app).await?;
                tokio::time::sleep(PACE).await;
                self.changes = self.changes.resubscribe();
            }
            Phase::Done => {
                self.phase = Phase::Over;
                return Some((sse::done(), self));
            }
            Phase::Over => return None,
        }
        let seen = self.actions.find_app_for(self.user, &self.slug).await;
        let Some((app, right)) = seen.ok().filter(|(app, _)| app.id == self.app) else {
            self.phase = Phase::Over;
            return Some((sse::done(), self));
        };
        let page = AppPage::load(&self.actions, (&app, right), self.frame.clone())
            .await
            .ok()?;
        let main = page.as_main().render().ok()?;
        self.phase = if page.will_change() { Phase::Follow } else { Phase::Done };
        Some((Event::default().data(sse::replacement("main", &main)), self))
    }
}

/// Waits until something about an app changes; `None` when Dhow stops.
async fn changed(changes: &mut Receiver<Change>, app: AppId) -> Option<()> {
    loop {
        match changes.recv().await {
            Ok(Change::App(changed) | Change::Deployment(_, changed)) if changed == app => return Some(()),
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return Some(()),
            Err(RecvError::Closed) => return None,
        }
    }
}
