//! Which requests of the smart protocol are served: three, and nothing of the older "dumb" one, which hands out files.

use axum::http::Method;

/// The two services of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// `git fetch` and `git clone`.
    UploadPack,
    /// `git push`.
    ReceivePack,
}

impl Service {
    /// Its name in paths and queries.
    pub fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }
}

/// What a request asks for; nothing else is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `GET info/refs?service=…`: the branches, before anything is sent.
    Advertise(Service),
    /// `POST git-upload-pack` or `git-receive-pack`.
    Call(Service),
}

impl Operation {
    /// Reads the method, the part of the path after the repository (`info/refs`) and the query. `None` is a 404.
    pub fn parse(method: &Method, tail: &str, query: Option<&str>) -> Option<Self> {
        match (method.as_str(), tail, query) {
            ("GET", "info/refs", Some("service=git-upload-pack")) => Some(Self::Advertise(Service::UploadPack)),
            ("GET", "info/refs", Some("service=git-receive-pack")) => Some(Self::Advertise(Service::ReceivePack)),
            ("POST", "git-upload-pack", None) => Some(Self::Call(Service::UploadPack)),
            ("POST", "git-receive-pack", None) => Some(Self::Call(Service::ReceivePack)),
            _ => None,
        }
    }

    /// Whether it is part of a push.
    pub fn is_push(self) -> bool {
        matches!(
            self,
            Self::Advertise(Service::ReceivePack) | Self::Call(Service::ReceivePack)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serves_the_smart_protocol_only() {
        for service in [Service::UploadPack, Service::ReceivePack] {
            let query = format!("service={}", service.name());
            assert_eq!(
                Operation::parse(&Method::GET, "info/refs", Some(&query)),
                Some(Operation::Advertise(service))
            );
            assert_eq!(
                Operation::parse(&Method::POST, service.name(), None),
                Some(Operation::Call(service))
            );
            assert_eq!(Operation::parse(&Method::GET, service.name(), None), None);
            assert_eq!(Operation::parse(&Method::POST, "info/refs", Some(&query)), None);
        }
        for (tail, query) in [
            ("info/refs", None),
            ("info/refs", Some("service=git-upload-archive")),
            ("info/refs", Some("service=git-receive-pack&x=1")),
            ("HEAD", None),
            ("config", None),
            ("objects/info/packs", None),
            ("../other.git/info/refs", Some("service=git-upload-pack")),
            ("", None),
        ] {
            assert_eq!(Operation::parse(&Method::GET, tail, query), None, "{tail}");
        }
    }
}
