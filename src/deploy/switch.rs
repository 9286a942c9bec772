//! Switch: give the new instance the traffic, and know that it has it.
//!
//! One transaction makes the release the active one, then the route file is written from the database, then the
//! proxy's own API is asked until it shows the new server and no old one.

use std::time::{Duration, Instant};

use super::job::Job;
use super::{DeployError, insist, proxy, release, routes};
use crate::db;
use crate::model::route::AppRoutes;
use crate::traefik::Counters;

/// Longest time for the proxy to take a route; it was seen to take 0.3 s.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(15);

/// How long the proxy is waited for before the routes are read again.
const READ_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Longer than the proxy waits before it reads changed files (`providersThrottleDuration`).
const PROXY_THROTTLE: Duration = Duration::from_millis(300);

/// What retire needs to tell the cost of the switch.
pub struct Switched {
    /// The proxy's counters before the route was written; `None` where it did not tell them.
    pub before: Option<Counters>,
    /// Time until the proxy used the new instance.
    pub took: Duration,
}

/// Switches and waits for the proxy's confirmation.
pub async fn run(job: &Job) -> Result<Switched, DeployError> {
    let before = proxy::counters(&job.context, &job.app.slug).await;
    activate(job).await?;
    let began = Instant::now();
    let routes = routes::write(&job.context, job.app.id).await?;
    let routes = match confirm(job, routes).await {
        Ok(routes) => routes,
        Err(error) => {
            tell_foreign_files(job).await;
            return Err(error);
        }
    };
    let took = began.elapsed();
    let ports = routes::public_ports(&job.context);
    for route in &routes.routes {
        job.log
            .line(&format!("Live at {}", route.address(ports.http, ports.https)));
    }
    Ok(Switched { before, took })
}

/// Waits until the proxy serves the app's routes, and answers them as they are by then.
async fn confirm(job: &Job, routes: AppRoutes) -> Result<AppRoutes, DeployError> {
    let look = |routes: AppRoutes, limit| async move { proxy::confirm(&job.context, &routes, limit).await };
    let write = || routes::write(&job.context, job.app.id);
    confirm_newest(routes, CONFIRM_TIMEOUT, look, write).await
}

/// A domain may be edited meanwhile, and what was written before that is never shown then: what counts is the newest, as
/// long as it leads to the same server. `look` waits for routes for a time, `write` answers the newest.
async fn confirm_newest<L, W>(
    mut routes: AppRoutes,
    limit: Duration,
    look: impl Fn(AppRoutes, Duration) -> L,
    write: impl Fn() -> W,
) -> Result<AppRoutes, DeployError>
where
    L: Future<Output = Result<(), DeployError>>,
    W: Future<Output = Result<AppRoutes, DeployError>>,
{
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let error = match look(routes.clone(), left.min(READ_AGAIN_AFTER)).await {
            Ok(()) => return Ok(routes),
            Err(error @ DeployError::RouteFailed(_)) => error,
            Err(error) => return Err(error),
        };
        if Instant::now() >= deadline {
            return Err(error);
        }
        let newest = write().await?;
        if newest.server != routes.server {
            return Err(error);
        }
        routes = newest;
    }
}

/// A file that Dhow did not write may be why a switch failed: the proxy takes no change while it cannot read one of them.
async fn tell_foreign_files(job: &Job) {
    for file in job.context.routes.foreign().await.unwrap_or_default() {
        let dir = job.context.paths.traefik().join("dynamic");
        job.log.line(&format!(
            "Warning: {} is not Dhow's and may be what the proxy stumbles on; remove it.",
            dir.join(file).display()
        ));
    }
}

/// Makes the release the active one, remembering the one before for a way back. An app that was stopped before the
/// deployment was asked for runs again.
async fn activate(job: &Job) -> Result<(), DeployError> {
    let (id, app, created_at) = (job.deployment.id, job.app.id, job.deployment.created_at);
    let release = release::of_deployment(&job.context, id).await?.id;
    let activated = job.context.db.write(move |tx| {
        let replaced = db::apps::find_active(tx, app)?;
        // Done before when the deployment is resumed.
        if replaced != Some((release, id)) {
            db::deployments::update_replaced(tx, id, replaced)?;
            db::apps::update_active(tx, app, Some((release, id)))?;
        }
        if let Some(stopped_at) = db::apps::find(tx, app)?.and_then(|app| app.stopped_at)
            && stopped_at <= created_at
        {
            db::apps::update_stopped(tx, app, None)?;
        }
        Ok::<_, db::Error>(())
    });
    Ok(activated.await?)
}

/// Gives the traffic back to the release before and makes sure that the proxy took it.
pub async fn put_back(job: &Job) -> Result<(), DeployError> {
    let (id, app) = (job.deployment.id, job.app.id);
    let put_back = insist::write(&job.context, move |tx| {
        let is_active = db::apps::find_active(tx, app)?.is_some_and(|(_, deployment)| deployment == id);
        if is_active {
            db::apps::update_active(tx, app, db::deployments::find_replaced(tx, id)?)?;
        }
        Ok::<_, db::Error>(())
    });
    put_back.await?;
    let routes = routes::write(&job.context, app).await?;
    // Within the proxy's throttle its API may still show the state before the switch, and so confirm too early.
    tokio::time::sleep(PROXY_THROTTLE).await;
    if let Err(error) = confirm(job, routes).await {
        job.log
            .line(&format!("The proxy has not confirmed the old route yet: {error}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{AppRoutes, DeployError, confirm_newest};
    use crate::model::host::Host;
    use crate::model::route::{Route, Server};
    use crate::traefik;
    use std::time::Duration;

    fn routes(container: &str, host: &str) -> AppRoutes {
        AppRoutes {
            app: "web".to_owned(),
            routes: vec![Route::plain(Host::parse(host).expect("a host"))],
            server: Some(Server {
                container: container.to_owned(),
                port: 3000,
            }),
        }
    }

    /// What is answered for the first deployment's routes at `a.example` while the proxy shows others.
    async fn confirmed(newest: &AppRoutes, shown: &AppRoutes) -> Result<AppRoutes, DeployError> {
        let look = |routes: AppRoutes, _| async move {
            match routes == *shown {
                true => Ok(()),
                false => Err(traefik::Error::NotConfirmed("it shows others".to_owned()).into()),
            }
        };
        let write = || async { Ok(newest.clone()) };
        confirm_newest(routes("web-1", "a.example"), Duration::from_millis(20), look, write).await
    }

    #[tokio::test]
    async fn a_domain_may_be_edited_while_the_proxy_is_waited_for() {
        let (first, edited, foreign) = (
            routes("web-1", "a.example"),
            routes("web-1", "b.example"),
            routes("web-2", "b.example"),
        );
        let answer = confirmed(&edited, &edited).await.expect("the newest are shown");
        assert_eq!(answer, edited);
        assert_eq!(confirmed(&edited, &first).await.expect("they are shown still"), first);
        for (newest, shown) in [(&edited, &foreign), (&foreign, &foreign)] {
            let refused = confirmed(newest, shown).await;
            assert!(matches!(refused, Err(DeployError::RouteFailed(_))), "{refused:?}");
        }
    }
}
