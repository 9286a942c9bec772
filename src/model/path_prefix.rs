//! The path below which a domain is an app's: one spelling for the same path, whole segments only.
//!
//! Refuses what the proxy would rewrite or read differently (dot segments, doubled slashes, control characters,
//! quotes). Invariant: ASCII, starts with `/`, no slash at the end except for the root itself.

use super::Invalid;
use std::fmt;

const ALLOWED: &str = "Write a path such as /blog: letters, digits and - . _ ~, other characters percent-encoded";
const MAX_BYTES: usize = 200;

/// A path prefix in its normal form (RFC 3986, 6.2.2): unreserved characters as they are, everything else as
/// percent-encodings in upper case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct PathPrefix(String);

impl PathPrefix {
    /// The prefix of every path, `/`.
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// Reads a user's text; an empty one is the root. The refusal names what is allowed.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let Some(path) = text.strip_prefix('/') else {
            return if text.is_empty() {
                Ok(Self::root())
            } else {
                Err(Invalid::new(format!("The path must start with /. {ALLOWED}.")))
            };
        };
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() && text.len() <= 1 {
            return Ok(Self::root());
        }
        let mut prefix = String::new();
        for segment in path.split('/') {
            prefix.push('/');
            prefix.push_str(&normal_segment(segment)?);
        }
        if prefix.len() > MAX_BYTES {
            return Err(Invalid::new(format!(
                "The path is too long: up to {MAX_BYTES} bytes are possible."
            )));
        }
        Ok(Self(prefix))
    }

    /// The prefix as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the prefix of every path.
    pub fn is_root(&self) -> bool {
        self.0 == "/"
    }

    /// The prefix in the spelling in which Traefik compares paths: everything decoded but the percent sign and the
    /// characters that RFC 3986 reserves (Traefik docs, "Rules & Priority"; the encoded slash tried with 3.7).
    pub fn decoded(&self) -> String {
        let mut bytes = Vec::with_capacity(self.0.len());
        let mut rest = self.0.as_bytes();
        while let Some((&first, tail)) = rest.split_first() {
            let escape = if first == b'%' { tail.split_at_checked(2) } else { None };
            match escape.and_then(|(digits, after)| Some((hex_byte(digits)?, after))) {
                Some((byte, after)) if !stays_encoded(byte) => {
                    bytes.push(byte);
                    rest = after;
                }
                _ => {
                    bytes.push(first);
                    rest = tail;
                }
            }
        }
        String::from_utf8(bytes).expect("parse refuses encodings that are not UTF-8")
    }
}

impl Default for PathPrefix {
    fn default() -> Self {
        Self::root()
    }
}

impl fmt::Display for PathPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One segment in its normal form.
fn normal_segment(segment: &str) -> Result<String, Invalid> {
    let bytes = decode(segment)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        Invalid::new(format!(
            "The path holds a percent-encoding that is not UTF-8. {ALLOWED}."
        ))
    })?;
    if text.is_empty() || text == "." || text == ".." {
        return Err(Invalid::new(format!(
            "The path may hold neither //, nor the segments . and ... {ALLOWED}."
        )));
    }
    if let Some(character) = text
        .chars()
        .find(|&c| c.is_control() || "\"\\`<>^{|}\u{2028}\u{2029}\u{feff}".contains(c))
    {
        return Err(Invalid::new(format!(
            "The path may not hold the character {character:?}. {ALLOWED}."
        )));
    }
    let mut normal = String::with_capacity(segment.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            normal.push(char::from(byte));
        } else {
            normal.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(normal)
}

/// The bytes that a segment stands for; only unreserved characters and percent-encodings may stand in it.
fn decode(segment: &str) -> Result<Vec<u8>, Invalid> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment;
    while let Some(character) = rest.chars().next() {
        let tail = &rest[character.len_utf8()..];
        rest = match character {
            '%' => {
                let byte = tail.as_bytes().get(..2).and_then(hex_byte).ok_or_else(|| {
                    Invalid::new(format!(
                        "A % in the path must be followed by two hexadecimal digits. {ALLOWED}."
                    ))
                })?;
                bytes.push(byte);
                &tail[2..]
            }
            _ if character.is_ascii_alphanumeric() || "-._~".contains(character) => {
                bytes.push(character as u8);
                tail
            }
            _ => {
                return Err(Invalid::new(format!(
                    "The path may not hold {character:?} as it is. {ALLOWED}."
                )));
            }
        };
    }
    Ok(bytes)
}

/// Two hexadecimal digits as a byte.
fn hex_byte(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    if !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u8::from_str_radix(text, 16).ok()
}

/// RFC 3986's reserved characters, and the percent sign.
fn stays_encoded(byte: u8) -> bool {
    b"%:/?#[]@!$&'()*+,;=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::PathPrefix;
    use proptest::prelude::*;

    #[test]
    fn a_path_has_one_spelling() {
        let table = [
            ("", "/"),
            ("/", "/"),
            ("  /blog ", "/blog"),
            ("/blog/", "/blog"),
            ("/Blog/En_1.x~", "/Blog/En_1.x~"),
            ("/%62log", "/blog"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/a%20b", "/a%20b"),
            ("/a%2fb", "/a%2Fb"),
            ("/...", "/..."),
        ];
        for (text, path) in table {
            assert_eq!(
                PathPrefix::parse(text).map(|path| path.to_string()),
                Ok(path.to_owned()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_a_proxy_would_read_differently_is_refused() {
        for text in [
            "blog",
            "//",
            "//blog",
            "/blog//",
            "/a//b",
            "/..",
            "/a/../b",
            "/.",
            "/a/./b",
            "/%2e%2E/a",
            "/a%2",
            "/a%zz",
            "/a%+1",
            "/%00",
            "/%0a",
            "/%7f",
            "/%60",
            "/%22",
            "/%5c",
            "/%7B%7B",
            "/%ff",
            "/%c2%85",
            "/%e2%80%a8",
            "/a b",
            "/a`b",
            "/a?b",
            "/a#b",
            "/a;b",
            "/a:b",
            "/{{",
            "/café",
            "/a\"b",
            "/a\\b",
            "/a*",
        ] {
            let refusal = PathPrefix::parse(text).expect_err(text).to_string();
            assert!(refusal.contains("/blog"), "{text:?}: {refusal}");
        }
        assert!(PathPrefix::parse(&format!("/{}", "a".repeat(199))).is_ok());
        assert!(PathPrefix::parse(&format!("/{}", "a".repeat(200))).is_err());
    }

    #[test]
    fn traefik_compares_decoded_paths_with_reserved_characters_left_encoded() {
        for (text, decoded) in [
            ("/", "/"),
            ("/a%20b", "/a b"),
            ("/caf%C3%A9", "/café"),
            ("/a%2Fb%25%40", "/a%2Fb%25%40"),
        ] {
            assert_eq!(PathPrefix::parse(text).expect("a path").decoded(), decoded);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_stable_and_safe_in_a_rule(text in "/(\\PC{0,20}|([a-z./-]|%[0-9a-fA-F]{2}){0,30})") {
            if let Ok(path) = PathPrefix::parse(&text) {
                let is_unsafe = path.decoded().contains(['`', '"', '\\', '{', '\n']);
                prop_assert!(!is_unsafe);
                prop_assert!(path.is_root() || !path.as_str().ends_with('/'));
                prop_assert_eq!(PathPrefix::parse(path.as_str()), Ok(path));
            }
        }
    }
}
