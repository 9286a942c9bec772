//! Variables of an app's environment.

use std::fmt;

use super::Invalid;
use super::ids::AppId;
use super::words::words;

/// A variable's name: `[A-Za-z_][A-Za-z0-9_]*` (POSIX.1 §8.1), 255 bytes at most.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvKey(String);

/// Names that Dhow sets itself.
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
        if text == RESERVED_KEY || text.starts_with(RESERVED_PREFIX) {
            return Err(Invalid::new(
                "PORT and names beginning with DHOW_ are set by Dhow itself.",
            ));
        }
        Ok(Self(text.to_owned()))
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

impl fmt::Display for EnvKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A variable's value, byte for byte what the container gets; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct EnvValue(String);

impl EnvValue {
    /// Longest value in bytes: one string of the environment may have 128 KiB with its name (Linux, `MAX_ARG_STRLEN`).
    pub const MAX_BYTES: usize = 128 * 1024 - 257;

    /// Accepts any text without NUL up to the limit.
    pub fn parse(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = text.into();
        if text.contains('\0') || text.len() > Self::MAX_BYTES {
            return Err(Invalid::new(
                "Use at most 127 KiB of text without NUL characters; the system allows no more.",
            ));
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
#[derive(Debug, Clone)]
pub struct SealedEnvVar {
    /// Its name.
    pub key: EnvKey,
    /// Its value, sealed under the app's and its own name.
    pub sealed: Vec<u8>,
    /// Whether the value is never shown again.
    pub is_secret: bool,
    /// When it is seen.
    pub scope: EnvScope,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_posix_name_that_dhow_does_not_use() {
        for good in ["A", "_x", "DATABASE_URL", "a1"] {
            assert!(EnvKey::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "1A",
            "A-B",
            "A B",
            "A=B",
            "É",
            "PORT",
            "DHOW_APP",
            "A\n",
            "\u{feff}A",
            "$(id)",
        ] {
            assert!(EnvKey::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_value_keeps_every_byte_and_is_not_printed() {
        let value = EnvValue::parse("pa$$ \"x\" \n # y").unwrap();
        assert_eq!(value.as_str(), "pa$$ \"x\" \n # y");
        assert!(!format!("{value:?}").contains("pa"));
        assert!(EnvValue::parse("a\0b").is_err());
    }
}
