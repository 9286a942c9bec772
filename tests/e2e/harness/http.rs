//! A plain HTTP client whose answers explain themselves when an expectation fails.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::wait::{in_time, seconds};

/// The longest that any single answer may take.
const ANSWER_WITHIN: Duration = seconds(30);
/// A client.
#[derive(Clone)]
pub struct Http(Client<HttpConnector, Full<Bytes>>);

/// A whole answer.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Method and URL, for messages.
    what: String,
}

/// An answer whose body is still arriving.
pub struct Stream {
    pub status: u16,
    pub headers: HeaderMap,
    body: Incoming,
}

impl Http {
    /// A client that opens a new connection for every request: one that is kept can be hung up on by an idle server
    /// while a request is on its way.
    pub fn new() -> Self {
        Self(
            Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(0)
                .build_http(),
        )
    }

    /// A client that keeps its connections, as browsers do.
    pub fn with_keep_alive() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }

    pub async fn send(&self, method: &str, url: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let what = format!("{method} {url}");
        in_time(
            &format!("{what} is answered"),
            ANSWER_WITHIN,
            self.try_send(method, url, headers, body.into()),
        )
        .await
        .unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// As `send`, but a connection that fails is an answer too: for tests in which the other side goes away.
    pub async fn try_send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, String> {
        let response = self
            .0
            .request(request(method, url, headers, body.into()))
            .await
            .map_err(words)?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(words)?.to_bytes();
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
            what: format!("{method} {url}"),
        })
    }

    /// The status of an answer whose body nobody waits for.
    pub async fn status(&self, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> u16 {
        let what = format!("{method} {url}");
        let asking = self
            .0
            .request(request(method, url, headers, Bytes::from(body.to_owned())));
        let response = in_time(&format!("{what} is answered"), ANSWER_WITHIN, asking).await;
        let response = response.unwrap_or_else(|error| panic!("{what}: {}", words(error)));
        response.status().as_u16()
    }

    /// Opens a stream: answers as soon as the headers are here.
    pub async fn open(&self, url: &str, headers: &[(&str, &str)]) -> Stream {
        let opening = self.0.request(request("GET", url, headers, Bytes::new()));
        let response = in_time(&format!("GET {url} begins its answer"), ANSWER_WITHIN, opening)
            .await
            .unwrap_or_else(|error| panic!("GET {url}: {}", words(error)));
        let (parts, body) = response.into_parts();
        Stream {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }
}

/// A site's page, asked for once by a client of its own, within half a second: for sites that come and go.
pub async fn ask_once(url: &str, host: &str) -> Result<String, String> {
    let (http, headers) = (Http::new(), [("host", host)]);
    let asking = http.try_send("GET", url, &headers, "");
    match tokio::time::timeout(Duration::from_millis(500), asking).await {
        Ok(Ok(answer)) if answer.status == 200 => Ok(answer.text()),
        Ok(Ok(answer)) => Err(answer.to_string()),
        Ok(Err(error)) => Err(error),
        Err(_) => Err("no answer within half a second".to_owned()),
    }
}

fn request(method: &str, url: &str, headers: &[(&str, &str)], body: Bytes) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
    *request.uri_mut() = url.parse().unwrap_or_else(|error| panic!("{url}: {error}"));
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        request
            .headers_mut()
            .append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    request
}

/// An error with all its causes: hyper's own message alone is only "client error".
fn words(error: impl std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}) in {self}"))
    }

    /// This answer, if it has the status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert!(self.status == status, "expected {status} from {self}");
        self
    }

    /// The problem (RFC 9457) that an API call must be refused with.
    #[track_caller]
    pub fn problem(self, status: u16) -> Value {
        let answer = self.expect(status);
        let kind = answer.header("content-type").to_owned();
        assert!(
            kind.starts_with("application/problem+json"),
            "expected a problem, not '{kind}', from {answer}"
        );
        let problem = answer.json();
        for member in ["type", "title", "detail"] {
            assert!(
                problem[member].is_string(),
                "no text '{member}' in the problem of {answer}"
            );
        }
        assert_eq!(problem["status"], status, "the problem's own status, in {answer}");
        problem
    }

    /// A 422 whose `errors` name `field`, each with a message.
    #[track_caller]
    pub fn refuses(self, field: &str) {
        let what = self.to_string();
        let problem = self.problem(422);
        let errors = problem["errors"]
            .as_array()
            .unwrap_or_else(|| panic!("no list of errors in {what}"));
        // The field alone or its whole path: `url` as well as `source.url`.
        let is_named = |error: &Value| {
            error["field"]
                .as_str()
                .is_some_and(|path| path.rsplit('.').next() == Some(field))
        };
        let named = errors.iter().find(|error| is_named(error));
        let named = named.unwrap_or_else(|| panic!("no error names the field '{field}' in {what}"));
        assert!(
            named["message"].as_str().is_some_and(|text| text.len() > 3),
            "no message for '{field}' in {what}"
        );
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text: String = self.text().chars().take(2000).collect();
        write!(f, "{} → {} {:?}\n{text}", self.what, self.status, self.headers)
    }
}

impl Stream {
    /// The next bytes, or none at the end of the stream.
    pub async fn chunk(&mut self, expectation: &str, within: Duration) -> Option<Bytes> {
        loop {
            let frame = in_time(expectation, within, self.body.frame()).await?;
            let frame = frame.unwrap_or_else(|error| panic!("{expectation}: the stream broke: {}", words(error)));
            if let Ok(data) = frame.into_data() {
                return Some(data);
            }
        }
    }

    /// Reads until `enough` is true of all text so far; fails at the end of the stream.
    pub async fn until(&mut self, expectation: &str, within: Duration, enough: impl Fn(&str) -> bool) -> String {
        let mut bytes = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if enough(&text) {
                return text;
            }
            let chunk = self.chunk(expectation, within).await;
            bytes.extend_from_slice(&chunk.unwrap_or_else(|| panic!("the stream ended before: {expectation}\n{text}")));
        }
    }

    /// Reads to the end.
    pub async fn rest(&mut self, expectation: &str, within: Duration) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk(expectation, within).await {
            bytes.extend_from_slice(&chunk);
        }
        bytes
    }
}
