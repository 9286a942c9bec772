//! Asking the running Traefik: does it serve what was written, what does it complain of, how much did it answer?
//!
//! Reads only. Every call is bounded in time and size; waiting is polling, since Traefik pushes nothing.

use super::metrics::Counters;
use super::render::{grpc_service_name, router_prefix, routers, service_name};
use super::shown::Shown;
use super::{API_USER, Error};
use crate::model::route::AppRoutes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::header::{AUTHORIZATION, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// A call on loopback that takes longer will not come back at all.
const CALL_LIMIT: Duration = Duration::from_secs(2);
/// Traefik applies a change within its throttle of 100 ms; looking more often than this gains nothing.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// More routers or services than there are, so that all stand on one page. An app has at most a few hundred, but the
/// API's search finds those of apps with longer names, too.
const ALL: usize = 100_000;
/// Metrics of a thousand apps are about 2 MiB.
const MAX_ANSWER_BYTES: usize = 16 << 20;

/// Traefik's API and metrics on the private entry point.
#[derive(Clone)]
pub struct ProxyApi {
    client: Client<HttpConnector, Empty<Bytes>>,
    address: SocketAddr,
    authorization: HeaderValue,
}

impl ProxyApi {
    /// For the address on which the private entry point is published, and the password that
    /// [`render_api`](super::render_api) was given.
    pub fn new(address: SocketAddr, password: &str) -> Self {
        let credentials = STANDARD.encode(format!("{API_USER}:{password}"));
        let mut authorization =
            HeaderValue::from_str(&format!("Basic {credentials}")).expect("base64 is a valid header value");
        authorization.set_sensitive(true);
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self {
            client,
            address,
            authorization,
        }
    }

    /// Whether Traefik answers here, with its own routes in place and by this password.
    pub async fn ping(&self) -> Result<(), Error> {
        match self.get("/api/version").await? {
            Some(_) => Ok(()),
            None => Err(Error::Unreachable("it does not know its own version".to_owned())),
        }
    }

    /// Waits until Traefik serves exactly these routes from exactly this server, and nothing else of the app.
    /// Errors after `limit` with what it shows instead. Where the same routes were served, replaced and written
    /// again within Traefik's throttle (a tenth of a second), the first time may be taken for the second.
    pub async fn confirm(&self, expected: &AppRoutes, limit: Duration) -> Result<(), Error> {
        let deadline = Instant::now() + limit;
        loop {
            let error = match self.difference(expected).await {
                Ok(None) => return Ok(()),
                Ok(Some(difference)) => Error::NotConfirmed(difference),
                Err(error) => error,
            };
            if Instant::now() + POLL_INTERVAL > deadline {
                return Err(error);
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Waits until Traefik knows nothing of the app any more.
    pub async fn wait_until_gone(&self, app: &str, limit: Duration) -> Result<(), Error> {
        self.confirm(&AppRoutes::none(app), limit).await
    }

    /// How many requests Traefik has answered for the app since it started.
    pub async fn counters(&self, app: &str) -> Result<Counters, Error> {
        let text = self.get("/metrics").await?.unwrap_or_default();
        let services = [service_name(app), grpc_service_name(app)].map(|name| provided(&name));
        Ok(Counters::of_services(&String::from_utf8_lossy(&text), &services))
    }

    /// One sentence for each router or service that Traefik does not serve as it should; empty when all is well.
    pub async fn problems(&self) -> Result<Vec<String>, Error> {
        let mut problems = Vec::new();
        for kind in ["routers", "services"] {
            for status in ["disabled", "warning"] {
                let path = format!("/api/http/{kind}?status={status}&per_page={ALL}");
                let items: Vec<Shown> = self.get_json(&path).await?.unwrap_or_default();
                problems.extend(items.iter().map(Shown::to_string));
            }
        }
        Ok(problems)
    }

    /// What Traefik shows otherwise than expected, as a clause; `None` when it shows exactly that.
    async fn difference(&self, expected: &AppRoutes) -> Result<Option<String>, Error> {
        let service = provided(&service_name(&expected.app));
        let shown: Option<Shown> = self.get_json(&format!("/api/http/services/{service}")).await?;
        let is_known = !expected.routes.is_empty() || expected.server.is_some();
        let shown = match (shown, is_known) {
            (None, false) => return self.router_difference(expected).await,
            (None, true) => return Ok(Some(format!("it does not know {service}"))),
            (Some(_), false) => return Ok(Some(format!("it still knows {service}"))),
            (Some(shown), true) => shown,
        };
        let servers: Vec<String> = expected.server.iter().map(|server| server.url()).collect();
        if !shown.is_enabled() {
            return Ok(Some(shown.to_string()));
        }
        if shown.servers() != servers {
            return Ok(Some(format!(
                "{service} leads to {:?} instead of {servers:?}",
                shown.servers()
            )));
        }
        self.router_difference(expected).await
    }

    async fn router_difference(&self, expected: &AppRoutes) -> Result<Option<String>, Error> {
        let prefix = router_prefix(&expected.app);
        let path = format!("/api/http/routers?search={prefix}&per_page={ALL}");
        let mut shown: Vec<Shown> = self.get_json(&path).await?.unwrap_or_default();
        shown.retain(|router| router.name.starts_with(&prefix));
        let expected = routers(expected);
        for (name, router) in &expected {
            let name = provided(name);
            let Some(shown) = shown.iter().find(|shown| shown.name == name) else {
                return Ok(Some(format!("it does not know the router {name}")));
            };
            let middlewares: Vec<String> = router.middlewares.iter().map(|name| provided(name)).collect();
            let resolver = router.tls.as_ref().and_then(|tls| tls.cert_resolver);
            if !shown.is_enabled()
                || shown.rule != router.rule
                || shown.middlewares != middlewares
                || shown.resolver() != resolver
            {
                return Ok(Some(shown.to_string()));
            }
        }
        match shown
            .iter()
            .find(|shown| !expected.keys().any(|name| provided(name) == shown.name))
        {
            Some(surplus) => Ok(Some(format!("it still knows the router {}", surplus.name))),
            None => Ok(None),
        }
    }

    async fn get_json<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Error> {
        let Some(body) = self.get(path).await? else {
            return Ok(None);
        };
        serde_json::from_slice(&body)
            .map(Some)
            .map_err(|error| Error::Unreachable(format!("{path} answered something else than Traefik's API: {error}")))
    }

    /// The answer's body; `None` where Traefik's API itself says 404. While Traefik has not read the file of
    /// [`render_api`](super::render_api), 404 comes without JSON and means nothing.
    async fn get(&self, path: &str) -> Result<Option<Bytes>, Error> {
        timeout(CALL_LIMIT, self.exchange(path))
            .await
            .map_err(|_| Error::Unreachable(format!("no answer to {path} within {} s", CALL_LIMIT.as_secs())))?
    }

    async fn exchange(&self, path: &str) -> Result<Option<Bytes>, Error> {
        let request = Request::get(format!("http://{}{path}", self.address))
            .header(AUTHORIZATION, self.authorization.clone())
            .body(Empty::new())
            .expect("paths are made of constants and slugs");
        let response = self
            .client
            .request(request)
            .await
            .map_err(|error| Error::Unreachable(with_sources(&error)))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
            .collect()
            .await
            .map_err(|error| Error::Unreachable(with_sources(&*error)))?
            .to_bytes();
        match status {
            StatusCode::OK => Ok(Some(body)),
            StatusCode::NOT_FOUND if body.starts_with(b"{") => Ok(None),
            _ => Err(Error::Unreachable(format!("{path} answered {status}"))),
        }
    }
}

impl fmt::Debug for ProxyApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyApi")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// A name as Traefik qualifies it.
fn provided(name: &str) -> String {
    format!("{name}@file")
}

/// An error with its causes, since hyper's own words are only "client error".
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
