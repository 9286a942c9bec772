//! Which certificate authorities the owner of a name allows: CAA records (RFC 8659).
//!
//! Only what counts for a certificate by HTTP-01 of one host; `issuewild` is for wildcards, which get none by
//! themselves.

/// Properties that an authority understands, so that a critical one of them forbids nothing by itself (IANA, "CAA
/// Restriction Tags").
const KNOWN_TAGS: [&str; 7] = [
    "issue",
    "issuewild",
    "issuemail",
    "issuevmc",
    "iodef",
    "contactemail",
    "contactphone",
];

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaaRecord {
    /// Whether an authority that does not understand the tag must refuse.
    pub is_critical: bool,
    /// What the record is about.
    pub tag: String,
    /// What it says.
    pub value: String,
}

/// The restriction that holds for a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caa {
    /// The name that has the records: the host, or the nearest one above it that has any.
    pub name: String,
    /// Names of the authorities that may issue by HTTP-01; nobody may when empty.
    pub allowed: Vec<String>,
}

impl Caa {
    /// What the records of the nearest name that has any say; `None` where they restrict nothing.
    pub fn of(name: &str, records: &[CaaRecord]) -> Option<Self> {
        let is = |record: &CaaRecord, tag: &str| record.tag.eq_ignore_ascii_case(tag);
        let is_strange = |record: &CaaRecord| record.is_critical && !KNOWN_TAGS.iter().any(|tag| is(record, tag));
        let mut issue = records.iter().filter(|record| is(record, "issue")).peekable();
        let allowed = if records.iter().any(is_strange) {
            Vec::new()
        } else {
            issue.peek()?;
            let mut allowed: Vec<String> = issue.filter_map(|record| allowed_by(&record.value)).collect();
            allowed.sort_unstable();
            allowed.dedup();
            allowed
        };
        let name = name.to_owned();
        Some(Self { name, allowed })
    }

    /// Whether an authority must refuse.
    pub fn forbids(&self, authority: &str) -> bool {
        !self.allowed.iter().any(|allowed| allowed == authority)
    }
}

/// The authority that an `issue` record allows to issue by HTTP-01 (RFC 8659 §4.2; `validationmethods`: RFC 8657 §4).
fn allowed_by(value: &str) -> Option<String> {
    let mut parts = value.split(';').map(str::trim);
    let authority = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if authority.is_empty() || !authority.chars().all(is_name) {
        return None;
    }
    for parameter in parts.filter(|part| !part.is_empty()) {
        let (tag, value) = parameter.split_once('=')?;
        let mut methods = value.split(',').map(str::trim);
        if tag.trim().eq_ignore_ascii_case("validationmethods") && !methods.any(|method| method == "http-01") {
            return None;
        }
    }
    Some(authority)
}

#[cfg(test)]
mod tests {
    use super::{Caa, CaaRecord};

    fn records(written: &[(bool, &str, &str)]) -> Vec<CaaRecord> {
        let record = |&(is_critical, tag, value): &(bool, &str, &str)| CaaRecord {
            is_critical,
            tag: tag.to_owned(),
            value: value.to_owned(),
        };
        written.iter().map(record).collect()
    }

    #[test]
    fn only_those_who_are_named_may_issue() {
        let ours = "letsencrypt.org";
        for (written, allowed) in [
            (&[(false, "issue", ours)][..], &[ours][..]),
            (
                &[(false, "ISSUE", " LetsEncrypt.org ; accounturi=https://x/1")],
                &[ours],
            ),
            (&[(false, "issue", ";"), (false, "issue", ours)], &[ours]),
            (
                &[(false, "issue", ours), (false, "issue", "a.example")],
                &["a.example", ours],
            ),
            (&[(true, "issue", ours), (true, "iodef", "mailto:a@b.example")], &[ours]),
            (
                &[(false, "issue", "sectigo.com"), (false, "issuewild", ours)],
                &["sectigo.com"],
            ),
            (&[(false, "issue", ";")], &[]),
            (&[(false, "issue", "%%%%%")], &[]),
            (&[(false, "issue", "letsencrypt.org; nonsense")], &[]),
            (&[(false, "issue", "letsencrypt.org;validationmethods=dns-01")], &[]),
            (
                &[(false, "issue", "letsencrypt.org; validationmethods=dns-01,http-01")],
                &[ours],
            ),
            (&[(false, "issue", ours), (true, "tbs", "unknown")], &[]),
        ] {
            let caa = Caa::of("example.com", &records(written)).expect("a restriction");
            assert_eq!(caa.allowed, allowed, "{written:?}");
            assert_eq!(caa.forbids(ours), !allowed.contains(&ours), "{written:?}");
        }
        for written in [
            &[][..],
            &[(false, "issuewild", ";")],
            &[(false, "iodef", "mailto:a@b.example")],
            &[(false, "tbs", "unknown")],
        ] {
            assert_eq!(Caa::of("example.com", &records(written)), None, "{written:?}");
        }
    }
}
