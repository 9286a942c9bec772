//! A reference to an image in a registry, as users write it.

use std::fmt;

use crate::model::Invalid;

/// Registry, name, and tag or digest of an image, such as `ghcr.io/acme/web:1.4` (Distribution specification,
/// "Pulling manifests"; the short forms are those of `docker pull`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRef {
    text: String,
    /// Bytes of the registry's host and port at its beginning, 0 where it names none.
    registry: usize,
}

impl ImageRef {
    /// What the registry is called that the engine asks for a name without one.
    pub const DEFAULT_REGISTRY: &'static str = "Docker Hub";
    /// Longest name, registry included (the crate of references that the engine uses has the same limit).
    const MAX_BYTES: usize = 255;

    /// Accepts what `docker pull` takes, and a reference of at most 255 bytes before its digest.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        refuse_what_is_none(text)?;
        let (named, digest) = match text.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (text, None),
        };
        if named.len() > Self::MAX_BYTES {
            return Err(Invalid::new("An image's name has at most 255 characters."));
        }
        let registry = registry_of(named)?.map_or(0, str::len);
        let rest = if registry == 0 { named } else { &named[registry + 1..] };
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (rest, None),
        };
        check_path(path)?;
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(Invalid::new(
                "A tag follows one colon and is made of letters, digits, “.”, “_” and “-”, at most 128 of them.",
            ));
        }
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err(Invalid::new(
                "A digest is sha256: with 64 of the digits 0 to 9 and a to f.",
            ));
        }
        Ok(Self {
            text: text.to_owned(),
            registry,
        })
    }

    /// The reference as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host and port of the registry, as `ghcr.io` or `localhost:5000`; `None` where the engine asks its own default.
    pub fn registry(&self) -> Option<&str> {
        Some(&self.text[..self.registry]).filter(|registry| !registry.is_empty())
    }

    /// What the registry is called; a login is bound to it.
    pub fn registry_name(&self) -> &str {
        self.registry().unwrap_or(Self::DEFAULT_REGISTRY)
    }

    /// The name as the engine lists it, which leaves its own default registry out, by either name (distribution/reference,
    /// "familiar name").
    pub fn familiar(&self) -> &str {
        let text = self.as_str();
        let registries = ["docker.io/", "index.docker.io/"];
        let name = registries.into_iter().find_map(|registry| text.strip_prefix(registry));
        let name = name.unwrap_or(text);
        name.strip_prefix("library/").unwrap_or(name)
    }

    /// The digest, if it names its content by one.
    pub fn digest(&self) -> Option<&str> {
        Some(self.text.split_once('@')?.1)
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A ready image as it was deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PulledImage {
    /// What was asked for, as `nginx:1.28`.
    pub name: String,
    /// What that stood for (`sha256:…`); `None` for an image that no registry knows.
    pub digest: Option<String>,
}

impl PulledImage {
    /// The beginning of its digest, as people compare it; empty where there is none.
    pub fn short(&self) -> &str {
        let digest = self.digest.as_deref().unwrap_or_default();
        let digits = digest.split_once(':').map_or(digest, |(_, digits)| digits);
        digits.get(..12).unwrap_or(digits)
    }
}

/// The mistakes that are likelier than a bad name.
fn refuse_what_is_none(text: &str) -> Result<(), Invalid> {
    if text.is_empty() {
        return Err(Invalid::new(
            "Type an image's name, such as nginx:1.28 or registry.example.com/acme/web:1.4.",
        ));
    }
    if text.contains("://") {
        return Err(Invalid::new(
            "Leave https:// out: an image's name begins with its registry's.",
        ));
    }
    Ok(())
}

/// The registry that a name begins with. As for `docker pull`, a first part is one only by its dot, port or being
/// `localhost`.
fn registry_of(named: &str) -> Result<Option<&str>, Invalid> {
    let Some((first, _)) = named.split_once('/') else {
        return Ok(None);
    };
    let is_registry = first == "localhost" || first.contains(['.', ':']);
    if !is_registry {
        return Ok(None);
    }
    let (host, port) = match first.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (first, None),
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    if !host.split('.').all(is_label) {
        return Err(Invalid::new(
            "The name's first part is no registry: use a host such as registry.example.com, or leave it out.",
        ));
    }
    let is_port =
        |port: &str| port.chars().all(|c| c.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|number| number > 0);
    if port.is_some_and(|port| !is_port(port)) {
        return Err(Invalid::new("The registry's port is a number from 1 to 65535."));
    }
    Ok(Some(first))
}

fn check_path(path: &str) -> Result<(), Invalid> {
    if path.chars().any(|c| c.is_ascii_uppercase()) {
        return Err(Invalid::new(
            "An image's name has no capital letters; only its tag may have some.",
        ));
    }
    let is_hexadecimal = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if path.len() == 64 && path.chars().all(is_hexadecimal) {
        return Err(Invalid::new(
            "That is an image's id; use the name that its registry has it under.",
        ));
    }
    if !path.split('/').all(is_path_part) {
        return Err(Invalid::new(
            "Use an image's name, such as nginx:1.28 or registry.example.com/acme/web:1.4: small letters and digits, with \
             “.”, “_” or “-” between them.",
        ));
    }
    Ok(())
}

/// Letters and digits, with one dot, one or two low lines, or any number of hyphens between them (Docker's grammar of
/// references).
fn is_path_part(part: &str) -> bool {
    let is_alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let has_good_ends = part.starts_with(is_alphanumeric) && part.ends_with(is_alphanumeric);
    let separators = part.split(is_alphanumeric);
    has_good_ends
        && separators
            .filter(|separator| !separator.is_empty())
            .all(|separator| matches!(separator, "." | "_" | "__") || separator.chars().all(|c| c == '-'))
}

fn is_tag(tag: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.starts_with(is_word) && tag.len() <= 128 && tag.chars().all(|c| is_word(c) || c == '.' || c == '-')
}

fn is_digest(digest: &str) -> bool {
    let is_hexadecimal = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    digest
        .strip_prefix("sha256:")
        .is_some_and(|digits| digits.len() == 64 && digits.chars().all(is_hexadecimal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_familiar_name_leaves_the_default_registry_out() {
        for (written, familiar) in [
            ("dhow/web:7-8eacc3", "dhow/web:7-8eacc3"),
            ("docker.io/dhow/web:7-8eacc3", "dhow/web:7-8eacc3"),
            ("index.docker.io/dhow/web:7-8eacc3", "dhow/web:7-8eacc3"),
            ("docker.io/library/nginx:1", "nginx:1"),
            ("ghcr.io/library/nginx:1", "ghcr.io/library/nginx:1"),
        ] {
            assert_eq!(ImageRef::parse(written).unwrap().familiar(), familiar);
        }
    }

    #[test]
    fn what_docker_pull_takes_is_taken_apart() {
        let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
        let by_digest = format!("ghcr.io/acme/web@{digest}");
        let by_both = format!("acme/web:1@{digest}");
        for (text, registry, digest) in [
            ("nginx", None, None),
            ("nginx:1.28-Alpine_x", None, None),
            ("acme/web", None, None),
            ("localhost/web", Some("localhost"), None),
            ("localhost:5000/web:2", Some("localhost:5000"), None),
            ("127.0.0.1:5000/a/b/c", Some("127.0.0.1:5000"), None),
            (
                "Registry.example.com/a_b/c__d/e--f.g",
                Some("Registry.example.com"),
                None,
            ),
            (&by_digest, Some("ghcr.io"), Some(digest.as_str())),
            (&by_both, None, Some(digest.as_str())),
        ] {
            let image = ImageRef::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!((image.registry(), image.digest()), (registry, digest), "{text}");
            assert_eq!(image.as_str(), text);
        }
        assert_eq!(ImageRef::parse(" nginx \n").unwrap().as_str(), "nginx");
    }

    #[test]
    fn what_could_be_something_else_is_refused() {
        let long = "a".repeat(300);
        let id = "a1".repeat(32);
        let wrong_digest = format!("x@sha512:{}", "a".repeat(64));
        for text in [
            "",
            "--help",
            "a b",
            "a\nb",
            "../x",
            "x/../y",
            "x//y",
            "/x",
            "x/",
            "UPPER",
            "x:tag:tag",
            "x:",
            "x:-tag",
            "x@",
            "x@sha256:short",
            "x@sha256:",
            "localhost:70000/x",
            "localhost:0/x",
            "localhost:+1/x",
            "localhost:/x",
            "-a.example/x",
            "a..b/x",
            "x..y",
            "x___y",
            "x-",
            "https://ghcr.io/x",
            "x?y=z",
            "x%2fy",
            "x#y",
            "ünicode",
            "[::1]:5000/x",
            "x@y@z",
            &long,
            &id,
            &wrong_digest,
        ] {
            let refused = ImageRef::parse(text);
            assert!(refused.is_err(), "{text:?}: {refused:?}");
            assert!(refused.unwrap_err().0.ends_with('.'), "{text:?}: a sentence");
        }
    }

    #[test]
    fn a_digest_is_shortened_as_docker_shortens_it() {
        let mut image = PulledImage {
            name: "nginx:1".to_owned(),
            digest: Some(format!("sha256:{}", "0123456789abcdef".repeat(4))),
        };
        assert_eq!(image.short(), "0123456789ab");
        image.digest = None;
        assert_eq!(image.short(), "");
    }
}
