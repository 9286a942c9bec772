//! What of a domain is secret: sealed for its row before it is stored, kept where nothing new was given.

use super::input::Checked;
use crate::actions::{Error, Result};
use crate::model::Invalid;
use crate::model::certificate::{CertificateChain, check_key};
use crate::model::domain::{Domain, SiteUser, StoredCertificate};
use crate::model::ids::DomainId;
use crate::model::site_user::SiteUserName;
use crate::secrets::{self, SecretKey};

/// The domain with its users and certificate as they are to be stored. `stored`: the domain before the change.
pub(super) fn seal(secrets: &SecretKey, id: DomainId, stored: Option<&Domain>, checked: Checked) -> Result<Domain> {
    let mut users = Vec::new();
    for (index, (name, password)) in checked.users.into_iter().enumerate() {
        let kept = || stored?.users.iter().find(|user| user.name == name).cloned();
        let user = match password {
            Some(password) => sealed_user(secrets, id, name, &password),
            None => kept().ok_or_else(|| {
                let message = "Give a password; only a stored user can be kept without one.";
                Error::field(format!("basic_auth[{index}].password"), Invalid::new(message))
            })?,
        };
        users.push(user);
    }
    let before = stored.and_then(|domain| domain.certificate.as_ref());
    let certificate = checked
        .certificate
        .map(|(chain, key)| sealed_certificate(secrets, id, before, &chain, key))
        .transpose()?;
    Ok(Domain {
        id,
        users,
        certificate,
        ..checked.domain
    })
}

fn sealed_user(secrets: &SecretKey, id: DomainId, name: SiteUserName, password: &str) -> SiteUser {
    let line = secrets::htpasswd_line(name.as_str(), password);
    SiteUser {
        sealed: secrets.seal(&Domain::user_identity(id, &name), &line),
        name,
    }
}

/// A renewed certificate may go with the key that is stored.
fn sealed_certificate(
    secrets: &SecretKey,
    id: DomainId,
    before: Option<&StoredCertificate>,
    chain: &CertificateChain,
    key: Option<String>,
) -> Result<StoredCertificate> {
    let identity = Domain::key_identity(id);
    let sealed_key = match (key, before) {
        (Some(key), _) => secrets.seal(&identity, &key),
        (None, Some(before)) if before.chain == chain.pem => before.sealed_key.clone(),
        (None, Some(before)) => {
            let key = secrets
                .unseal(&identity, &before.sealed_key)
                .map_err(anyhow::Error::from)?;
            check_key(chain, &key).map_err(|_| {
                let message = "The stored key is not this certificate's own. Paste its private key, too.";
                Error::field("private_key", Invalid::new(message))
            })?;
            before.sealed_key.clone()
        }
        (None, None) => {
            let message = "Paste the certificate's private key.";
            return Err(Error::field("private_key", Invalid::new(message)));
        }
    };
    Ok(StoredCertificate {
        chain: chain.pem.clone(),
        sealed_key,
    })
}
