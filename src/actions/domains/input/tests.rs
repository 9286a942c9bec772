use rcgen::{CertificateParams, KeyPair};

use super::*;

/// A certificate that was over long ago.
fn over(name: &str) -> CertificateChain {
    let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
    parameters.not_before = rcgen::date_time_ymd(2019, 1, 2);
    parameters.not_after = rcgen::date_time_ymd(2020, 1, 2);
    let certificate = parameters.self_signed(&KeyPair::generate().unwrap()).unwrap();
    CertificateChain::parse(&certificate.pem()).unwrap()
}

#[test]
fn a_stored_certificate_that_is_over_keeps_nobody_from_changing_the_rest() {
    let (stored, other) = (over("a.example.com"), over("a.example.com"));
    let input = |host: &str| DomainInput {
        host: host.to_owned(),
        path_prefix: default_path_prefix(),
        tls: "custom".to_owned(),
        certificate: Some(stored.pem.clone()),
        ..DomainInput::default()
    };
    let is_taken = |host: &str, stored: Option<&str>| check(&input(host), stored).is_ok();
    assert!(is_taken("a.example.com", Some(&stored.pem)));
    assert!(!is_taken("a.example.com", Some(&other.pem)));
    assert!(!is_taken("a.example.com", None));
    assert!(!is_taken("b.example.com", Some(&stored.pem)), "another host");
}
