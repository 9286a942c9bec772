//! What the batch API is asked, and what it answers: where each object is, and what opens it there.

use std::collections::HashMap;

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use url::Url;

use super::http::parse;
use crate::git::Error;
use crate::git::error::single_line;
use crate::model::source::GitUrl;

/// What belongs to the connection, and is no server's to set.
const OUR_HEADERS: [HeaderName; 6] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::EXPECT,
    header::UPGRADE,
];

/// An answer.
#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) objects: Vec<Object>,
}

/// What is said of one object.
#[derive(Deserialize)]
pub(super) struct Object {
    pub(super) oid: String,
    /// Whether nothing but what is given opens it.
    #[serde(default)]
    authenticated: bool,
    actions: Option<Actions>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Actions {
    download: Option<Download>,
}

/// Where an object is.
#[derive(Deserialize)]
pub(super) struct Download {
    pub(super) href: String,
    header: Option<HashMap<String, String>>,
}

#[derive(Deserialize)]
struct Refusal {
    code: u16,
    message: String,
}

/// Where a repository's batch API is (git-lfs's `docs/api/server-discovery.md`).
pub(super) fn address(url: &GitUrl) -> Result<Url, Error> {
    let address = url.as_str().trim_end_matches('/');
    let ending = if address.ends_with(".git") { "" } else { ".git" };
    parse(&format!("{address}{ending}/info/lfs/objects/batch"), None)
}

/// Where an object is, and whether it needs no credential; fails with what the server says instead.
pub(super) fn find_download<'o>(url: &GitUrl, object: Option<&'o Object>) -> Result<(&'o Download, bool), Error> {
    let host = url.host();
    if let Some(refusal) = object.and_then(|object| object.error.as_ref()) {
        let message = single_line(refusal.message.as_bytes(), 200);
        return Err(Error::RepositoryNotFound(format!(
            "{host} does not give out the contents of a file: {message} ({}). Push them with git lfs push --all.",
            refusal.code
        )));
    }
    let found = object.and_then(|object| Some((object.actions.as_ref()?.download.as_ref()?, object.authenticated)));
    found.ok_or_else(|| {
        Error::RepositoryNotFound(format!(
            "{host} does not say where the contents of a file are. Push them with git lfs push --all."
        ))
    })
}

/// What the server gave for the download.
pub(super) fn headers_of(download: &Download) -> HeaderMap {
    let written = download.header.iter().flatten();
    let usable = written.filter_map(|(name, value)| Some((name.parse().ok()?, HeaderValue::from_str(value).ok()?)));
    usable.filter(|(name, _)| !OUR_HEADERS.contains(name)).collect()
}
