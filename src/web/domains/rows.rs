//! The rows of the table of domains.

use crate::actions::domains::DomainView;
use crate::config::Config;
use crate::model::time::Timestamp;
use crate::web::apps::head::Address;
use crate::web::moment::Moment;

/// One domain.
pub struct DomainRow {
    /// Where it is opened; a wildcard is no address.
    pub address: Option<Address>,
    pub host: String,
    pub path_prefix: String,
    /// As a class and a word.
    pub status: (&'static str, &'static str),
    /// In one sentence.
    pub words: String,
    /// When the certificate ends.
    pub expires: Option<Moment>,
    /// What to make while the DNS does not lead here, as zone files spell it.
    pub records: Vec<String>,
    pub redirect_to: Option<String>,
    /// What is out of the ordinary, in a few words.
    pub notes: String,
    /// The place before its own; none for the first.
    pub before: Option<i64>,
    /// The query that names it on the page for changing it.
    pub query: String,
}

/// Rows in the app's own order.
pub fn rows(config: &Config, domains: &[DomainView]) -> Vec<DomainRow> {
    domains.iter().map(|domain| row(config, domain)).collect()
}

fn row(config: &Config, domain: &DomainView) -> DomainRow {
    let is_secure = matches!(
        domain.state.https,
        "pending" | "issued" | "unknown" | "failed" | "custom" | "expired"
    );
    let (scheme, port, usual) = if is_secure {
        ("https", config.https_port, 443)
    } else {
        ("http", config.http_port, 80)
    };
    let port = if port == usual {
        String::new()
    } else {
        format!(":{port}")
    };
    let href = format!("{scheme}://{}{port}{}", domain.host, domain.path_prefix);
    DomainRow {
        address: (!domain.host.starts_with('*')).then(|| Address::of(&href)),
        status: status(domain.state.https),
        words: domain.state.words.clone(),
        expires: domain.state.expires_at.map(moment),
        records: domain.state.missing_records(),
        redirect_to: domain.redirect_to.clone(),
        notes: notes(domain),
        before: (domain.position > 1).then(|| domain.position - 1),
        query: query(&domain.host, &domain.path_prefix),
        host: domain.host.clone(),
        path_prefix: domain.path_prefix.clone(),
    }
}

/// The query that names a domain.
pub fn query(host: &str, path_prefix: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("host", host).append_pair("path_prefix", path_prefix);
    query.finish()
}

fn moment(at: Timestamp) -> Moment {
    if at > Timestamp::now() {
        Moment::until(at)
    } else {
        Moment::of(at)
    }
}

fn status(https: &str) -> (&'static str, &'static str) {
    match https {
        "issued" => ("ok", "certificate"),
        "custom" => ("ok", "own certificate"),
        "pending" => ("busy", "asked for"),
        "waiting" => ("warn", "waits for DNS"),
        "unknown" => ("warn", "not known"),
        "failed" => ("bad", "failed"),
        "expired" => ("bad", "expired"),
        _ => ("idle", "plain http"),
    }
}

fn notes(domain: &DomainView) -> String {
    let mut notes = Vec::new();
    if domain.strip_prefix {
        notes.push("path left out".to_owned());
    }
    if !domain.basic_auth.is_empty() {
        notes.push("password".to_owned());
    }
    match domain.allow_ips.len() {
        0 => {}
        1 => notes.push("one network only".to_owned()),
        count => notes.push(format!("{count} networks only")),
    }
    if domain.grpc {
        notes.push("gRPC".to_owned());
    }
    if domain.hsts {
        notes.push("https only".to_owned());
    }
    notes.join(", ")
}
