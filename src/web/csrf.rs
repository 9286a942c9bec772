//! Requests that change something must come from Dhow's own pages, or from a program that is no browser.
//!
//! Browsers tell where a request comes from by `Sec-Fetch-Site`, older ones by `Origin`; neither can be set by a
//! page. A bearer token is no cookie: a foreign page cannot make a browser send one (the Fetch standard asks first,
//! and Dhow does not consent). The session's cookie is `SameSite=Lax` besides.

use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::error::PageError;

/// Refuses what another site makes a browser send.
pub async fn check(request: Request, next: Next) -> Response {
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

/// Whether an origin names the host that the request was sent to. The scheme may differ behind a proxy.
fn is_own(origin: &str, uri: &Uri, headers: &HeaderMap) -> bool {
    let Some((_, origin)) = origin.split_once("://") else {
        return false;
    };
    let host = match headers.get(HOST) {
        Some(host) => host.to_str().ok(),
        None => uri.authority().map(|authority| authority.as_str()),
    };
    host.is_some_and(|host| host.eq_ignore_ascii_case(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

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
