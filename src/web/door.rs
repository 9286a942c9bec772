//! Through which door a connection comes: directly, or from the proxy, which alone is believed what it says of others.
//!
//! The proxy's door is on the gateway address of its own network and open to the proxy's address only. There the
//! visitor's address is the one that the proxy names, and cookies travel by https alone.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use crate::actions::Actions;
use gate::Gate;

mod gate;

/// Where the proxy says who asks; it replaces what a visitor sends (Traefik docs, "EntryPoints", forwardedHeaders).
const FORWARDED_FOR: &str = "x-forwarded-for";

/// A door.
#[derive(Clone)]
pub enum Door {
    /// Visitors themselves.
    Direct,
    /// The proxy alone.
    Proxy(Arc<Gate>),
}

impl Door {
    /// The proxy's.
    pub fn proxy(actions: Actions) -> Self {
        Self::Proxy(Arc::new(Gate::new(actions)))
    }

    /// Whether somebody may come in here. Takes two seconds at most.
    pub async fn admits(&self, peer: IpAddr) -> bool {
        match self {
            Self::Direct => true,
            Self::Proxy(gate) => gate.admits(peer.to_canonical()).await,
        }
    }

    /// Who asks by a request.
    pub fn visitor(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        match self {
            Self::Direct => peer,
            Self::Proxy(_) => forwarded_for(headers).map_or(peer, |address| SocketAddr::new(address, 0)),
        }
    }

    /// Keeps the cookies of an answer from plain http.
    pub fn seal<B>(&self, response: &mut Response<B>) {
        if matches!(self, Self::Direct) {
            return;
        }
        let cookies: Vec<HeaderValue> = response.headers().get_all(header::SET_COOKIE).iter().cloned().collect();
        response.headers_mut().remove(header::SET_COOKIE);
        for cookie in cookies {
            response.headers_mut().append(header::SET_COOKIE, secure(cookie));
        }
    }
}

/// The last address is the one that the proxy has added.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let value = headers.get_all(FORWARDED_FOR).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next()?.trim().parse().ok()
}

fn secure(cookie: HeaderValue) -> HeaderValue {
    let with = [cookie.as_bytes(), b"; Secure"].concat();
    HeaderValue::from_bytes(&with).unwrap_or(cookie)
}

#[cfg(test)]
mod tests {
    use super::{forwarded_for, secure};
    use axum::http::{HeaderMap, HeaderValue};

    #[test]
    fn the_proxys_own_word_counts_and_cookies_become_secure() {
        let mut headers = HeaderMap::new();
        assert_eq!(forwarded_for(&headers), None);
        headers.append("x-forwarded-for", HeaderValue::from_static("198.51.100.1, 203.0.113.9"));
        assert_eq!(forwarded_for(&headers), "203.0.113.9".parse().ok());
        headers.append("x-forwarded-for", HeaderValue::from_static("2001:db8::1"));
        assert_eq!(forwarded_for(&headers), "2001:db8::1".parse().ok());
        assert_eq!(
            secure(HeaderValue::from_static("a=b; HttpOnly")),
            "a=b; HttpOnly; Secure"
        );
    }
}
