//! An answer at the plain http port that only this Dhow's proxy gives, so that it is known who answers there.
//!
//! Both halves come from a digest of the proxy's password: the path tells nobody that a site is served by Dhow.

use sha2::{Digest as _, Sha256};

use super::dynamic::{Middleware, Router};
use super::{WEB, rules};

/// Name of its router and its middleware; no app's begins so.
pub(super) const NAME: &str = "dhow-mark";

/// A path, and where the proxy says that it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// What is asked for, whatever the host.
    pub path: String,
    /// The `Location` of the answer; the name exists nowhere (RFC 6761).
    pub location: String,
}

impl Mark {
    /// The one of the proxy with this password, as given to [`render_api`](super::render_api).
    pub fn of(password: &str) -> Self {
        let digest = Sha256::digest(format!("mark of {password}"));
        let half = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Self {
            path: format!("/.well-known/{}", half(&digest[..16])),
            location: format!("http://dhow.invalid/{}", half(&digest[16..])),
        }
    }

    pub(super) fn router(&self) -> Router {
        Router {
            middlewares: vec![NAME.to_owned()],
            ..Router::new(WEB, format!("Path(`{}`)", self.path), rules::ABOVE_ALL, "noop@internal")
        }
    }

    pub(super) fn middleware(&self) -> Middleware {
        Middleware::RedirectRegex {
            regex: "^.*$".to_owned(),
            replacement: self.location.clone(),
            permanent: false,
        }
    }
}
