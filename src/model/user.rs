//! Who uses Dhow: people, their roles, the tokens that act for them.

use std::fmt;

use super::Invalid;
use super::ids::{TokenId, UserId};
use super::time::Timestamp;
use super::words::words;

/// An e-mail address as the name to sign in with, lower-cased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Accepts `local@domain` with the characters of HTML's own e-mail input, 254 bytes at most (RFC 5321 §4.5.3.1).
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let email = text.trim().to_lowercase();
        let is_local = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
        let is_domain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        let is_valid = email.len() <= 254
            && email.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty()
                    && local.len() <= 64
                    && local.chars().all(is_local)
                    && !local.starts_with('-')
                    && domain
                        .split('.')
                        .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
                    && domain.chars().all(is_domain)
            });
        if is_valid {
            Ok(Self(email))
        } else {
            Err(Invalid::new("Use an e-mail address such as ann@example.com."))
        }
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A password as typed; never printed.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Accepts 10 to 200 characters of any kind (NIST SP 800-63B §5.1.1.2 asks for at least 8 and no composition rules).
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text.chars().count() {
            10..=200 => Ok(Self(text.to_owned())),
            _ => Err(Invalid::new(
                "Use 10 to 200 characters; a few random words are easy to remember.",
            )),
        }
    }

    /// A password to be checked, whatever it is.
    pub fn typed(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The bytes to hash.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

words! {
    /// What a user may do in the whole instance.
    Role {
        /// Everything; at least one exists.
        Owner = "owner",
        /// Everything but owners.
        Admin = "admin",
        /// Only the projects that they belong to.
        Member = "member",
    }
}

words! {
    /// What a token may do on behalf of its user, each including the one before.
    Scope {
        /// Look.
        Read = "read",
        /// Look, and deploy what exists.
        Deploy = "deploy",
        /// Whatever the user may.
        Admin = "admin",
    }
}

/// A person who can sign in.
#[derive(Debug, Clone)]
pub struct User {
    /// Row id.
    pub id: UserId,
    /// The name to sign in with.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// When the row was made.
    pub created_at: Timestamp,
}

/// Who acts.
#[derive(Debug, Clone)]
pub enum Actor {
    /// A person with a session.
    User(User),
    /// A program with a token of that person.
    Token {
        /// The token's row.
        id: TokenId,
        /// What it may do.
        scope: Scope,
        /// Whose it is.
        user: User,
    },
    /// Dhow's own command line or Dhow itself.
    Dhow,
}

impl Actor {
    /// Whose rights count, if a person stands behind it.
    pub fn user(&self) -> Option<&User> {
        match self {
            Self::User(user) | Self::Token { user, .. } => Some(user),
            Self::Dhow => None,
        }
    }

    fn has_scope(&self, needed: Scope) -> bool {
        match self {
            Self::Token { scope, .. } => *scope >= needed,
            Self::User(_) | Self::Dhow => true,
        }
    }

    fn is_administrator(&self) -> bool {
        self.user().is_none_or(|user| user.role <= Role::Admin)
    }

    /// May see projects and what is in them.
    pub fn may_read(&self) -> bool {
        self.is_administrator()
    }

    /// May deploy what exists.
    pub fn may_deploy(&self) -> bool {
        self.is_administrator() && self.has_scope(Scope::Deploy)
    }

    /// May make, change and delete projects, apps and what belongs to them.
    pub fn may_write(&self) -> bool {
        self.is_administrator() && self.has_scope(Scope::Admin)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "user:{}", user.id),
            Self::Token { id, .. } => write!(f, "token:{id}"),
            Self::Dhow => f.write_str("dhow"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_is_one_address() {
        assert_eq!(Email::parse(" Ann@Example.com ").unwrap().as_str(), "ann@example.com");
        assert!(Email::parse("demo@localhost").is_ok());
        for bad in [
            "",
            "ann",
            "@x",
            "ann@",
            "a b@x.y",
            "ann@x..y",
            "ann@-x.y",
            "a@b@c",
            "-a@b.c",
            "a@b.c\n@d",
            "ann@ex ample",
        ] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn scopes_and_roles_limit_what_an_actor_may() {
        let user = |role| User {
            id: UserId(1),
            email: "a@b.c".into(),
            role,
            created_at: Timestamp::now(),
        };
        let token = |scope| Actor::Token {
            id: TokenId(1),
            scope,
            user: user(Role::Owner),
        };
        assert!(token(Scope::Read).may_read() && !token(Scope::Read).may_deploy());
        assert!(token(Scope::Deploy).may_deploy() && !token(Scope::Deploy).may_write());
        assert!(token(Scope::Admin).may_write());
        assert!(!Actor::User(user(Role::Member)).may_read());
        assert!(Actor::User(user(Role::Admin)).may_write());
    }
}
