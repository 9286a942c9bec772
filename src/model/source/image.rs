//! A reference to an image in a registry, as users write it.

use std::fmt;

use crate::model::Invalid;

/// Registry, name, and tag or digest of an image, such as `ghcr.io/acme/web:1.4` (Distribution specification,
/// "Pulling manifests"; the short forms are those of `docker pull`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRef(String);

impl ImageRef {
    /// Accepts a reference of at most 255 bytes.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
        let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !starts_well || text.len() > 255 || !text.chars().all(is_allowed) {
            return Err(Invalid::new(
                "Use an image's name, such as nginx:1.28 or registry.example.com/acme/web:1.4.",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The reference as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
