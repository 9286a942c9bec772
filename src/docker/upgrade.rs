//! A connection to the engine that leaves HTTP/1 behind, for the session of a build.
//!
//! bollard upgrades only the requests that it knows itself, so this one is dialled beside it, to the same address and
//! in the same API version.

use std::time::Duration;

use bollard::errors::Error as BollardError;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, HeaderValue, UPGRADE};
use hyper::upgrade::{self, Upgraded};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::Error;
use super::connection::{Connection, versioned_path};

/// Bound on the wait for the engine to agree; it has nothing to do for that.
const AGREE_TIMEOUT: Duration = Duration::from_secs(60);

impl Connection {
    /// Sends a request that asks for another protocol and answers the connection once the engine speaks that.
    pub(super) async fn upgrade(
        &self,
        mut request: Request<Empty<Bytes>>,
        protocol: &'static str,
    ) -> Result<Upgraded, Error> {
        let path = versioned_path(request.uri().path(), self.api_minor());
        *request.uri_mut() = path
            .parse()
            .map_err(|error| Error::Refused(format!("`{path}` is no path: {error}")))?;
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::from_static("docker"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static(protocol));
        let agreed = tokio::time::timeout(AGREE_TIMEOUT, self.dial_and_ask(request)).await;
        agreed
            .unwrap_or(Err(BollardError::RequestTimeoutError))
            .map_err(|error| self.explain(error))
    }

    async fn dial_and_ask(&self, request: Request<Empty<Bytes>>) -> Result<Upgraded, BollardError> {
        if let Some(path) = self.address().strip_prefix("unix://") {
            return ask(UnixStream::connect(path).await?, request).await;
        }
        let address = self.address().trim_start_matches("tcp://").trim_end_matches('/');
        ask(TcpStream::connect(address).await?, request).await
    }
}

async fn ask(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Empty<Bytes>>,
) -> Result<Upgraded, BollardError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the answer: the upgraded connection goes on without it.
    tokio::spawn(connection.with_upgrades());
    let answer = sender.send_request(request).await?;
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(BollardError::DockerResponseServerError {
            status_code: answer.status().as_u16(),
            message: format!("Docker refused a session for the build (HTTP {})", answer.status()),
        });
    }
    Ok(upgrade::on(answer).await?)
}
