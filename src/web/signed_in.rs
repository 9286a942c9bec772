//! Who is signed in, as an extractor: pages that take a [`SignedIn`] are seen by nobody else.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};

use super::error::PageError;
use crate::actions::sessions::SessionUser;
use crate::model::client::Client;
use crate::model::user::{Actor, User};

/// A person with a session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// The same as the one who acts.
    pub actor: Actor,
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, PageError> {
        let client = parts.extensions.get::<Client>();
        match parts.extensions.get::<SessionUser>().zip(client) {
            Some((SessionUser(user), client)) => Ok(Self {
                user: user.clone(),
                actor: client.acting(user),
            }),
            None => Err(PageError::NotSignedIn {
                next: wanted_page(&parts.method, &parts.uri, &parts.headers),
            }),
        }
    }
}

/// The page to come back to after signing in.
fn wanted_page(method: &Method, uri: &Uri, headers: &HeaderMap) -> LocalPath {
    if headers.contains_key("hx-request") {
        let current = headers.get("hx-current-url").and_then(|url| url.to_str().ok());
        let current = current.and_then(|url| url.parse::<Uri>().ok());
        return current.and_then(|url| LocalPath::of(&url)).unwrap_or_default();
    }
    if method == Method::GET {
        LocalPath::of(uri).unwrap_or_default()
    } else {
        LocalPath::default()
    }
}

/// A path on this host, with its query: where a browser may be sent without leaving Dhow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPath(String);

impl Default for LocalPath {
    /// The dashboard.
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl LocalPath {
    /// Longest path that is remembered; a longer one is no page of Dhow.
    const MAX_BYTES: usize = 500;

    /// Accepts `/…`, but nothing that a browser could read as another host.
    pub fn parse(text: &str) -> Option<Self> {
        let second = text.as_bytes().get(1);
        let is_local = text.starts_with('/') && !matches!(second, Some(b'/' | b'\\'));
        let is_plain = text.len() <= Self::MAX_BYTES && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
        (is_local && is_plain).then(|| Self(text.to_owned()))
    }

    fn of(uri: &Uri) -> Option<Self> {
        Self::parse(uri.path_and_query()?.as_str())
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the dashboard, which needs not be named.
    pub fn is_default(&self) -> bool {
        self.0 == "/"
    }

    /// The address of the sign-in page that leads back here.
    pub fn sign_in_url(&self) -> String {
        self.led_back_to_from("/login")
    }

    /// The address of the sign-in's second step that leads back here.
    pub fn second_step_url(&self) -> String {
        self.led_back_to_from("/login/code")
    }

    fn led_back_to_from(&self, page: &str) -> String {
        if self.is_default() {
            return page.to_owned();
        }
        let next: String = url::form_urlencoded::byte_serialize(self.0.as_bytes()).collect();
        format!("{page}?next={next}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_host_are_come_back_to() {
        for good in ["/", "/apps/web", "/apps/web/logs?tail=20&q=a%20b"] {
            assert_eq!(LocalPath::parse(good).map(|path| path.0).as_deref(), Some(good));
        }
        let long = format!("/{}", "a".repeat(500));
        for bad in [
            "",
            "apps",
            "//evil.example",
            "/\\evil.example",
            "/a\\b",
            "https://evil.example/",
            "/a\nb",
            "/ä",
            "/a b",
            "javascript:x",
            &long,
        ] {
            assert_eq!(LocalPath::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn signing_in_leads_back() {
        let back = |method, uri: &str, headers: &[(&'static str, &str)]| {
            let headers = headers
                .iter()
                .map(|(name, value)| (axum::http::HeaderName::from_static(name), value.parse().unwrap()));
            wanted_page(&method, &uri.parse().unwrap(), &headers.collect()).sign_in_url()
        };
        assert_eq!(
            back(Method::GET, "/apps/web?tab=1", &[]),
            "/login?next=%2Fapps%2Fweb%3Ftab%3D1"
        );
        assert_eq!(back(Method::GET, "/", &[]), "/login");
        assert_eq!(back(Method::POST, "/apps/web/delete", &[]), "/login");
        let htmx = [("hx-request", "true"), ("hx-current-url", "http://panel:7070/apps/web")];
        assert_eq!(
            back(Method::GET, "/dashboard/events", &htmx),
            "/login?next=%2Fapps%2Fweb"
        );
        assert_eq!(back(Method::GET, "/dashboard/events", &htmx[..1]), "/login");
    }
}
