//! A visitor over https who trusts one certificate authority and nobody else.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::http::request::Builder;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// What a host answered.
#[derive(Debug)]
pub struct Secure {
    pub status: u16,
    pub location: Option<String>,
    pub hsts: Option<String>,
    pub cookies: Vec<String>,
    pub text: String,
    /// The certificate that the host showed first.
    pub certificate: Vec<u8>,
}

/// Asks a host at a port of this machine; an error when the certificate is not trusted for it.
pub async fn ask(port: u16, host: &str, path: &str, authority: &str) -> Result<Secure, String> {
    send(port, host, Request::get(path), "", authority).await
}

/// Sends any request to a host at a port of this machine.
pub async fn send(port: u16, host: &str, request: Builder, body: &str, authority: &str) -> Result<Secure, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .map_err(|error| error.to_string())?;
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let stream = stream.map_err(|error| error.to_string())?;
    let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let body = Full::new(Bytes::from(body.to_owned()));
    let request = request.header("host", format!("{host}:{port}")).body(body).unwrap();
    let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let header = |name: &str| {
        answer
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let (location, hsts) = (header("location"), header("strict-transport-security"));
    let cookies = answer.headers().get_all("set-cookie").iter();
    let cookies = cookies.map(|cookie| cookie.to_str().unwrap().to_owned()).collect();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.map_err(|error| error.to_string())?;
    Ok(Secure {
        status,
        location,
        hsts,
        cookies,
        text: String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        certificate: shown,
    })
}
