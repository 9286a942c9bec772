//! Certificates by ACME as Traefik tells of them: its storage, and the error lines of its log.
//!
//! The storage is Traefik's own file and is only read; keys in it are not looked at. Nobody may read it but root, so
//! a Dhow that is not root knows less.

use std::io::ErrorKind;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::RESOLVER;
use super::files::acme_directory;
use crate::model::certificate::CertificateChain;
use crate::model::host::Host;
use crate::model::time::Timestamp;

/// What became of a certificate that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcmeOutcome {
    /// It is there.
    Issued {
        /// When it ends; Traefik asks for the next one thirty days before.
        expires_at: Timestamp,
        /// Who signed it.
        issuer: String,
    },
    /// It is not there yet, and nobody refused it.
    Pending,
    /// Whether it is there cannot be told, for this reason: Traefik's storage cannot be read.
    Untold(String),
    /// It was refused.
    Failed(Refusal),
}

/// Why a certificate was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The authority's or Traefik's own words.
    pub reason: String,
    /// Whether the authority has had too many requests (RFC 8555 §6.6).
    pub is_rate_limit: bool,
    /// Before when it takes no other one, where it says so.
    pub retry_at: Option<Timestamp>,
}

impl Refusal {
    /// From the words in Traefik's output.
    pub fn of(words: &str) -> Self {
        let reason = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_rate_limit = ["acme:error:rateLimited", "error: 429"]
            .iter()
            .any(|sign| reason.contains(sign));
        let retry_at = is_rate_limit.then(|| retry_time(&reason)).flatten();
        Self {
            reason: reason.chars().take(500).collect(),
            is_rate_limit,
            retry_at,
        }
    }
}

/// The time that Let's Encrypt puts into its refusal, as `retry after 2025-07-17 12:34:59 UTC` or in RFC 3339
/// (traefik/traefik#11912 shows the first; its HTTP header `Retry-After` does not reach Traefik's output).
fn retry_time(reason: &str) -> Option<Timestamp> {
    let (_, after) = reason.split_once("retry after ")?;
    let date_and_time: String = after.chars().take("2025-07-17 12:34:59".len()).collect();
    Timestamp::parse(&format!("{date_and_time}Z"))
}

/// The certificates in Traefik's storage.
#[derive(Debug, Default)]
pub struct Storage(Vec<Stored>);

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct File {
    #[serde(default)]
    certificates: Option<Vec<Stored>>,
}

#[derive(Debug, Deserialize)]
struct Stored {
    domain: Names,
    certificate: String,
}

#[derive(Debug, Deserialize)]
struct Names {
    main: String,
    #[serde(default)]
    sans: Option<Vec<String>>,
}

impl Storage {
    /// Reads it below the proxy's directory; empty where there is none yet. The error says what cannot be read, and why.
    pub async fn read(directory: &Path) -> Result<Self, String> {
        let path = acme_directory(directory).join("acme.json");
        match tokio::fs::read_to_string(&path).await {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
        }
    }

    fn parse(text: &str) -> Self {
        let mut resolvers: std::collections::BTreeMap<String, File> = serde_json::from_str(text).unwrap_or_default();
        let file = resolvers.remove(RESOLVER).unwrap_or_default();
        Self(file.certificates.unwrap_or_default())
    }

    /// Whether a host has one.
    pub fn outcome(&self, host: &Host) -> AcmeOutcome {
        let is_for = |stored: &&Stored| {
            let sans = stored.domain.sans.iter().flatten();
            sans.chain([&stored.domain.main]).any(|name| name == host.as_str())
        };
        let chain = self.0.iter().rfind(is_for).and_then(|stored| {
            let pem = STANDARD.decode(&stored.certificate).ok()?;
            CertificateChain::parse(&String::from_utf8(pem).ok()?).ok()
        });
        chain.map_or(AcmeOutcome::Pending, |chain| AcmeOutcome::Issued {
            expires_at: chain.expires_at,
            issuer: chain.issuer,
        })
    }
}

/// The last refusal of a host's certificate in Traefik's output, without what stands around it.
pub fn acme_refusal(output: &[String], host: &Host) -> Option<Refusal> {
    let quoted = format!("[{host}]");
    let is_about = |line: &&String| line.contains("ACME") && line.contains("error=") && line.contains(&quoted);
    let line = output.iter().rfind(is_about)?;
    let text = line.split_once("error=")?.1;
    let mut deserializer = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let words = deserializer.next()?.ok()?;
    let words = words.rsplit(&format!("{quoted} ")).next().unwrap_or(&words);
    // What is refused as a whole stands behind the list of its hosts.
    let words = words.rsplit(&format!("{quoted}: ")).next().unwrap_or(words);
    Some(Refusal::of(words))
}

#[cfg(test)]
mod tests {
    use super::{AcmeOutcome, Refusal, Storage, acme_refusal};
    use crate::model::host::Host;
    use crate::model::time::Timestamp;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use rcgen::{CertificateParams, KeyPair};

    fn host(text: &str) -> Host {
        Host::parse(text).expect("a host")
    }

    #[test]
    fn the_storage_tells_what_is_issued_until_when() {
        let mut parameters = CertificateParams::new(vec!["a.example".to_owned()]).expect("names");
        parameters.not_after = rcgen::date_time_ymd(2040, 1, 2);
        let pem = parameters
            .self_signed(&KeyPair::generate().expect("a key"))
            .expect("a certificate")
            .pem();
        let text = serde_json::json!({ "acme": { "Account": {}, "Certificates": [
            { "domain": { "main": "a.example", "sans": ["b.example"] }, "certificate": STANDARD.encode(pem), "key": "S" },
            { "domain": { "main": "c.example" }, "certificate": "?", "key": "S", "Store": "default" },
        ] } });
        let storage = Storage::parse(&text.to_string());
        for name in ["a.example", "b.example"] {
            let AcmeOutcome::Issued { expires_at, .. } = storage.outcome(&host(name)) else {
                panic!("{name} is issued")
            };
            assert_eq!(expires_at.to_string(), "2040-01-02T00:00:00.000Z");
        }
        assert_eq!(storage.outcome(&host("c.example")), AcmeOutcome::Pending);
        for text in ["", "{", r#"{"acme":{"Account":null,"Certificates":null}}"#] {
            assert_eq!(Storage::parse(text).outcome(&host("a.example")), AcmeOutcome::Pending);
        }
    }

    #[tokio::test]
    async fn a_storage_that_cannot_be_read_is_not_taken_for_an_empty_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let empty = Storage::read(directory.path()).await.expect("there is none yet");
        assert_eq!(empty.outcome(&host("a.example")), AcmeOutcome::Pending);
        // Root may read all files, so that this stands for one that Dhow may not.
        std::fs::create_dir_all(super::acme_directory(directory.path()).join("acme.json")).expect("a directory");
        let reason = Storage::read(directory.path()).await.expect_err("it is no file");
        assert!(reason.contains("acme.json cannot be read: "), "{reason}");
    }

    #[test]
    fn a_refusal_is_told_in_the_authoritys_own_words() {
        let line = r#"2026-01-02T03:04:05Z ERR Unable to obtain ACME certificate for domains error="unable to generate a certificate for the domains [a.example]: error: one or more domains had a problem:\n[a.example] acme: error: 403 :: urn:ietf:params:acme:error:unauthorized :: said \"no\"\n" ACME CA=https://ca/dir domains=["a.example"]"#;
        let output = ["other line".to_owned(), line.to_owned()];
        let reason = acme_refusal(&output, &host("a.example"));
        let words = "acme: error: 403 :: urn:ietf:params:acme:error:unauthorized :: said \"no\"";
        let refusal = Refusal {
            reason: words.to_owned(),
            is_rate_limit: false,
            retry_at: None,
        };
        assert_eq!(reason, Some(refusal));
        assert_eq!(acme_refusal(&output, &host("b.example")), None);
    }

    #[test]
    fn route_acme_not_hammered_a_429_is_told_with_its_retry_time() {
        let line = |detail: &str| {
            let words = format!(
                "unable to generate a certificate for the domains [a.example]: acme: error: 429 :: POST :: https://ca/new :: \
                 urn:ietf:params:acme:error:rateLimited :: {detail}"
            );
            let error = serde_json::to_string(&words).expect("text");
            format!(
                "2026-01-02T03:04:05Z ERR Unable to obtain ACME certificate for domains error={error} ACME CA=https://ca"
            )
        };
        for (detail, retry_at) in [
            (
                "too many failed authorizations (5) for \"a.example\" in the last 1h0m0s, retry after 2025-07-17 12:34:59 UTC: see x",
                Some("2025-07-17T12:34:59Z"),
            ),
            (
                "too many, retry after 2025-07-17T12:34:59Z: see x",
                Some("2025-07-17T12:34:59Z"),
            ),
            ("too many, retry after a while", None),
            ("too many", None),
        ] {
            let refusal = acme_refusal(&[line(detail)], &host("a.example")).expect("a refusal");
            assert_eq!(refusal.retry_at, retry_at.and_then(Timestamp::parse), "{detail}");
            assert!(
                refusal.is_rate_limit && refusal.reason.starts_with("acme: error: 429"),
                "{refusal:?}"
            );
        }
    }
}
