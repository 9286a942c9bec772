//! The certificate for https requests to a host that has none: self-signed, made once an installation.
//!
//! Without one Traefik makes an RSA key at every change of any route: 58 ms of processor time at each switch, which
//! then took up to 0.4 s instead of 0.1 s on two busy cores (measured with 3.7; Traefik docs, "TLS", default store).

use super::dynamic::CertificateFiles;
use super::proxy::CERTIFICATES_MOUNT;
use rcgen::{CertificateParams, DnType, KeyPair};

/// Name of its file in the directory of certificates. Chain and key share it, so that they always fit.
pub(super) const FALLBACK: &str = "fallback.pem";

/// A new key (P-256) and its certificate, as PEM.
pub(super) fn fallback() -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut parameters = CertificateParams::default();
    parameters
        .distinguished_name
        .push(DnType::CommonName, "Dhow: this host has no certificate yet");
    let certificate = parameters.self_signed(&key)?;
    Ok(certificate.pem() + &key.serialize_pem())
}

/// Where Traefik finds it.
pub(super) fn files() -> CertificateFiles {
    let path = format!("{CERTIFICATES_MOUNT}/{FALLBACK}");
    CertificateFiles {
        cert_file: path.clone(),
        key_file: path,
    }
}
