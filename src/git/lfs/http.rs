//! HTTP for Git LFS, whose server says where the contents are: every address that it names, and every redirect, goes
//! through the same guard as the repository's own, and is dialled at the addresses that were checked.
//!
//! What was entrusted to a request for one server goes with no redirect to another.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Origin, Url};

use crate::git::destination::Destination;
use crate::git::relay::tls;
use crate::git::{Access, Error};

const MAX_REDIRECTS: usize = 5;
/// What the batch API speaks.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/vnd.git-lfs+json");

/// Sends requests through the guard, for the time of one fetch.
pub(super) struct Http<'a> {
    access: Access<'a>,
    cancelled: &'a AtomicBool,
    tls: OnceCell<Arc<ClientConfig>>,
    /// Servers that were checked already.
    admitted: RefCell<HashMap<Origin, Rc<Destination>>>,
}

/// A request.
pub(super) struct Ask {
    pub(super) url: Url,
    /// For the server of `url` alone.
    pub(super) entrusted: HeaderMap,
    /// Posted to the batch API; `None` to download.
    pub(super) question: Option<Bytes>,
}

impl<'a> Http<'a> {
    pub(super) fn new(access: Access<'a>, cancelled: &'a AtomicBool) -> Self {
        Self {
            access,
            cancelled,
            tls: OnceCell::new(),
            admitted: RefCell::default(),
        }
    }

    /// Sends a request, and again to where it is redirected. Answers the server that answered at last, too.
    pub(super) async fn send(&self, mut ask: Ask) -> Result<(Rc<Destination>, Response<Incoming>), Error> {
        for _ in 0..=MAX_REDIRECTS {
            let destination = self.admit(&ask.url)?;
            let answer = self.exchange(&destination, &ask).await?;
            if !answer.status().is_redirection() {
                return Ok((destination, answer));
            }
            let location = answer.headers().get(header::LOCATION).map(HeaderValue::as_bytes);
            let next = parse(&String::from_utf8_lossy(location.unwrap_or_default()), Some(&ask.url))?;
            if next.origin() != ask.url.origin() {
                ask.entrusted.clear();
            }
            ask.url = next;
        }
        let host = ask.url.host_str().unwrap_or_default();
        Err(Error::Unreachable(format!("{host} redirects for ever.")))
    }

    /// The next bytes of an answer's body; `None` at its end.
    pub(super) async fn read(&self, from: &Destination, body: &mut Incoming) -> Result<Option<Bytes>, Error> {
        let idle = self.access.limits.idle;
        loop {
            let frame = match timeout(idle, body.frame()).await {
                Ok(None) => return Ok(None),
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(error))) => return Err(unreachable(from, &explain(&error))),
                Err(_) => return Err(silent(from, idle)),
            };
            if let Ok(bytes) = frame.into_data() {
                return Ok(Some(bytes));
            }
        }
    }

    /// Looking up a name holds up the other downloads; it is done once a server.
    fn admit(&self, url: &Url) -> Result<Rc<Destination>, Error> {
        let origin = url.origin();
        if let Some(known) = self.admitted.borrow().get(&origin) {
            return Ok(Rc::clone(known));
        }
        let destination = Rc::new(Destination::resolve_web(url, self.access, self.cancelled)?);
        self.admitted.borrow_mut().insert(origin, Rc::clone(&destination));
        Ok(destination)
    }

    async fn exchange(&self, server: &Destination, ask: &Ask) -> Result<Response<Incoming>, Error> {
        let request = build(server, ask)?;
        let limit = self.access.limits.connect;
        let socket = server
            .dial(limit)
            .await
            .map_err(|reason| unreachable(server, &reason))?;
        if server.is_encrypted {
            let socket = match timeout(limit, self.encrypt(server, socket)).await {
                Ok(socket) => socket?,
                Err(_) => return Err(silent(server, limit)),
            };
            self.ask(server, socket, request).await
        } else {
            self.ask(server, socket, request).await
        }
    }

    async fn encrypt(&self, server: &Destination, socket: TcpStream) -> Result<TlsStream<TcpStream>, Error> {
        let config = match self.tls.get() {
            Some(config) => Arc::clone(config),
            None => {
                let config = tls::configure()?;
                Arc::clone(self.tls.get_or_init(|| config))
            }
        };
        let name = ServerName::try_from(server.host.clone());
        let name = name.map_err(|error| unreachable(server, &error.to_string()))?;
        let connecting = TlsConnector::from(config).connect(name, socket).await;
        connecting.map_err(|error| match tls::explain(&error) {
            Some(reason) => Error::Unreachable(format!(
                "There is no secure connection to {}: {reason}.",
                server.authority
            )),
            None => unreachable(server, &error.to_string()),
        })
    }

    async fn ask<S>(
        &self,
        server: &Destination,
        socket: S,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let idle = self.access.limits.idle;
        let asking = async {
            let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
            // It ends when the answer's body is dropped, and with the runtime at the latest.
            tokio::spawn(connection);
            sender.send_request(request).await
        };
        match timeout(idle, asking).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(unreachable(server, &explain(&error))),
            Err(_) => Err(silent(server, idle)),
        }
    }
}

/// An address that a server named; `base` is what a relative one is relative to. Other protocols are refused, and so are
/// names and passwords in it.
pub(super) fn parse(text: &str, base: Option<&Url>) -> Result<Url, Error> {
    let parsed = Url::options().base_url(base).parse(text).ok();
    let is_usable = |url: &Url| {
        let is_plain = url.username().is_empty() && url.password().is_none();
        matches!(url.scheme(), "https" | "http") && url.has_host() && is_plain
    };
    match parsed {
        Some(url) if is_usable(&url) => Ok(url),
        // The rest of it may open something.
        parsed => {
            let host = parsed.as_ref().and_then(Url::host_str).unwrap_or_default();
            let scheme = parsed.as_ref().map_or("", Url::scheme);
            Err(Error::Refused(format!(
                "The server names an address for the contents that Dhow does not call ({scheme}://{host})."
            )))
        }
    }
}

fn build(server: &Destination, ask: &Ask) -> Result<Request<Full<Bytes>>, Error> {
    let target = &ask.url[url::Position::BeforePath..url::Position::AfterQuery];
    let method = if ask.question.is_some() {
        Method::POST
    } else {
        Method::GET
    };
    let mut request = Request::new(Full::new(ask.question.clone().unwrap_or_default()));
    *request.method_mut() = method;
    *request.uri_mut() = target.parse().map_err(|_| {
        Error::Refused(format!(
            "{} named an address for the contents that is none.",
            server.authority
        ))
    })?;
    let headers = request.headers_mut();
    headers.extend(ask.entrusted.clone());
    if ask.question.is_some() {
        headers.insert(header::CONTENT_TYPE, MEDIA_TYPE);
        headers.insert(header::ACCEPT, MEDIA_TYPE);
    }
    headers.insert(header::USER_AGENT, HeaderValue::from_static("dhow"));
    let host = HeaderValue::from_str(&server.authority);
    headers.insert(
        header::HOST,
        host.map_err(|error| unreachable(server, &error.to_string()))?,
    );
    Ok(request)
}

fn unreachable(server: &Destination, reason: &str) -> Error {
    Error::Unreachable(format!(
        "{} cannot be reached: {reason}. Try again later.",
        server.authority
    ))
}

fn silent(server: &Destination, limit: std::time::Duration) -> Error {
    unreachable(server, &format!("it has sent nothing for {} s", limit.as_secs_f32()))
}

/// The innermost cause, which names what happened.
fn explain(error: &hyper::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;
    use crate::git::{FetchLimits, HostKeys};

    const ACCESS: Access<'static> = Access {
        allow_private: true,
        limits: FetchLimits {
            connect: std::time::Duration::from_secs(2),
            idle: std::time::Duration::from_secs(2),
            total: std::time::Duration::from_secs(5),
            pack_bytes: 0,
        },
        credential: None,
        host_keys: {
            static NONE: HostKeys = HostKeys::new(Vec::new());
            &NONE
        },
    };

    /// Answers one request with a redirect; then its head.
    fn redirecting(to: String) -> (Url, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/batch", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let serving = std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let mut head = vec![0; 4096];
            let count = client.read(&mut head).unwrap();
            write!(
                client,
                "HTTP/1.1 307 Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
            )
            .unwrap();
            String::from_utf8_lossy(&head[..count]).into_owned()
        });
        (url, serving)
    }

    #[tokio::test]
    async fn a_redirect_and_an_address_that_a_server_names_go_through_the_guard() {
        let private = TcpListener::bind("127.0.0.1:0").unwrap();
        private.set_nonblocking(true).unwrap();
        let target = format!("https://{}/x", private.local_addr().unwrap());
        for to in [
            &target,
            "https://169.254.169.254/latest",
            "https://[::1]/",
            "http://1.1.1.1/",
        ] {
            let (url, _serving) = redirecting(to.to_owned());
            let cancelled = AtomicBool::new(false);
            // As if the first server were on the open internet.
            let first = Destination::resolve_web(&url, ACCESS, &cancelled).unwrap();
            let guarded = Access {
                allow_private: false,
                ..ACCESS
            };
            let http = Http::new(guarded, &cancelled);
            http.admitted.borrow_mut().insert(url.origin(), Rc::new(first));
            for url in [url, to.parse().unwrap()] {
                let ask = Ask {
                    url,
                    entrusted: HeaderMap::new(),
                    question: None,
                };
                let error = http.send(ask).await.unwrap_err();
                assert!(matches!(error, Error::Refused(_)), "{to}: {error:?}");
            }
        }
        assert!(private.accept().is_err(), "it was called");
    }

    #[tokio::test]
    async fn what_was_entrusted_goes_with_no_redirect_to_another_server() {
        let (last, last_serving) = redirecting("ftp://h.example/?secret".to_owned());
        let (same, same_serving) = redirecting(last.to_string());
        let cancelled = AtomicBool::new(false);
        let ask = Ask {
            url: same,
            entrusted: HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static("Basic abc"))]),
            question: Some(Bytes::from_static(b"{}")),
        };
        let error = Http::new(ACCESS, &cancelled).send(ask).await.unwrap_err();
        let said = error.to_string();
        assert!(said.contains("ftp://h.example") && !said.contains("secret"), "{said}");
        let (first, second) = (same_serving.join().unwrap(), last_serving.join().unwrap());
        assert!(
            first.starts_with("POST /batch") && first.contains("Basic abc"),
            "{first}"
        );
        assert!(
            second.starts_with("POST /batch") && !second.contains("Basic"),
            "{second}"
        );
    }
}
