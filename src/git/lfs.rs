//! Git LFS: large files, of which a repository holds pointers, fetched from the server's batch API (git-lfs's
//! `docs/api/batch.md`) and put in place of these.
//!
//! The contents are what the commit recorded or the fetch fails: size and SHA-256 are checked, and no more bytes are
//! taken than were announced. A repository behind SSH is refused, since its server would have to be asked for a
//! password of its own first.

mod batch;
mod http;
mod pointer;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode, body::Incoming};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::destination::{Destination, until_cancelled};
use super::{Access, Error, Room};
use crate::model::source::GitUrl;
use crate::model::text::shown_path;
use batch::{Answer, Download, Object, find_download, headers_of};
use http::{Ask, Http};
pub use pointer::Pointer;

/// Objects in one question, as git-lfs asks.
const BATCH: usize = 100;
/// Downloads beside each other: enough to hide the way to the server, few enough to be no burden.
const AT_ONCE: usize = 4;
/// A batch's answer has some kilobytes an object, signed addresses included.
const MAX_ANSWER_BYTES: usize = 4 << 20;
/// Puts the contents of large files in the place of their pointers.
pub struct LargeFiles<'a> {
    access: Access<'a>,
    cancelled: &'a AtomicBool,
    room: &'a Room,
}

/// A large file that is wanted, and all places of it.
type Wanted<'w> = (&'w Pointer, Vec<&'w Path>);

impl<'a> LargeFiles<'a> {
    /// With what may be reached, and the room that all files of the commit share.
    pub fn new(access: Access<'a>, room: &'a Room, cancelled: &'a AtomicBool) -> Self {
        Self {
            access,
            cancelled,
            room,
        }
    }

    /// Fills the pointers of a checkout, whose commit comes from `url`. Fails with what cannot be had.
    pub fn fill(
        &self,
        url: &GitUrl,
        into: &Path,
        pointers: &[(PathBuf, Pointer)],
        progress: &mut dyn FnMut(&str),
    ) -> Result<(), Error> {
        let Some((first, _)) = pointers.first() else {
            return Ok(());
        };
        let count = pointers.len();
        if url.is_ssh() {
            return Err(Error::Refused(format!(
                "{} is kept by Git LFS (files in all: {count}), and Dhow fetches those over https alone. Give the app the \
                 repository's https:// address, with a token if it is private.",
                shown_path(first),
            )));
        }
        let bytes = pointers.iter().fold(0u64, |sum, (_, it)| sum.saturating_add(it.size));
        self.room
            .take(bytes, || "The repository's files in Git LFS have".to_owned())?;
        progress(&format!(
            "Fetching from Git LFS at {}: {count} {}, {} KiB",
            url.host(),
            if count == 1 { "file" } else { "files" },
            bytes.div_ceil(1024)
        ));
        let mut wanted: BTreeMap<&Pointer, Vec<&Path>> = BTreeMap::new();
        for (place, pointer) in pointers {
            wanted.entry(pointer).or_default().push(place);
        }
        let wanted: Vec<Wanted<'_>> = wanted.into_iter().collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.fetch_in_time(url, into, &wanted))
    }

    async fn fetch_in_time(&self, url: &GitUrl, into: &Path, wanted: &[Wanted<'_>]) -> Result<(), Error> {
        let total = self.access.limits.total;
        tokio::select! {
            result = self.fetch(url, into, wanted) => result,
            () = until_cancelled(self.cancelled) => Err(Error::Cancelled),
            () = tokio::time::sleep(total) => Err(Error::Unreachable(format!(
                "Fetching the contents of Git LFS from {} took more than {} s.",
                url.host(),
                total.as_secs_f32()
            ))),
        }
    }

    async fn fetch(&self, url: &GitUrl, into: &Path, wanted: &[Wanted<'_>]) -> Result<(), Error> {
        let http = Http::new(self.access, self.cancelled);
        for part in wanted.chunks(BATCH) {
            let of = |error: Error, (_, places): &Wanted<'_>| error.of_lfs(places[0]);
            let objects = self.ask(&http, url, part).await.map_err(|error| of(error, &part[0]))?;
            let fetching = part.iter().map(async |it| {
                let found = objects.iter().find(|object| object.oid == it.0.oid);
                let download = find_download(url, found).map_err(|error| of(error, it))?;
                let fetched = self.download(&http, download, it, into).await;
                fetched.map_err(|error| of(error, it))
            });
            stream::iter(fetching)
                .buffer_unordered(AT_ONCE)
                .try_collect::<()>()
                .await?;
        }
        Ok(())
    }

    /// Asks the batch API where contents are.
    async fn ask(&self, http: &Http<'_>, url: &GitUrl, wanted: &[Wanted<'_>]) -> Result<Vec<Object>, Error> {
        let objects: Vec<_> = wanted
            .iter()
            .map(|(it, _)| json!({ "oid": it.oid, "size": it.size }))
            .collect();
        let question = json!({
            "operation": "download", "transfers": ["basic"], "hash_algo": "sha256", "objects": objects
        });
        let url = batch::address(url)?;
        let entrusted = HeaderMap::from_iter(self.authorization_for(&url));
        let has_token = !entrusted.is_empty();
        let ask = Ask {
            url,
            entrusted,
            question: Some(question.to_string().into()),
        };
        let (server, answer) = http.send(ask).await?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::NOT_IMPLEMENTED => {
                return Err(Error::RepositoryNotFound(format!(
                    "{} has no Git LFS for this repository (HTTP {}), or does not show it without the right token.",
                    server.authority,
                    answer.status().as_u16()
                )));
            }
            status => return Err(Error::from_status(status.as_str(), &server.host, has_token)),
        }
        let mut body = answer.into_body();
        let mut bytes = Vec::new();
        while let Some(more) = http.read(&server, &mut body).await? {
            bytes.extend_from_slice(&more);
            if bytes.len() > MAX_ANSWER_BYTES {
                return Err(no_lfs_server(&server));
            }
        }
        let answer: Answer = serde_json::from_slice(&bytes).map_err(|_| no_lfs_server(&server))?;
        Ok(answer.objects)
    }

    async fn download(
        &self,
        http: &Http<'_>,
        (download, is_authenticated): (&Download, bool),
        (pointer, places): &Wanted<'_>,
        into: &Path,
    ) -> Result<(), Error> {
        let url = http::parse(&download.href, None)?;
        let mut entrusted = headers_of(download);
        if !is_authenticated && !entrusted.contains_key(header::AUTHORIZATION) {
            entrusted.extend(self.authorization_for(&url));
        }
        let has_token = entrusted.contains_key(header::AUTHORIZATION);
        let ask = Ask {
            url,
            entrusted,
            question: None,
        };
        let (server, answer) = http.send(ask).await?;
        if answer.status() != StatusCode::OK {
            return Err(Error::from_status(answer.status().as_str(), &server.host, has_token));
        }
        let (first, others) = places.split_first().expect("a pointer is somewhere");
        let mut file = save(http, &server, answer, pointer, &into.join(first)).await?;
        for place in others {
            file.rewind()?;
            std::io::copy(&mut file, &mut open(&into.join(place))?)?;
        }
        Ok(())
    }

    /// The credential as a header, for the repository's own server alone.
    fn authorization_for(&self, url: &Url) -> Option<(HeaderName, HeaderValue)> {
        let value = self.access.credential?.authorization_for(&url.origin())?;
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(true);
        Some((header::AUTHORIZATION, value))
    }
}

/// Writes contents over a pointer while they come, and answers the file.
async fn save(
    http: &Http<'_>,
    server: &Destination,
    answer: Response<Incoming>,
    pointer: &Pointer,
    path: &Path,
) -> Result<File, Error> {
    let wrong = || {
        Error::Unreachable(format!(
            "{} sends other contents than the commit recorded; nothing is built from them.",
            server.authority
        ))
    };
    let mut file = open(path)?;
    let (mut written, mut digest) = (0, Sha256::new());
    let mut body = answer.into_body();
    while let Some(bytes) = http.read(server, &mut body).await? {
        written += bytes.len() as u64;
        if written > pointer.size {
            return Err(wrong());
        }
        digest.update(&bytes);
        file.write_all(&bytes)?;
    }
    let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if written == pointer.size && digest == pointer.oid {
        Ok(file)
    } else {
        Err(wrong())
    }
}

/// The file of a pointer, emptied; its mode stays.
fn open(path: &Path) -> Result<File, Error> {
    Ok(OpenOptions::new().read(true).write(true).truncate(true).open(path)?)
}

fn no_lfs_server(server: &Destination) -> Error {
    Error::Unreachable(format!(
        "{} answers, but not as a Git LFS server does.",
        server.authority
    ))
}
