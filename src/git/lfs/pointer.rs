//! Pointers of Git LFS: the small files that a repository holds in place of large ones.
//!
//! A file that is not exactly one stays what it is, as with git-lfs; so does one of the rare repositories that send
//! their files through programs first (`ext-` lines), which nobody may run here.

/// Every pointer is shorter (git-lfs's own limit).
const MAX_BYTES: usize = 1024;
const VERSION: &str = "version https://git-lfs.github.com/spec/v1";

/// What a large file is known by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer {
    /// SHA-256 of its contents, as 64 hexadecimal digits in lower case.
    pub oid: String,
    /// How many bytes it has.
    pub size: u64,
}

impl Pointer {
    /// Reads the content of a file; `None` where it is no pointer.
    pub(in crate::git) fn parse(content: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(content)
            .ok()
            .filter(|text| text.len() < MAX_BYTES)?;
        let mut lines = text.lines();
        lines.next().filter(|line| *line == VERSION)?;
        let oid = lines.next()?.strip_prefix("oid sha256:")?;
        let size = lines.next()?.strip_prefix("size ")?;
        let is_digest = oid.len() == 64 && oid.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_whole = is_digest && lines.next().is_none();
        is_whole.then_some(Self {
            oid: oid.to_owned(),
            size: size.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_read_and_what_only_looks_like_one_is_not() {
        let oid = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
        let text = format!("{VERSION}\noid sha256:{oid}\nsize 12345\n");
        let pointer = Pointer::parse(text.as_bytes()).unwrap();
        assert_eq!((pointer.oid.as_str(), pointer.size), (oid, 12345));
        for other in [
            String::new(),
            text.replace("spec/v1", "spec/v9"),
            text.replace("4d7a", "4D7A"),
            text.replace("4d7a", ""),
            text.replace("4d7a", "../a"),
            text.replace("sha256", "md5"),
            text.replace("12345", "-1"),
            text.replace("12345", "99999999999999999999999"),
            format!("{text}more\n"),
            text.replace("oid", "ext-0-x sha256:00\noid"),
            format!("{text}{}", "\n".repeat(MAX_BYTES)),
        ] {
            assert_eq!(Pointer::parse(other.as_bytes()), None, "{other}");
        }
        assert_eq!(
            Pointer::parse(b"version https://git-lfs.github.com/spec/v1\n\xff"),
            None
        );
    }
}
