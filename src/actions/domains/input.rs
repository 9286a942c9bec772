//! A domain as it is written, in a form or as JSON, and how that becomes checked settings.

use serde::{Deserialize, Serialize};

use crate::actions::{Fields, Result};
use crate::model::Invalid;
use crate::model::certificate::{CertificateChain, check_key};
use crate::model::domain::{Domain, Tls};
use crate::model::host::Host;
use crate::model::ip_range::{IpRange, MAX_RANGES};
use crate::model::path_prefix::PathPrefix;
use crate::model::site_user::{MAX_USERS, SiteUserName, check_password};
use crate::model::time::Timestamp;
use crate::model::typed_address::TypedAddress;

/// A domain as written.
#[derive(Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DomainInput {
    /// The host name, or `*.` and a name for every host with one label more. A pasted address is taken apart: its path
    /// becomes `path_prefix`.
    pub host: String,
    /// Only requests below this path.
    #[serde(default = "default_path_prefix")]
    pub path_prefix: String,
    /// Whether the app is asked for paths without the prefix.
    #[serde(default)]
    pub strip_prefix: bool,
    /// `auto`, `off` or `custom`.
    #[serde(default = "default_tls")]
    pub tls: String,
    /// Whether a certificate is asked for although the DNS does not lead here.
    #[serde(default)]
    pub force: bool,
    /// Sends requests on to this host, path and query kept.
    #[serde(default)]
    pub redirect_to: Option<String>,
    /// Whether browsers are told to use https only, for a year.
    #[serde(default)]
    pub hsts: bool,
    /// Whether the app's health path is answered over plain http, too.
    #[serde(default)]
    pub plain_health: bool,
    /// Whether the app is spoken to in HTTP/2 without TLS (h2c), as gRPC needs it.
    #[serde(default)]
    pub grpc: bool,
    /// Addresses and networks that may open it; everybody when empty.
    #[serde(default)]
    pub allow_ips: Vec<String>,
    /// Who may open it, with a password; everybody when empty.
    #[serde(default)]
    pub basic_auth: Vec<SiteUserInput>,
    /// The certificate for `custom`: its chain as PEM, the host's own first.
    #[serde(default)]
    pub certificate: Option<String>,
    /// The certificate's key as PEM. It is never shown again; left out, the stored one is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key: Option<String>,
    /// Its place among the app's domains, from 1 on; the first one is the app's address. Last when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// The version of the list that the change is based on; a stale one is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
}

/// Somebody who may open a domain. The password is shown as null; null written keeps the stored one.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteUserInput {
    /// The name to type.
    pub user: String,
    /// The password, 8 characters to 72 bytes.
    #[serde(default)]
    pub password: Option<String>,
}

fn default_path_prefix() -> String {
    PathPrefix::root().as_str().to_owned()
}

fn default_tls() -> String {
    Tls::Auto.as_str().to_owned()
}

impl From<&Domain> for DomainInput {
    fn from(domain: &Domain) -> Self {
        let user = |name: &SiteUserName| SiteUserInput {
            user: name.as_str().to_owned(),
            password: None,
        };
        Self {
            host: domain.host.to_string(),
            path_prefix: domain.path_prefix.as_str().to_owned(),
            strip_prefix: domain.strips_prefix,
            tls: domain.tls.as_str().to_owned(),
            force: domain.is_forced,
            redirect_to: domain.redirect_to.as_ref().map(Host::to_string),
            hsts: domain.has_hsts,
            plain_health: domain.has_plain_health,
            grpc: domain.is_grpc,
            allow_ips: domain.allow_ips.iter().map(IpRange::to_string).collect(),
            basic_auth: domain.users.iter().map(|stored| user(&stored.name)).collect(),
            certificate: domain.certificate.as_ref().map(|stored| stored.chain.clone()),
            private_key: None,
            position: None,
            version: None,
        }
    }
}

/// What was written, checked as far as it can be without the stored secrets.
pub(super) struct Checked {
    /// The domain without users and certificate.
    pub(super) domain: Domain,
    /// Names, and passwords where they are new.
    pub(super) users: Vec<(SiteUserName, Option<String>)>,
    /// The chain, and its key where it is new.
    pub(super) certificate: Option<(CertificateChain, Option<String>)>,
}

/// Checks all fields, so that all refusals are told at once. `stored`: the chain that the domain has already, which may be
/// over by now.
pub(super) fn check(input: &DomainInput, stored: Option<&str>) -> Result<Checked> {
    let mut fields = Fields::default();
    let address = fields.check("host", TypedAddress::parse(&input.host));
    let path_prefix = fields.check("path_prefix", PathPrefix::parse(&input.path_prefix));
    let tls = fields.check("tls", Tls::parse(&input.tls));
    let redirect_to = fields.check_optional("redirect_to", input.redirect_to.as_deref(), TypedAddress::parse_target);
    let allow_ips = fields.check("allow_ips", ranges(&input.allow_ips));
    let users = users(&mut fields, &input.basic_auth);
    let (Some(address), Some(path_prefix), Some(tls), Some(allow_ips)) = (address, path_prefix, tls, allow_ips) else {
        fields.finish()?;
        unreachable!("a field that is not there was refused");
    };
    let path_prefix = match address.path_prefix {
        Some(pasted) if path_prefix.is_root() => pasted,
        Some(pasted) if pasted != path_prefix => {
            let message = format!("The host ends in {pasted}, and the path is {path_prefix}. Write one of them.");
            fields.refuse("path_prefix", Invalid::new(message));
            path_prefix
        }
        _ => path_prefix,
    };
    let domain = Domain {
        strips_prefix: input.strip_prefix,
        tls,
        is_forced: input.force,
        redirect_to,
        has_hsts: input.hsts,
        has_plain_health: input.plain_health,
        is_grpc: input.grpc,
        allow_ips,
        ..Domain::new(address.host, path_prefix)
    };
    refuse_what_does_not_go_together(&mut fields, &domain);
    let certificate = certificate(&mut fields, input, &domain, stored);
    fields.finish()?;
    Ok(Checked {
        domain,
        users,
        certificate,
    })
}

fn ranges(texts: &[String]) -> std::result::Result<Vec<IpRange>, Invalid> {
    if texts.len() > MAX_RANGES {
        return Err(Invalid::new(format!("Use at most {MAX_RANGES} networks.")));
    }
    texts.iter().map(|text| IpRange::parse(text)).collect()
}

fn users(fields: &mut Fields, inputs: &[SiteUserInput]) -> Vec<(SiteUserName, Option<String>)> {
    if inputs.len() > MAX_USERS {
        fields.refuse("basic_auth", Invalid::new(format!("Use at most {MAX_USERS} users.")));
        return Vec::new();
    }
    let mut users: Vec<(SiteUserName, Option<String>)> = Vec::new();
    for (index, input) in inputs.iter().enumerate() {
        let field = format!("basic_auth[{index}]");
        let name = fields.check(&format!("{field}.user"), SiteUserName::parse(&input.user));
        let password = fields.check_optional(&format!("{field}.password"), input.password.as_deref(), check_password);
        let Some(name) = name else { continue };
        if users.iter().any(|(known, _)| *known == name) {
            let message = format!("{} is there twice.", name.as_str());
            fields.refuse(&format!("{field}.user"), Invalid::new(message));
        }
        users.push((name, password));
    }
    users
}

fn refuse_what_does_not_go_together(fields: &mut Fields, domain: &Domain) {
    if domain.strips_prefix && domain.path_prefix.is_root() {
        let message = "There is no prefix to leave out: the path is the whole host.";
        fields.refuse("strip_prefix", Invalid::new(message));
    } else if domain.strips_prefix && domain.path_prefix.decoded().contains('%') {
        let message = "A path with an encoded character such as %2F in it cannot be left out.";
        fields.refuse("strip_prefix", Invalid::new(message));
    }
    if domain.has_hsts && domain.tls == Tls::Off {
        let message = "Browsers would refuse the site, since it is plain http. Turn HTTPS on with it.";
        fields.refuse("hsts", Invalid::new(message));
    }
}

/// The certificate, which stays stored while another kind of https is chosen.
fn certificate(
    fields: &mut Fields,
    input: &DomainInput,
    domain: &Domain,
    stored: Option<&str>,
) -> Option<(CertificateChain, Option<String>)> {
    let Some(pem) = input.certificate.as_deref().filter(|pem| !pem.trim().is_empty()) else {
        if domain.tls == Tls::Custom {
            fields.refuse(
                "certificate",
                Invalid::new("Paste the certificate that the host is to be served with."),
            );
        }
        return None;
    };
    let chain = CertificateChain::parse(pem).and_then(|chain| match domain.tls {
        Tls::Custom if stored == Some(&chain.pem) => chain.check_host(&domain.host).map(|()| chain),
        Tls::Custom => chain.check(&domain.host, Timestamp::now()).map(|()| chain),
        Tls::Auto | Tls::Off => Ok(chain),
    });
    let chain = fields.check("certificate", chain)?;
    let written = input.private_key.as_deref().filter(|key| !key.trim().is_empty());
    let key = fields.check_optional("private_key", written, |key| check_key(&chain, key));
    Some((chain, key))
}

#[cfg(test)]
mod tests;
