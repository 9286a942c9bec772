//! Requests that change something must come from Dhow's own pages, or from a program that is no browser.
//!
//! Browsers tell where a request comes from by `Sec-Fetch-Site`, older ones by `Origin`; neither can be set by a
//! page. A bearer token is no cookie: a foreign page cannot make a browser send one (the Fetch standard asks first,
//! and Dhow does not consent). The session's cookie is `SameSite=Lax` besides. A name that somebody else may point at
//! this machine is not answered to, so that no page of theirs can pass for Dhow's own (DNS rebinding).

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::error::PageError;
use crate::actions::Actions;
use crate::model::host::Host;

/// Endings of names that nobody can buy: reserved by RFC 6761, RFC 6762, RFC 8375 and ICANN (`internal`), and `lan`, which
/// many routers use.
const PRIVATE_ENDINGS: [&str; 5] = ["localhost", "local", "home.arpa", "internal", "lan"];

/// Refuses what another site makes a browser send, and what is sent to another name than the panel's.
pub async fn check(State(actions): State<Actions>, request: Request, next: Next) -> Response {
    let name = host(request.uri(), request.headers());
    if !has_token(request.headers())
        && !name
            .is_some_and(|name| is_own_name(name, &actions.config.base_domain, actions.config.panel_domain.as_ref()))
    {
        return PageError::ForeignName.into_response();
    }
    if is_refused(request.method(), request.uri(), request.headers()) {
        return PageError::ForeignOrigin.into_response();
    }
    next.run(request).await
}

fn is_refused(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return false;
    }
    if has_token(headers) {
        return false;
    }
    if let Some(site) = headers.get("sec-fetch-site") {
        return !matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    match headers.get(ORIGIN) {
        Some(origin) => !origin.to_str().is_ok_and(|origin| is_own(origin, uri, headers)),
        None => false,
    }
}

fn has_token(headers: &HeaderMap) -> bool {
    let authorization = headers.get(AUTHORIZATION).map(|value| value.as_bytes());
    authorization.is_some_and(|value| value.len() > 7 && value[..7].eq_ignore_ascii_case(b"bearer "))
}

/// Whether the panel answers to a name: an address, one without a dot, one that ends privately, or the domain of this
/// instance's apps and what is below, or the name that the operator chose for it.
fn is_own_name(authority: &str, base_domain: &Host, panel_domain: Option<&Host>) -> bool {
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => authority,
    };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let is_below = |domain: &str| name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    panel_domain.is_some_and(|own| own.as_str() == name)
        || bare.parse::<IpAddr>().is_ok()
        || !name.contains('.')
        || is_below(base_domain.as_str())
        || PRIVATE_ENDINGS.into_iter().any(is_below)
}

/// The host that a request was sent to, with its port.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    match headers.get(HOST) {
        Some(host) => host.to_str().ok(),
        None => uri.authority().map(|authority| authority.as_str()),
    }
}

/// Whether an origin names the host that the request was sent to. The scheme may differ behind a proxy.
fn is_own(origin: &str, uri: &Uri, headers: &HeaderMap) -> bool {
    let Some((_, origin)) = origin.split_once("://") else {
        return false;
    };
    host(uri, headers).is_some_and(|host| host.eq_ignore_ascii_case(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_panel_answers_to_names_that_no_stranger_can_point_at_it() {
        let base = Host::parse("apps.example.com").unwrap();
        let panel = Host::parse("dhow.example.org").unwrap();
        assert!(is_own_name("Dhow.example.org:8443", &base, Some(&panel)));
        assert!(
            !is_own_name("x.dhow.example.org", &base, Some(&panel)) && !is_own_name("dhow.example.org", &base, None)
        );
        for own in [
            "127.0.0.1:7070",
            "[::1]:7070",
            "203.0.113.7",
            "localhost:9999",
            "panel.localhost",
            "vps1:7070",
            "vps1.local",
            "apps.example.com",
            "PANEL.apps.example.com.:7070",
        ] {
            assert!(is_own_name(own, &base, None), "{own}");
        }
        for foreign in [
            "evil.example",
            "example.com:7070",
            "notapps.example.com",
            "apps.example.com.evil.example",
            "127.0.0.1.evil.example:7070",
            "localhost.evil.example",
            "notlocalhost.example",
        ] {
            assert!(!is_own_name(foreign, &base, None), "{foreign}");
        }
    }

    #[test]
    fn only_the_own_pages_and_programs_may_change_something() {
        type Case = (&'static str, &'static [(&'static str, &'static str)], bool);
        let cases: [Case; 17] = [
            ("POST", &[], false),
            ("POST", &[("sec-fetch-site", "same-origin")], false),
            ("POST", &[("sec-fetch-site", "none")], false),
            ("POST", &[("sec-fetch-site", "same-site")], true),
            ("POST", &[("sec-fetch-site", "cross-site")], true),
            (
                "POST",
                &[("sec-fetch-site", "cross-site"), ("origin", "http://panel:7070")],
                true,
            ),
            ("POST", &[("sec-fetch-site", "")], true),
            ("POST", &[("origin", "http://panel:7070")], false),
            ("POST", &[("origin", "https://PANEL:7070")], false),
            ("POST", &[("origin", "http://panel")], true),
            ("POST", &[("origin", "http://evil.example")], true),
            ("POST", &[("origin", "null")], true),
            ("DELETE", &[("origin", "http://evil.example")], true),
            (
                "POST",
                &[("sec-fetch-site", "cross-site"), ("authorization", "Bearer dhow_x")],
                false,
            ),
            (
                "POST",
                &[("sec-fetch-site", "cross-site"), ("authorization", "Basic eDp5")],
                true,
            ),
            ("GET", &[("sec-fetch-site", "cross-site")], false),
            ("HEAD", &[("origin", "http://evil.example")], false),
        ];
        for (method, headers, is_expected) in cases {
            let mut map = HeaderMap::from_iter([(HOST, "panel:7070".parse().unwrap())]);
            for &(name, value) in headers {
                map.insert(axum::http::HeaderName::from_static(name), value.parse().unwrap());
            }
            let method = method.parse().unwrap();
            let refused = is_refused(&method, &Uri::from_static("/"), &map);
            assert_eq!(refused, is_expected, "{method} {headers:?}");
        }
    }

    #[test]
    fn http_2_names_the_host_in_the_address() {
        let headers = HeaderMap::from_iter([(ORIGIN, "https://panel.example".parse().unwrap())]);
        assert!(!is_refused(
            &Method::POST,
            &Uri::from_static("https://panel.example/x"),
            &headers
        ));
        assert!(is_refused(
            &Method::POST,
            &Uri::from_static("https://other.example/x"),
            &headers
        ));
        assert!(is_refused(&Method::POST, &Uri::from_static("/x"), &headers));
    }
}
