//! The sentences about how a domain is served now, and what to do about it.

use std::net::IpAddr;

use crate::deploy::Refusal;
use crate::model::caa::Caa;
use crate::model::domain::{Domain, Tls};
use crate::model::pointing::{Pointing, Port80, Verdict};
use crate::model::time::Timestamp;

/// What a domain waits for.
pub(super) fn waiting(pointing: Option<&Pointing>) -> String {
    let Some(pointing) = pointing else {
        return "Plain http until its DNS is seen to lead to this machine.".to_owned();
    };
    let should = if pointing.wanted.is_empty() {
        "this machine".to_owned()
    } else {
        list(&pointing.wanted)
    };
    match pointing.verdict {
        Verdict::Right => "Its DNS leads here; the certificate is asked for next.".to_owned(),
        Verdict::Wrong => format!(
            "Its DNS leads to {}, not to {should} alone. Plain http until then.",
            list(&pointing.found)
        ),
        Verdict::Missing => format!("Its DNS has no address. Let it lead to {should}; plain http until then."),
        Verdict::Unknown => {
            let reason = pointing.reason.as_deref().unwrap_or_default();
            format!("The DNS could not be asked ({reason}). Plain http until it says that the host leads here.")
        }
    }
}

/// Why a domain is plain http.
pub(super) fn plain(domain: &Domain, has_acme: bool) -> &'static str {
    if domain.tls != Tls::Auto {
        "As chosen."
    } else if domain.host.is_wildcard() {
        "A wildcard gets no certificate by itself. Upload one."
    } else if !domain.may_have_certificate() {
        "No certificate can be had for such a host."
    } else if !has_acme {
        "Until Dhow is started with --acme-email, or a certificate is uploaded."
    } else {
        ""
    }
}

/// Why there is no certificate.
pub(super) fn refused(refusal: &Refusal) -> String {
    let reason = &refusal.reason;
    match refusal.retry_at {
        Some(at) => {
            let at = written(at);
            format!("The authority has had too many requests and takes none before {at}: {reason}")
        }
        None if refusal.is_rate_limit => {
            format!("The authority has had too many requests and takes none for now: {reason}")
        }
        None => format!("No certificate was had: {reason}"),
    }
}

/// What CAA records mean for a certificate; nothing where they allow the authority that is asked. `authority`: its
/// name, where it is known.
pub(super) fn caa(caa: &Caa, authority: Option<&str>) -> Option<String> {
    let name = &caa.name;
    let allowed = if caa.allowed.is_empty() {
        "no authority".to_owned()
    } else {
        format!("only {}", caa.allowed.join(", "))
    };
    let allow = format!("The CAA records of {name} allow {allowed}");
    match authority {
        None => Some(format!("{allow}.")),
        Some(authority) if caa.forbids(authority) => Some(format!(
            "{allow}, so {authority} must refuse. Add the record {name}. CAA 0 issue \"{authority}\"."
        )),
        Some(_) => None,
    }
}

/// What is wrong with port 80, where an authority asks; nothing where the proxy answers. `http_port`: where the proxy
/// listens.
pub(super) fn port_80(found: Port80, addresses: &[IpAddr], http_port: u16) -> Option<String> {
    let addresses = list(addresses);
    let mut words = match found {
        Port80::Proxy => return None,
        Port80::Other => format!("At port 80 of {addresses} something else than Dhow's proxy answers."),
        Port80::Unreachable => format!("Port 80 of {addresses} could not be reached from here."),
    };
    words.push_str(" The authority asks there.");
    if http_port != 80 {
        words.push_str(&format!(
            " It must lead to port {http_port}, where Dhow's proxy listens."
        ));
    }
    Some(words)
}

fn list(addresses: &[IpAddr]) -> String {
    let texts: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
    texts.join(", ")
}

/// As people write it; for a sentence, not for programs.
fn written(at: Timestamp) -> String {
    let text = at.to_string();
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    format!("{date} {} UTC", time.split('.').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{Caa, Port80, Refusal, caa, port_80, refused};

    #[test]
    fn caa_records_that_forbid_the_authority_are_told_with_the_record_that_allows_it() {
        let found = |allowed: &[&str]| Caa {
            name: "example.com".to_owned(),
            allowed: allowed.iter().map(|&name| name.to_owned()).collect(),
        };
        let ours = Some("letsencrypt.org");
        assert_eq!(caa(&found(&["letsencrypt.org", "sectigo.com"]), ours), None);
        let others = caa(&found(&["sectigo.com"]), ours).expect("forbidden");
        assert_eq!(
            others,
            "The CAA records of example.com allow only sectigo.com, so letsencrypt.org must refuse. \
             Add the record example.com. CAA 0 issue \"letsencrypt.org\"."
        );
        let nobody = caa(&found(&[]), ours).expect("forbidden");
        assert!(nobody.contains("allow no authority, so"), "{nobody}");
        let own = caa(&found(&["ca.example"]), None).expect("shown");
        assert_eq!(own, "The CAA records of example.com allow only ca.example.");
    }

    #[test]
    fn port_80_is_told_with_where_it_must_lead() {
        let addresses = ["192.0.2.1".parse().expect("an address")];
        let words = |found, http_port| port_80(found, &addresses, http_port).unwrap_or_default();
        assert_eq!(words(Port80::Proxy, 8080), "");
        assert_eq!(
            words(Port80::Unreachable, 80),
            "Port 80 of 192.0.2.1 could not be reached from here. The authority asks there."
        );
        let other = words(Port80::Other, 8080);
        assert!(
            other.contains("something else") && other.contains("lead to port 8080"),
            "{other}"
        );
    }

    #[test]
    fn route_acme_not_hammered_a_rate_limit_says_until_when() {
        let words = |text: &str| refused(&Refusal::of(text));
        let timed = words("acme: error: 429 :: too many, retry after 2025-07-17 12:34:59 UTC: see x");
        assert!(
            timed.contains("takes none before 2025-07-17 12:34:59 UTC: acme: error: 429"),
            "{timed}"
        );
        assert!(words("acme: error: 429 :: too many").contains("takes none for now: acme"));
        assert_eq!(words("acme: error: 403"), "No certificate was had: acme: error: 403");
    }
}
