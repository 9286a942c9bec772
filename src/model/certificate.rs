//! Uploaded certificates: read, checked against host and key, and put into one form before they are stored.
//!
//! What is accepted can be served: the host's own certificate first, each one signed by the next, none over, the
//! names cover the host, the key is its own. Invariant: the chain holds nothing but certificates.

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

use super::Invalid;
use super::host::Host;
use super::time::Timestamp;

/// Longest chain or key as text, in bytes.
const MAX_PEM_BYTES: usize = 64 * 1024;
/// Longest chain; public ones have three or four certificates.
const MAX_CERTIFICATES: usize = 10;

/// A chain that a host can be served with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateChain {
    /// The chain as PEM, in one spelling.
    pub pem: String,
    /// The hosts that the first certificate is for.
    pub names: Vec<String>,
    /// The hosts for which a proxy may choose it: those, and the common name (Traefik docs, "TLS").
    hosts: Vec<Host>,
    /// Who signed it.
    pub issuer: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl CertificateChain {
    /// Reads a chain as PEM, without asking for whom or whether it is over.
    pub fn parse(pem: &str) -> Result<Self, Invalid> {
        let ders = read_chain(pem)?;
        let certificates = parse_all(&ders)?;
        let Some(leaf) = certificates.first() else {
            return Err(Invalid::new(
                "Paste the certificate as PEM: it begins with -----BEGIN CERTIFICATE-----.",
            ));
        };
        for (index, pair) in certificates.windows(2).enumerate() {
            if !is_signed_by(&pair[0], &pair[1]) {
                return Err(Invalid::new(format!(
                    "Certificate {} is not signed by certificate {}. Paste the host's own first, then the one that \
                     signed it, and so on.",
                    index + 1,
                    index + 2
                )));
            }
        }
        let ends = certificates
            .iter()
            .map(|certificate| certificate.validity().not_after.timestamp());
        Ok(Self {
            pem: ders.iter().map(to_pem).collect(),
            names: names(leaf),
            hosts: hosts(leaf),
            issuer: leaf.issuer().to_string(),
            expires_at: Timestamp::from_millis(ends.min().unwrap_or_default() * 1_000),
        })
    }

    /// Refuses a chain that cannot serve the host now.
    pub fn check(&self, host: &Host, now: Timestamp) -> Result<(), Invalid> {
        if self.expires_at <= now {
            return Err(Invalid::new(format!(
                "The certificate, or one that signed it, ended on {}. Paste a newer one.",
                day(self.expires_at)
            )));
        }
        self.check_host(host)
    }

    /// Refuses a chain that is for other hosts.
    pub fn check_host(&self, host: &Host) -> Result<(), Invalid> {
        if self.covers(host) {
            return Ok(());
        }
        let names = if self.names.is_empty() {
            "no host at all".to_owned()
        } else {
            self.names.join(", ")
        };
        Err(Invalid::new(format!("The certificate is for {names}, not for {host}.")))
    }

    /// Whether a proxy that knows it may answer with it at the host, or at one that the wildcard stands for.
    pub fn acts_on(&self, host: &Host) -> bool {
        let wildcard = host.covering_wildcard();
        let is_met = |name: &Host| {
            name == host || Some(name) == wildcard.as_ref() || name.covering_wildcard().as_ref() == Some(host)
        };
        self.hosts.iter().any(is_met)
    }

    /// Whether a browser takes it for the host: by its subject alternative names alone (RFC 6125 §6.4).
    fn covers(&self, host: &Host) -> bool {
        let wildcard = host.covering_wildcard();
        self.names.iter().any(|name| {
            name.eq_ignore_ascii_case(host.as_str())
                || wildcard
                    .as_ref()
                    .is_some_and(|wildcard| name.eq_ignore_ascii_case(wildcard.as_str()))
        })
    }
}

/// Reads a private key as PEM and refuses one that does not belong to the chain. Answers it in one spelling.
pub fn check_key(chain: &CertificateChain, key: &str) -> Result<String, Invalid> {
    if key.len() > MAX_PEM_BYTES {
        return Err(Invalid::new("This is too long for a private key."));
    }
    let private = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| {
        Invalid::new(if key.contains("ENCRYPTED") {
            "The key is locked with a passphrase. Paste it without one, such as “openssl pkey” writes it."
        } else {
            "Paste the private key as PEM: it begins with -----BEGIN PRIVATE KEY-----."
        })
    })?;
    let kind = match &private {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        _ => "PRIVATE KEY",
    };
    let text = armoured(kind, private.secret_der());
    let signing = default_provider().key_provider.load_private_key(private).map_err(|_| {
        Invalid::new("This kind of key cannot be used. RSA of 2048 bits and more, P-256, P-384 and Ed25519 can.")
    })?;
    CertifiedKey::new(read_chain(&chain.pem)?, signing)
        .keys_match()
        .map_err(|_| Invalid::new("The private key is not the certificate's own."))?;
    Ok(text)
}

fn read_chain(pem: &str) -> Result<Vec<CertificateDer<'static>>, Invalid> {
    if pem.len() > MAX_PEM_BYTES {
        return Err(Invalid::new("This is too long for a chain of certificates."));
    }
    if pem.contains("PRIVATE KEY") {
        return Err(Invalid::new(
            "The private key has a field of its own; here stand certificates only, which everybody may see.",
        ));
    }
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| Invalid::new("The text is broken: each certificate has a BEGIN line, base64 and an END line."))?;
    if chain.len() > MAX_CERTIFICATES {
        return Err(Invalid::new(format!("Use at most {MAX_CERTIFICATES} certificates.")));
    }
    Ok(chain)
}

fn parse_all<'a>(ders: &'a [CertificateDer<'static>]) -> Result<Vec<X509Certificate<'a>>, Invalid> {
    let parse = |(index, der): (usize, &'a CertificateDer<'static>)| {
        let (_, certificate) = X509Certificate::from_der(der)
            .map_err(|_| Invalid::new(format!("Certificate {} cannot be read.", index + 1)))?;
        Ok(certificate)
    };
    ders.iter().enumerate().map(parse).collect()
}

fn is_signed_by(certificate: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
    certificate.issuer().as_raw() == issuer.subject().as_raw()
        && certificate.verify_signature(Some(issuer.public_key())).is_ok()
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => <[u8; 4]>::try_from(*bytes)
            .ok()
            .map(|bytes| std::net::Ipv4Addr::from(bytes).to_string()),
        _ => None,
    };
    names.value.general_names.iter().filter_map(text).collect()
}

fn hosts(certificate: &X509Certificate<'_>) -> Vec<Host> {
    let common = certificate.subject().iter_common_name();
    let common = common.filter_map(|name| name.as_str().ok().map(str::to_owned));
    let all = names(certificate).into_iter().chain(common);
    all.filter_map(|name| Host::parse_pattern(&name).ok()).collect()
}

fn to_pem(der: &CertificateDer<'_>) -> String {
    armoured("CERTIFICATE", der)
}

/// PEM as RFC 7468 §2 wants it written.
fn armoured(kind: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {kind}-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem + &format!("-----END {kind}-----\n")
}

fn day(moment: Timestamp) -> String {
    moment.to_string().split('T').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{CertificateChain, check_key};
    use crate::model::host::Host;
    use crate::model::time::Timestamp;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

    struct Made {
        leaf: String,
        authority: String,
        key: String,
    }

    fn made(names: &[&str]) -> Made {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate().expect("a key")).expect("a CA");
        let key = KeyPair::generate().expect("a key");
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut parameters = CertificateParams::new(names).expect("names");
        parameters.not_after = rcgen::date_time_ymd(2040, 1, 2);
        parameters
            .distinguished_name
            .push(DnType::CommonName, "Common.example.net");
        let leaf = parameters.signed_by(&key, &authority).expect("a certificate");
        Made {
            leaf: leaf.pem(),
            authority: authority.pem(),
            key: key.serialize_pem(),
        }
    }

    fn host(text: &str) -> Host {
        Host::parse_pattern(text).expect(text)
    }

    #[test]
    fn a_chain_in_order_with_its_key_is_taken() {
        let made = made(&["shop.example.com", "*.example.org"]);
        let text = format!("subject: shop\r\n{}\n\n{}", made.leaf, made.authority);
        let chain = CertificateChain::parse(&text).expect("a chain");
        assert_eq!(chain.names, ["shop.example.com", "*.example.org"]);
        assert_eq!(chain.expires_at.to_string(), "2040-01-02T00:00:00.000Z");
        assert!(!chain.pem.contains("subject") && chain.pem.matches("BEGIN").count() == 2);
        assert_eq!(CertificateChain::parse(&chain.pem), Ok(chain.clone()), "one spelling");
        let key = check_key(&chain, &made.key).expect("its key");
        assert_eq!(check_key(&chain, &key), Ok(key));
        let now = Timestamp::now();
        for (name, is_covered) in [
            ("shop.example.com", true),
            ("www.shop.example.com", false),
            ("a.example.org", true),
            ("*.example.org", true),
            ("*.example.com", false),
            ("a.b.example.org", false),
            ("example.org", false),
        ] {
            let answer = chain.check(&host(name), now);
            assert_eq!(answer.is_ok(), is_covered, "{name}: {answer:?}");
        }
        for (name, is_met) in [
            ("shop.example.com", true),
            ("common.example.net", true),
            ("*.example.net", true),
            ("a.example.org", true),
            ("*.example.org", true),
            ("a.example.net", false),
            ("example.org", false),
            ("*.b.example.org", false),
        ] {
            assert_eq!(chain.acts_on(&host(name)), is_met, "{name}");
        }
        let over = chain.check(&host("shop.example.com"), Timestamp::from_millis(3_000_000_000_000));
        assert!(over.expect_err("over").to_string().contains("ended on 2040-01-02"));
    }

    #[test]
    fn what_cannot_be_served_is_refused_with_its_reason() {
        let (one, other) = (made(&["a.example"]), made(&["a.example"]));
        let chain = |parts: &[&str]| CertificateChain::parse(&parts.concat()).map_err(|error| error.to_string());
        let leaf = chain(&[&one.leaf]).expect("a chain of one");
        for (answer, reason) in [
            (
                chain(&[&one.authority, &one.leaf]),
                "Certificate 1 is not signed by certificate 2",
            ),
            (chain(&[&one.leaf, &other.authority]), "Certificate 1 is not signed"),
            (chain(&[&one.leaf, &one.key]), "field of its own"),
            (chain(&[""]), "BEGIN CERTIFICATE"),
            (chain(&[&one.leaf.replace("-----END", "-----FIN")]), "broken"),
            (
                chain(&["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]),
                "cannot be read",
            ),
            (chain(&[&one.leaf.repeat(11)]), "at most 10"),
            (chain(&[&"a".repeat(70_000)]), "too long"),
        ] {
            let refusal = answer.expect_err(reason);
            assert!(refusal.contains(reason), "{reason}: {refusal}");
        }
        for (key, reason) in [
            (other.key.as_str(), "not the certificate's own"),
            ("", "BEGIN PRIVATE KEY"),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
                "passphrase",
            ),
            (
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                "cannot be used",
            ),
        ] {
            let refusal = check_key(&leaf, key).expect_err(reason).to_string();
            assert!(refusal.contains(reason), "{reason}: {refusal}");
        }
    }
}
