//! What every page needs besides its own content: title, who is signed in, what is wrong with the machine, and the
//! message that a form left behind.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::Method;
use axum::http::request::Parts;
use tower_sessions::Session;

use super::Web;
use super::assets::asset_url;
use super::error::PageError;
use super::flash::{self, Flash};
use crate::actions::sessions::SessionUser;
use crate::model::user::{Actor, User};

/// The frame of a page, for `base.html`.
#[derive(Debug, Clone)]
pub struct Layout {
    /// Names the thing; " · Dhow" is added.
    pub title: String,
    /// Who is signed in.
    pub email: Option<String>,
    /// Whether they may say who uses this Dhow.
    pub may_administer: bool,
    /// What does not answer.
    pub banner: Banner,
    /// What the last form did.
    pub flash: Option<Flash>,
    /// Whether the page tells of something that fails: the icon in the browser's tab shows it.
    pub has_failure: bool,
}

impl Layout {
    /// The frame for a user, or for nobody.
    pub fn new(web: &Web, user: Option<&User>, title: impl Into<String>) -> Self {
        let banner = if user.is_some() {
            Banner::now(web)
        } else {
            Banner::default()
        };
        let email = user.map(|user| user.email.clone());
        Self {
            title: title.into(),
            email,
            may_administer: user.is_some_and(|user| Actor::person(user.clone()).may_administer()),
            banner,
            flash: None,
            has_failure: false,
        }
    }

    /// The same frame around a form whose input was refused.
    pub fn refused(mut self) -> Self {
        self.title.insert_str(0, "Error: ");
        self
    }

    /// The icon of the browser's tab.
    pub fn icon(&self) -> &'static str {
        let is_bad = self.has_failure || !self.banner.is_empty();
        asset_url(if is_bad {
            "icons/favicon-bad.svg"
        } else {
            "icons/favicon.svg"
        })
    }
}

/// What does not answer now, in sentences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Banner {
    /// Why the engine cannot be used.
    pub docker: Option<String>,
    /// Why the proxy cannot be used, while the engine can.
    pub traefik: Option<String>,
}

impl Banner {
    /// As last seen.
    pub fn now(web: &Web) -> Self {
        let health = web.actions.deployer.health();
        let docker = health.docker.err().map(sentence);
        let traefik = if docker.is_none() {
            health.traefik.err().map(sentence)
        } else {
            None
        };
        Self { docker, traefik }
    }

    /// Whether everything answers.
    pub fn is_empty(&self) -> bool {
        self.docker.is_none() && self.traefik.is_none()
    }
}

/// Ends a text as a sentence, since another one follows it.
fn sentence(mut text: String) -> String {
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

/// Makes the frame of the page that answers a request; takes the flash message out of the session.
#[derive(Debug, Clone)]
pub struct Frame {
    layout: Layout,
}

impl Frame {
    /// The frame under a title that names the thing.
    pub fn titled(self, title: impl Into<String>) -> Layout {
        Layout {
            title: title.into(),
            ..self.layout
        }
    }
}

impl<S> FromRequestParts<S> for Frame
where
    Web: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PageError> {
        let web = Web::from_ref(state);
        let user = parts.extensions.get::<SessionUser>().map(|SessionUser(user)| user);
        let mut layout = Layout::new(&web, user, "");
        let is_page = parts.method == Method::GET && !parts.headers.contains_key("hx-request");
        if let (Some(_), true, Some(session)) = (user, is_page, parts.extensions.get::<Session>()) {
            layout.flash = flash::take(session).await?;
        }
        Ok(Self { layout })
    }
}
