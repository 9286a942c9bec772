//! TLS to the server, with the certificates that the machine trusts.

use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::git::Error;

/// What is trusted: read for every fetch, so that a certificate that the operator adds counts at once.
pub(in crate::git) fn configure() -> Result<Arc<ClientConfig>, Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(Error::Other(
            "This machine trusts no certificates. Ask its operator to install the package ca-certificates.".to_owned(),
        ));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Other(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Shakes hands; fails unless the certificate is good for that host.
pub(super) fn connect<S: Read + Write>(
    config: &Arc<ClientConfig>,
    host: &str,
    mut socket: S,
) -> io::Result<StreamOwned<ClientConnection, S>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let mut connection = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    Ok(StreamOwned::new(connection, socket))
}

/// What failed, if it was TLS and not the connection under it.
pub(in crate::git) fn explain(error: &io::Error) -> Option<String> {
    let inner = error.get_ref()?;
    let cause = inner
        .downcast_ref::<rustls::Error>()
        .or_else(|| inner.source()?.downcast_ref())?;
    Some(match cause {
        rustls::Error::InvalidCertificate(certificate) => explain_certificate(certificate),
        other => other.to_string(),
    })
}

fn explain_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired".to_owned(),
        CertificateError::UnknownIssuer => "this machine does not trust the issuer of its certificate".to_owned(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name".to_owned()
        }
        // OpenSSL lets a self-signed certificate of `openssl req -x509` pass; rustls does not.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "its certificate is one of an authority; make one with basicConstraints CA:FALSE".to_owned()
        }
        other => format!("its certificate is not good ({other})"),
    }
}
