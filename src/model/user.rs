//! Who uses Dhow: people, their roles, the tokens that act for them.

use std::fmt;
use std::net::IpAddr;

use super::Invalid;
use super::access::{ProjectRole, Right};
use super::ids::{AppId, TokenId, UserId};
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
    /// Since when they may do nothing.
    pub deactivated_at: Option<Timestamp>,
}

/// Who acts, and from where.
#[derive(Debug, Clone)]
pub struct Actor {
    who: Who,
    address: Option<IpAddr>,
}

#[derive(Debug, Clone)]
enum Who {
    /// A person with a session.
    User(User),
    /// A program with a token of that person.
    Token { id: TokenId, scope: Scope, user: User },
    /// What a forge sent to the webhook of an app.
    Webhook(AppId),
    /// Dhow's own command line or Dhow itself.
    Dhow,
}

impl Actor {
    /// Dhow's own command line or Dhow itself.
    pub const DHOW: Self = Self {
        who: Who::Dhow,
        address: None,
    };

    /// A person with a session.
    pub const fn person(user: User) -> Self {
        Self {
            who: Who::User(user),
            address: None,
        }
    }

    /// A program with a token of a person.
    pub const fn token(id: TokenId, scope: Scope, user: User) -> Self {
        Self {
            who: Who::Token { id, scope, user },
            address: None,
        }
    }

    /// What a forge sent to the webhook of an app. It has no right that could be asked for: its one action, to have
    /// that app deployed, is what its signature stands for.
    pub const fn webhook(app: AppId) -> Self {
        Self {
            who: Who::Webhook(app),
            address: None,
        }
    }

    /// The same, acting from an address.
    pub fn at(self, address: IpAddr) -> Self {
        Self {
            address: Some(address.to_canonical()),
            ..self
        }
    }

    /// The same, with its person as they are now.
    pub fn with_user(&self, user: User) -> Self {
        let who = match self.who {
            Who::Token { id, scope, .. } => Who::Token { id, scope, user },
            Who::User(_) | Who::Webhook(_) | Who::Dhow => Who::User(user),
        };
        Self {
            who,
            address: self.address,
        }
    }

    /// Where it acts from, where that is known.
    pub const fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// The token that it acts with.
    pub const fn token_id(&self) -> Option<TokenId> {
        match self.who {
            Who::Token { id, .. } => Some(id),
            Who::User(_) | Who::Webhook(_) | Who::Dhow => None,
        }
    }

    /// Whose rights count, if a person stands behind it.
    pub const fn user(&self) -> Option<&User> {
        match &self.who {
            Who::User(user) | Who::Token { user, .. } => Some(user),
            Who::Webhook(_) | Who::Dhow => None,
        }
    }

    /// The highest right that its token gives; a person's own session gives all.
    fn scope_right(&self) -> Right {
        match &self.who {
            Who::Webhook(_) => Right::View,
            Who::User(_) | Who::Dhow => Right::Administer,
            Who::Token { scope, .. } => match scope {
                Scope::Read => Right::View,
                Scope::Deploy => Right::Deploy,
                Scope::Admin => Right::Administer,
            },
        }
    }

    /// May see every project; others see those that they belong to.
    pub fn sees_all(&self) -> bool {
        match &self.who {
            Who::User(user) | Who::Token { user, .. } => user.role <= Role::Admin,
            Who::Webhook(_) => false,
            Who::Dhow => true,
        }
    }

    /// Whose memberships decide what it sees; `None` for one who sees all.
    pub fn only_member(&self) -> Option<UserId> {
        self.user().filter(|_| !self.sees_all()).map(|user| user.id)
    }

    /// The right that it has in a project in which its user is a member in this role, or none at all.
    pub fn right_in(&self, role: Option<ProjectRole>) -> Option<Right> {
        let right = if self.sees_all() {
            Right::Administer
        } else {
            role?.right()
        };
        Some(right.min(self.scope_right()))
    }

    /// Whether its token, if it has one, is good for a right.
    pub fn has_scope(&self, needed: Right) -> bool {
        self.scope_right() >= needed
    }

    /// May make projects, and say who uses Dhow.
    pub fn may_administer(&self) -> bool {
        self.sees_all() && self.has_scope(Right::Administer)
    }

    /// May give somebody a role in the instance, or take it: nobody gives more than they have.
    pub fn may_grant(&self, role: Role) -> bool {
        self.may_administer() && self.user().is_none_or(|user| user.role <= role)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.who {
            Who::User(user) => write!(f, "user:{}", user.id),
            Who::Token { id, .. } => write!(f, "token:{id}"),
            Who::Webhook(app) => write!(f, "webhook:{app}"),
            Who::Dhow => f.write_str("dhow"),
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
            deactivated_at: None,
        };
        let token = |scope| Actor::token(TokenId(1), scope, user(Role::Owner));
        let member = |scope| Actor::token(TokenId(1), scope, user(Role::Member));
        for (actor, role, expected) in [
            (token(Scope::Read), None, Some(Right::View)),
            (token(Scope::Deploy), None, Some(Right::Deploy)),
            (token(Scope::Admin), None, Some(Right::Administer)),
            (Actor::person(user(Role::Admin)), None, Some(Right::Administer)),
            (Actor::person(user(Role::Member)), None, None),
            (
                Actor::person(user(Role::Member)),
                Some(ProjectRole::Viewer),
                Some(Right::View),
            ),
            (
                Actor::person(user(Role::Member)),
                Some(ProjectRole::Developer),
                Some(Right::Change),
            ),
            (
                Actor::person(user(Role::Member)),
                Some(ProjectRole::Admin),
                Some(Right::Administer),
            ),
            (member(Scope::Admin), Some(ProjectRole::Viewer), Some(Right::View)),
            (member(Scope::Deploy), Some(ProjectRole::Admin), Some(Right::Deploy)),
            (member(Scope::Admin), None, None),
            (Actor::DHOW, None, Some(Right::Administer)),
            (Actor::webhook(AppId(1)), None, None),
        ] {
            assert_eq!(actor.right_in(role), expected, "{actor:?} as {role:?}");
        }
    }

    #[test]
    fn nobody_gives_a_role_above_their_own() {
        let actor = |role| {
            Actor::person(User {
                id: UserId(1),
                email: "a@b.c".into(),
                role,
                created_at: Timestamp::now(),
                deactivated_at: None,
            })
        };
        assert!(actor(Role::Owner).may_grant(Role::Owner) && actor(Role::Admin).may_grant(Role::Admin));
        assert!(!actor(Role::Admin).may_grant(Role::Owner));
        assert!(!actor(Role::Member).may_grant(Role::Member));
    }
}
