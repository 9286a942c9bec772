//! What was done, by whom and from where; and which of it somebody wants to see.

use super::Invalid;
use super::time::Timestamp;

/// Something that was done.
#[derive(Debug, Clone)]
pub struct AuditRow {
    /// Row id; later rows have higher ones.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who, as `user:1`, `token:2`, `webhook:3` or `dhow`.
    pub actor: String,
    /// Whose rights counted, by the address to sign in with.
    pub email: Option<String>,
    /// From which address.
    pub address: Option<String>,
    /// What, as `app.create`.
    pub action: String,
    /// To what.
    pub object: String,
}

/// Which rows are wanted; what is left out is not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Whose rights counted: an e-mail address.
    pub user: Option<String>,
    /// What was done: `app.create`, or `app` for everything about apps.
    pub action: Option<String>,
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

impl AuditFilter {
    /// An action or the first part of one: small letters, digits, `_` and `.`.
    pub fn parse_action(text: &str) -> Result<String, Invalid> {
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.".contains(c);
        if text.is_empty() || text.len() > 60 || !text.chars().all(is_allowed) {
            return Err(Invalid::new(
                "Use an action such as app.create, or the first part of one.",
            ));
        }
        Ok(text.to_owned())
    }

    /// A day such as 2026-01-31 (its beginning in UTC), or a moment as in RFC 3339.
    pub fn parse_moment(text: &str) -> Result<Timestamp, Invalid> {
        let moment = Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}T00:00:00Z")));
        moment.ok_or_else(|| Invalid::new("Use a day such as 2026-01-31, or a moment such as 2026-01-31T12:00:00Z."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_one_word_of_the_audit() {
        for good in ["app", "app.create", "user.reset_password"] {
            assert_eq!(AuditFilter::parse_action(good).unwrap(), good);
        }
        for bad in ["", "App", "a%", "a b", "a'--"] {
            assert!(AuditFilter::parse_action(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_day_is_its_beginning() {
        let day = AuditFilter::parse_moment("2026-01-31").unwrap();
        assert_eq!(day, AuditFilter::parse_moment("2026-01-31T00:00:00Z").unwrap());
        assert!(AuditFilter::parse_moment("31.1.2026").is_err());
        assert!(AuditFilter::parse_moment("2026-02-30").is_err());
    }
}
