//! The way to one engine: its address and the API version agreed on.
//!
//! bollard sends every request without a version, whatever was negotiated; here each request is given the agreed one,
//! so that an engine newer than Dhow answers in a form that Dhow knows. The agreement ends with the first trouble and
//! after ten seconds: the engine may have been restarted as another version.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bollard::errors::Error as BollardError;
use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::http::uri::PathAndQuery;

use super::Error;
use super::error::{explain, is_version_mismatch};

/// Docker Engine 20.10, the oldest that Dhow is tested with.
const OLDEST_MINOR: u32 = 41;
const DEFAULT_ADDRESS: &str = "unix:///var/run/docker.sock";
/// Bound on the wait for the first byte of an ordinary answer, in seconds.
const ANSWER_TIMEOUT_SECONDS: u64 = 120;
/// No engine is stopped, exchanged and started again in less time; asking costs it 8 to 18 ms.
const AGREEMENT_LIFETIME: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Connection {
    docker: Docker,
    address: String,
    /// Minor number of the agreed API version `1.x`.
    api_minor: Arc<AtomicU32>,
    agreement: Mutex<Agreement>,
}

#[derive(Debug, Default)]
struct Agreement {
    made_at: Option<Instant>,
    engine_version: String,
}

impl Connection {
    /// Prepares the connection without using it.
    pub(super) fn open(docker_host: Option<&str>) -> Result<Connection, Error> {
        let address = docker_host.unwrap_or(DEFAULT_ADDRESS).to_owned();
        let docker = if address.starts_with("unix://") {
            Docker::connect_with_unix(&address, ANSWER_TIMEOUT_SECONDS, API_DEFAULT_VERSION)
        } else if address.starts_with("tcp://") {
            Docker::connect_with_http(&address, ANSWER_TIMEOUT_SECONDS, API_DEFAULT_VERSION)
        } else {
            let expected = "expected unix:///path/to/docker.sock or tcp://host:port";
            return Err(Error::Unreachable(format!(
                "`{address}` is no Docker address that Dhow can use; {expected}"
            )));
        };
        let docker = docker.map_err(|error| explain(error, &address))?;
        let api_minor = Arc::new(AtomicU32::new(OLDEST_MINOR));
        let agreed = Arc::clone(&api_minor);
        let docker = docker.with_request_modifier(move |request| versioned(request, agreed.load(Ordering::Relaxed)));
        Ok(Connection {
            docker,
            address,
            api_minor,
            agreement: Mutex::default(),
        })
    }

    /// The client, with an API version agreed on.
    pub(super) async fn ready(&self) -> Result<Docker, Error> {
        if !self.has_fresh_agreement() {
            self.negotiate().await?;
        }
        Ok(self.docker.clone())
    }

    /// The cheapest exchange that shows the engine alive and the agreed version still accepted.
    pub(super) async fn ping(&self) -> Result<(), Error> {
        if !self.has_fresh_agreement() {
            return self.negotiate().await;
        }
        match self.docker.ping().await {
            Err(error) if is_version_mismatch(&error) => self.negotiate().await,
            outcome => outcome.map(drop).map_err(|error| self.explain(error)),
        }
    }

    /// Agrees on the newest API version that both sides speak.
    pub(super) async fn negotiate(&self) -> Result<(), Error> {
        let answer = self.docker.version().await.map_err(|error| self.explain(error))?;
        let engine_version = answer.version.unwrap_or_default();
        let newest = minor(answer.api_version.as_deref());
        let oldest = minor(answer.min_api_version.as_deref()).unwrap_or(0);
        let agreed = agree(&engine_version, newest, oldest)?;
        self.api_minor.store(agreed, Ordering::Relaxed);
        *self.agreement() = Agreement {
            made_at: Some(Instant::now()),
            engine_version,
        };
        Ok(())
    }

    /// Sorts an error into our kinds; a lost connection or a refused version ends the agreement.
    pub(super) fn explain(&self, error: BollardError) -> Error {
        let is_refused_version = is_version_mismatch(&error);
        let error = explain(error, &self.address);
        if is_refused_version || matches!(error, Error::Unreachable(_)) {
            self.agreement().made_at = None;
        }
        error
    }

    /// Where the engine is, as `unix://…` or `tcp://…`.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Minor number of the agreed API version `1.x`.
    pub(super) fn api_minor(&self) -> u32 {
        self.api_minor.load(Ordering::Relaxed)
    }

    /// The engine's own version as of the last agreement.
    pub(super) fn engine_version(&self) -> String {
        self.agreement().engine_version.clone()
    }

    fn has_fresh_agreement(&self) -> bool {
        self.agreement()
            .made_at
            .is_some_and(|made_at| made_at.elapsed() < AGREEMENT_LIFETIME)
    }

    fn agreement(&self) -> MutexGuard<'_, Agreement> {
        self.agreement.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts `/v1.x` before the path, and a login for a registry into the alphabet that the engine reads. `/version` stays free of it: it is how the version is found out. A build is made one by
/// BuildKit here: told so, bollard would open a session of its own beside ours, and a build has only one.
fn versioned(mut request: BollardRequest, minor: u32) -> BollardRequest {
    if request.uri().path() == "/version" {
        return request;
    }
    spell_login(request.headers_mut());
    let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let mut parts = request.uri().clone().into_parts();
    let path = versioned_path(path, minor);
    let path = if request.uri().path() == "/build" {
        path.replacen("&version=1&", "&version=2&", 1)
    } else {
        path
    };
    parts.path_and_query = path.parse().ok();
    if let Ok(uri) = parts.try_into() {
        *request.uri_mut() = uri;
    }
    request
}

/// bollard writes the login in the common alphabet of base64, the engine reads the one for addresses (RFC 4648 §5) and
/// takes anything else for no login at all: a `?`, `>` or `~` in a password could be enough.
fn spell_login(headers: &mut HeaderMap) {
    let Some(login) = headers.get("X-Registry-Auth").and_then(|value| value.to_str().ok()) else {
        return;
    };
    let spelled = login.replace('+', "-").replace('/', "_");
    if let Ok(mut value) = HeaderValue::from_str(&spelled) {
        value.set_sensitive(true);
        headers.insert("X-Registry-Auth", value);
    }
}

/// A path of the engine's API in a version of it.
pub(super) fn versioned_path(path: &str, minor: u32) -> String {
    format!("/v1.{minor}{path}")
}

fn minor(version: Option<&str>) -> Option<u32> {
    version?.strip_prefix("1.")?.parse().ok()
}

fn agree(engine_version: &str, newest: Option<u32>, oldest: u32) -> Result<u32, Error> {
    let ours = u32::try_from(API_DEFAULT_VERSION.minor_version).unwrap_or(OLDEST_MINOR);
    match newest {
        Some(newest) if newest < OLDEST_MINOR => Err(Error::TooOld(format!(
            "Docker Engine {engine_version} speaks its API only up to 1.{newest}, and Dhow needs 1.{OLDEST_MINOR}. \
             Upgrade Docker to 20.10 or newer"
        ))),
        Some(newest) if oldest > ours => Err(Error::TooOld(format!(
            "Docker Engine {engine_version} speaks its API from 1.{oldest} to 1.{newest}, and this Dhow only up to \
             1.{ours}. Upgrade Dhow"
        ))),
        Some(newest) => Ok(newest.min(ours)),
        None => Err(Error::Refused(format!(
            "Docker Engine {engine_version} does not tell its API version"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_spelled_as_the_engine_reads_it() {
        let mut headers = HeaderMap::new();
        spell_login(&mut headers);
        assert!(headers.is_empty());
        headers.insert("X-Registry-Auth", HeaderValue::from_static("aHU/dGVy+n4y=="));
        spell_login(&mut headers);
        let value = headers.get("X-Registry-Auth").unwrap();
        assert_eq!(value, "aHU_dGVy-n4y==");
        assert!(value.is_sensitive());
    }

    #[test]
    fn the_newest_common_version_is_agreed_on() {
        let cases = [
            (41, 12, 41),
            (47, 24, 47),
            (52, 44, 52),
            (53, 44, 53),
            (60, 44, 53),
            (60, 53, 53),
        ];
        for (newest, oldest, expected) in cases {
            assert_eq!(
                agree("x", Some(newest), oldest).unwrap(),
                expected,
                "{oldest}..{newest}"
            );
        }
    }

    #[test]
    fn versions_that_do_not_overlap_say_who_is_to_be_upgraded() {
        let cases = [(40, 12, "Upgrade Docker"), (60, 54, "Upgrade Dhow")];
        for (newest, oldest, expected) in cases {
            match agree("19.3", Some(newest), oldest) {
                Err(Error::TooOld(text)) => assert!(text.contains(expected), "{text}"),
                other => panic!("{oldest}..{newest}: {other:?}"),
            }
        }
    }
}
