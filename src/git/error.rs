//! Why a repository could not be had, and what libgit2's own errors mean.

use std::path::Path;

use git2::{ErrorClass, ErrorCode};

use crate::model::source::GitUrl;
use crate::model::text::shown_path;

/// Why a repository, or a commit of it, could not be had. Every text is a sentence for the app's owner, says what to
/// do, and holds no credential.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server wants a password, or does not take the one it got.
    #[error("{0}")]
    Auth(String),
    /// The server does not answer, or not as a Git server does.
    #[error("{0}")]
    Unreachable(String),
    /// The server answers, but has no such repository.
    #[error("{0}")]
    RepositoryNotFound(String),
    /// The branch is not there; names those that are.
    #[error("{0}")]
    RefNotFound(String),
    /// No such commit in the repository, or more than one.
    #[error("{0}")]
    CommitNotFound(String),
    /// There is no commit at all.
    #[error("The repository is empty. Push a commit to it, then deploy again.")]
    Empty,
    /// Against Dhow's rules: a private address, plain http, a link that leaves the checkout.
    #[error("{0}")]
    Refused(String),
    /// Asked to stop.
    #[error("Cancelled.")]
    Cancelled,
    /// The disk is full.
    #[error("The disk is full. Free some space, then deploy again.")]
    NoSpace,
    /// The files of the commit are more than the disk has room for.
    #[error("{0}")]
    NoRoom(String),
    /// Anything else, in the words of libgit2 or the operating system.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// The same, of a submodule and not of the repository itself.
    pub(super) fn of_submodule(self, place: &Path) -> Self {
        let about = format!("The submodule {} cannot be fetched.", shown_path(place));
        match self.about(&about) {
            Self::Auth(sentence) => Self::Auth(format!(
                "{sentence} The app's credential is shown to its repository's own server alone."
            )),
            other => other,
        }
    }

    /// The same, of a file that is kept by Git LFS.
    pub(super) fn of_lfs(self, place: &Path) -> Self {
        let about = format!("{} is kept by Git LFS and cannot be fetched.", shown_path(place));
        self.about(&about)
    }

    /// The list of branches and tags has more bytes than are read.
    pub(super) fn list_too_long(authority: &str, max_bytes: u64) -> Self {
        let mib = max_bytes >> 20;
        Self::Refused(format!(
            "{authority} lists more branches and tags than Dhow reads ({mib} MiB)."
        ))
    }

    /// A pack has more bytes than there is room for.
    pub(super) fn pack_too_large(authority: &str, max_bytes: u64) -> Self {
        let mib = max_bytes >> 20;
        Self::NoRoom(format!(
            "{authority} sent more than there is room for on this disk ({mib} MiB). Free some space, or deploy from a \
             smaller repository."
        ))
    }

    fn about(self, what: &str) -> Self {
        let sentence = format!("{what} {self}");
        match self {
            Self::Auth(_) => Self::Auth(sentence),
            Self::Unreachable(_) => Self::Unreachable(sentence),
            Self::RepositoryNotFound(_) => Self::RepositoryNotFound(sentence),
            Self::RefNotFound(_) => Self::RefNotFound(sentence),
            Self::CommitNotFound(_) | Self::Empty => Self::CommitNotFound(sentence),
            Self::Refused(_) => Self::Refused(sentence),
            Self::NoRoom(_) => Self::NoRoom(sentence),
            Self::Other(_) => Self::Other(sentence),
            Self::Cancelled | Self::NoSpace => self,
        }
    }

    /// What a failed conversation with a server means.
    pub(super) fn from_server(error: &git2::Error, url: &GitUrl, has_token: bool) -> Self {
        let (host, message) = (url.host(), error.message());
        if error.code() == ErrorCode::Auth {
            return Self::unauthorized(&host, has_token);
        }
        if let Some(status) = message.strip_prefix("unexpected http status code: ") {
            return Self::from_status(status, &host, has_token);
        }
        if message.starts_with("too many redirects") {
            return Self::Unreachable(format!("{host} redirects for ever. Check the repository's address."));
        }
        if message.starts_with("invalid content-type") {
            return Self::Unreachable(format!(
                "{host} answers, but not as a Git server does. Check that the address is the one for git clone."
            ));
        }
        match error.class() {
            ErrorClass::Net | ErrorClass::Http => Self::Unreachable(format!(
                "Fetching from {host} failed ({}). Try again later.",
                tidy(message, url)
            )),
            _ => Self::from(error),
        }
    }

    fn unauthorized(host: &str, has_token: bool) -> Self {
        Self::Auth(if has_token {
            format!(
                "Authentication failed: {host} does not accept the app's token. It may have expired, or may not read \
                 this repository. Store a new one on the app's source page."
            )
        } else {
            format!(
                "{host} asks for a password: the repository is private, or there is none at this address. Check the \
                 address, and store a token on the app's source page."
            )
        })
    }

    /// What an answer with that HTTP status means.
    pub(super) fn from_status(status: &str, host: &str, has_token: bool) -> Self {
        match status {
            "401" => Self::unauthorized(host, has_token),
            "403" => Self::Auth(format!(
                "{host} denies access to the repository (HTTP 403). Check the address, and that {} may read it.",
                if has_token { "the app's token" } else { "everybody" }
            )),
            "404" | "410" => Self::RepositoryNotFound(format!(
                "{host} has no repository at this address (HTTP {status}). Check its spelling, that it still exists, and \
                 that {} may read it.",
                if has_token { "the app's token" } else { "everybody" }
            )),
            "429" => Self::Unreachable(format!(
                "{host} wants fewer requests (HTTP 429). Try again in some minutes."
            )),
            _ => Self::Unreachable(format!("{host} answers with HTTP {status}. Try again later.")),
        }
    }
}

impl From<&git2::Error> for Error {
    fn from(error: &git2::Error) -> Self {
        match error.message() {
            message if message.contains("No space left on device") || message.contains("Disk quota") => Self::NoSpace,
            message => Self::Other(format!(
                "Git failed: {}.",
                single_line(message.as_bytes(), 300).trim_end_matches('.')
            )),
        }
    }
}

impl From<git2::Error> for Error {
    fn from(error: git2::Error) -> Self {
        Self::from(&error)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::NoSpace,
            _ => Self::Other(format!("A file could not be written: {error}.")),
        }
    }
}

/// libgit2's words in one line, naming the server and not the relay before it.
fn tidy(message: &str, url: &GitUrl) -> String {
    let line = single_line(message.as_bytes(), 300).replace("127.0.0.1", &url.host());
    line.trim_end_matches('.').to_owned()
}

/// Somebody else's text as one line: no control characters, at most so many characters.
pub(super) fn single_line(text: &[u8], max_chars: usize) -> String {
    String::from_utf8_lossy(text)
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .take(max_chars)
        .collect::<String>()
        .trim()
        .to_owned()
}
