//! Why a registry did not give an image, told apart by the engine's words: it passes on what registries say in their
//! own, and answers most of it with HTTP 500.

use std::time::Duration;

use bollard::errors::Error as BollardError;

use super::repository;
use crate::docker::Error;
use crate::docker::error::is_disk_full;

/// Why an image could not be had from its registry. Every text is a sentence for people.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RegistryError {
    /// The registry has no such repository or tag.
    #[error("{0}")]
    NotFound(String),
    /// The registry wants a password, or refuses the one that it was given.
    #[error("{0}")]
    Denied(String),
    /// The registry could not be reached, or did not go on.
    #[error("{0}")]
    Unreachable(String),
    /// The registry wants fewer requests for now.
    #[error("{0}")]
    TooOften(String),
    /// It has the image for other platforms alone.
    #[error("{0}")]
    WrongPlatform(String),
    /// Another refusal, in its own words.
    #[error("{0}")]
    Refused(String),
    /// The engine, not the registry, is the trouble.
    #[error(transparent)]
    Engine(#[from] Error),
}

/// What registries and the engine say, in small letters, by what it means; the first that fits counts.
const UNREACHABLE: [&str; 12] = [
    "dial tcp",
    "no such host",
    "connection refused",
    "connection reset",
    "network is unreachable",
    "timeout",
    "deadline exceeded",
    "eof",
    "x509",
    "tls:",
    "http response to https client",
    "service unavailable",
];
const TOO_OFTEN: [&str; 2] = ["toomanyrequests", "too many requests"];
const WRONG_PLATFORM: [&str; 3] = ["no matching manifest", "no match for platform", "specified platform"];
const DENIED: [&str; 7] = [
    "unauthorized",
    "authentication required",
    "no basic auth credentials",
    "denied",
    "forbidden",
    "insufficient_scope",
    "incorrect username or password",
];
const NOT_FOUND: [&str; 4] = ["manifest unknown", "not found", "name unknown", "not known to registry"];

impl RegistryError {
    /// What an error of the engine says of the registry; the error itself when it says nothing of it.
    pub(super) fn of(error: BollardError, reference: &str, has_login: bool) -> Result<Self, BollardError> {
        match error {
            BollardError::DockerResponseServerError { ref message, .. }
            | BollardError::DockerStreamError { error: ref message }
                if !is_disk_full(message) =>
            {
                Ok(Self::sort(message, reference, has_login))
            }
            error => Err(error),
        }
    }

    /// Nothing came for so long.
    pub(super) fn silent(reference: &str, waited: Duration) -> Self {
        Self::Unreachable(format!(
            "The registry of {reference} did not answer within {} s. Check the image's name, or try again later.",
            waited.as_secs()
        ))
    }

    fn sort(message: &str, reference: &str, has_login: bool) -> Self {
        // An image may be called anything, `denied` for one.
        let name = repository(reference);
        let path = name.split_once('/').map_or(name, |(_, path)| path);
        let own = [reference.to_owned(), format!("/v2/{path}/"), format!("for {path},")];
        let said = own
            .iter()
            .fold(message.to_owned(), |said, own| said.replace(own.as_str(), ""));
        let said = said.to_lowercase();
        let says = |texts: &[&str]| texts.iter().any(|text| said.contains(text));
        let words = message.trim_end_matches('.');
        if says(&TOO_OFTEN) {
            return Self::TooOften(format!(
                "The registry of {reference} answers no more requests for now. Wait, or store a user name and a password \
                 for it on the app's source page, which most registries allow more. ({words})"
            ));
        }
        if says(&WRONG_PLATFORM) {
            return Self::WrongPlatform(format!(
                "{reference} is not made for this server's kind of processor. Choose an image that is. ({words})"
            ));
        }
        // A server that asks who is there was reached, whatever else its answer says.
        if says(&DENIED) {
            return Self::Denied(denied(reference, has_login));
        }
        if says(&UNREACHABLE) {
            return Self::Unreachable(format!(
                "The registry of {reference} cannot be reached: {words}. Check the image's name, or try again later."
            ));
        }
        if says(&NOT_FOUND) {
            return Self::NotFound(format!(
                "The registry has no {reference}. Check the name and the tag; perhaps it was never pushed, or was removed."
            ));
        }
        Self::Refused(format!("The registry did not give {reference}: {words}."))
    }
}

fn denied(reference: &str, has_login: bool) -> String {
    if has_login {
        return format!(
            "The registry refused the user name and the password for {reference}. Store the right ones on the app's \
             source page, and see that they may read this image."
        );
    }
    format!(
        "The registry shows {reference} to nobody without a password, or has no such image. Store a user name and a \
         password on the app's source page, or check the name."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(message: &str) -> RegistryError {
        let error = BollardError::DockerResponseServerError {
            status_code: 500,
            message: message.to_owned(),
        };
        RegistryError::of(error, "127.0.0.1:5000/team/app:1", false).unwrap()
    }

    /// The words are those of Docker 20.10 and of 29 with containerd.
    #[test]
    fn the_engines_words_are_told_apart() {
        for words in [
            "manifest for 127.0.0.1:5000/team/app:1 not found: manifest unknown: manifest unknown",
            "failed to resolve reference \"127.0.0.1:5000/team/app:1\": 127.0.0.1:5000/team/app:1: not found",
        ] {
            assert!(matches!(sorted(words), RegistryError::NotFound(_)), "{words}");
        }
        for words in [
            "Head \"http://127.0.0.1:5000/v2/team/app/manifests/1\": no basic auth credentials",
            "unauthorized: authentication required",
            "pull access denied for team/app, repository does not exist or may require 'docker login': denied: requested \
             access to the resource is denied",
        ] {
            assert!(matches!(sorted(words), RegistryError::Denied(_)), "{words}");
        }
        for words in [
            "Get \"http://127.0.0.1:5000/v2/\": dial tcp 127.0.0.1:5000: connect: connection refused",
            "Get \"https://no.such.host.invalid/v2/\": dial tcp: lookup no.such.host.invalid: no such host",
            "Get \"https://127.0.0.1:5000/v2/\": http: server gave HTTP response to HTTPS client",
            "Get \"https://127.0.0.1:5000/v2/\": x509: certificate signed by unknown authority",
        ] {
            assert!(matches!(sorted(words), RegistryError::Unreachable(_)), "{words}");
        }
        let words = "no matching manifest for linux/amd64 in the manifest list entries";
        assert!(matches!(sorted(words), RegistryError::WrongPlatform(_)));
        let words = "toomanyrequests: You have reached your pull rate limit";
        assert!(matches!(sorted(words), RegistryError::TooOften(_)));
        assert!(matches!(sorted("something else"), RegistryError::Refused(_)));
    }

    #[test]
    fn an_images_own_name_says_nothing() {
        let error = BollardError::DockerStreamError {
            error: "manifest for example.com/denied/timeout:1 not found: manifest unknown".to_owned(),
        };
        let sorted = RegistryError::of(error, "example.com/denied/timeout:1", true).unwrap();
        assert!(matches!(sorted, RegistryError::NotFound(_)), "{sorted:?}");
    }

    #[test]
    fn a_full_disk_is_the_engines_own_trouble() {
        let error = BollardError::DockerStreamError {
            error: "failed to register layer: write /x: no space left on device".to_owned(),
        };
        assert!(RegistryError::of(error, "nginx:1", false).is_err());
    }
}
