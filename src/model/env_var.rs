//! Variables of an app's environment.

use std::fmt;

use super::Invalid;
use super::ids::{AppId, ProjectId};
use super::words::words;

/// A variable's name: `[A-Za-z_][A-Za-z0-9_]*` (POSIX.1 §8.1), 255 bytes at most.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvKey(String);

/// What Dhow itself gives every instance: name, and what it holds.
pub const RESERVED: [(&str, &str); 5] = [
    (RESERVED_KEY, "the port that the app has to listen on"),
    ("DHOW_APP", "the app's name in addresses"),
    ("DHOW_PROJECT", "the project's name in addresses"),
    ("DHOW_COMMIT", "the full id of the commit that runs"),
    ("DHOW_URL", "where the app is served"),
];

/// A name that Dhow sets itself.
const RESERVED_KEY: &str = "PORT";
/// Names that begin so are Dhow's own.
const RESERVED_PREFIX: &str = "DHOW_";

impl EnvKey {
    /// Accepts a name that obeys the rule and is not Dhow's own.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
        let is_shaped =
            text.starts_with(is_first) && text.chars().all(|c| is_first(c) || c.is_ascii_digit()) && text.len() <= 255;
        if !is_shaped {
            return Err(Invalid::new(
                "Use letters, digits and _, not beginning with a digit, 255 characters at most.",
            ));
        }
        if Self::is_reserved(text) {
            return Err(Invalid::new(
                "PORT and names beginning with DHOW_ are set by Dhow itself.",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether a name is Dhow's own.
    pub fn is_reserved(text: &str) -> bool {
        text == RESERVED_KEY || text.starts_with(RESERVED_PREFIX)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the sealed value of this variable is bound to, so that it opens nowhere else.
    pub fn seal_identity(&self, app: AppId) -> String {
        format!("env:{app}:{self}")
    }
}

/// Whose variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvOwner {
    /// An app's own.
    App(AppId),
    /// Those that a project shares with its apps.
    Project(ProjectId),
}

impl EnvOwner {
    /// What a sealed value of this owner is bound to.
    pub fn seal_identity(self, key: &EnvKey) -> String {
        match self {
            Self::App(app) => key.seal_identity(app),
            Self::Project(project) => format!("project-env:{project}:{key}"),
        }
    }

    /// Most bytes that all variables of the owner may have, each with its name, `=` and the NUL at its end. Linux starts
    /// no program whose environment and arguments together exceed a quarter of its stack limit (`execve(2)`): 2 MiB with
    /// the 8 MiB that containers have; 2,000 KiB worked on Docker 20.10, 2,100 KiB did not. What is left is for the image's
    /// own variables and the arguments.
    pub const fn max_bytes(self) -> usize {
        match self {
            Self::App(_) => 1024 * 1024,
            Self::Project(_) => 512 * 1024,
        }
    }
}

impl fmt::Display for EnvKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A variable's value, byte for byte what the container gets; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct EnvValue(String);

impl EnvValue {
    /// Longest value in bytes: one string of the environment may have 128 KiB with its name, `=` and the NUL at its end
    /// (Linux, `MAX_ARG_STRLEN`; tried: 131,071 bytes without the NUL start, 131,072 do not), and a name has 255 at most.
    pub const MAX_BYTES: usize = 128 * 1024 - 257;

    /// Accepts any text without NUL up to the limit.
    pub fn parse(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = text.into();
        if text.contains('\0') {
            return Err(Invalid::new("Leave out the NUL character; no variable can hold one."));
        }
        if text.len() > Self::MAX_BYTES {
            return Err(Invalid::new(format!(
                "It has {} bytes; the system starts no program with more than {} in one variable.",
                text.len(),
                Self::MAX_BYTES
            )));
        }
        Ok(Self(text))
    }

    /// The value as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EnvValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvValue(…)")
    }
}

words! {
    /// When a variable is seen.
    EnvScope {
        /// By instances.
        Run = "run",
        /// By builds: as a build argument, or when secret as a build secret.
        Build = "build",
        /// By both.
        Both = "both",
    }
}

impl EnvScope {
    /// Whether instances see it.
    pub const fn is_run(self) -> bool {
        matches!(self, Self::Run | Self::Both)
    }

    /// Whether builds see it.
    pub const fn is_build(self) -> bool {
        matches!(self, Self::Build | Self::Both)
    }
}

/// A variable with its value in the clear; lives only as long as it is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvVar {
    /// Its name.
    pub key: EnvKey,
    /// Its value.
    pub value: EnvValue,
    /// Whether the value is never shown again.
    pub is_secret: bool,
    /// When it is seen.
    pub scope: EnvScope,
}

/// A variable as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedEnvVar {
    /// Its name.
    pub key: EnvKey,
    /// Its value, sealed under its owner and its own name.
    pub sealed: Vec<u8>,
    /// Whether the value is never shown again.
    pub is_secret: bool,
    /// When it is seen.
    pub scope: EnvScope,
}

/// Which variables a change adds, changes and removes, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvChanges {
    /// There only afterwards.
    pub added: Vec<String>,
    /// With another value, use or secrecy.
    pub changed: Vec<String>,
    /// There only before.
    pub removed: Vec<String>,
}

impl EnvChanges {
    /// Compares what is stored with what is to be; a value that stays keeps its sealed bytes.
    pub fn between(before: &[SealedEnvVar], after: &[SealedEnvVar]) -> Self {
        let find = |vars: &'_ [SealedEnvVar], key: &EnvKey| vars.iter().position(|var| var.key == *key);
        let mut changes = Self::default();
        for var in after {
            match find(before, &var.key) {
                None => changes.added.push(var.key.to_string()),
                Some(place) if before[place] != *var => changes.changed.push(var.key.to_string()),
                Some(_) => {}
            }
        }
        let gone = before.iter().filter(|var| find(after, &var.key).is_none());
        changes.removed = gone.map(|var| var.key.to_string()).collect();
        changes
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

impl fmt::Display for EnvChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("added", &self.added),
            ("changed", &self.changed),
            ("removed", &self.removed),
        ];
        let parts = parts.iter().filter(|(_, keys)| !keys.is_empty());
        let parts: Vec<String> = parts.map(|(word, keys)| format!("{word} {}", keys.join(" "))).collect();
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests;
