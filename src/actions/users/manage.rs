//! Users as admins manage them: role, in or out, a link for a new password. Nobody touches whoever stands above them,
//! and an owner who can sign in is always left.

use crate::actions::invitations::Made;
use crate::actions::{Actions, Error, Result, access};
use crate::config::RESET_LIFETIME_S;
use crate::db;
use crate::db::invitations::NewInvitation;
use crate::events::Event;
use crate::model::ids::InvitationId;
use crate::model::time::Timestamp;
use crate::model::user::{Actor, Email, Role, User};

/// What shall be different; what is `None` stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct UserChange {
    /// The role in the instance.
    pub role: Option<Role>,
    /// Whether they may sign in and act.
    pub is_active: Option<bool>,
}

impl Actions {
    /// Changes a user; one who is deactivated is signed out everywhere at once.
    pub async fn change_user(&self, actor: &Actor, email: &str, change: UserChange) -> Result<User> {
        let (actor, email) = (actor.clone(), email.to_owned());
        let user = self.db.write(move |tx| change_user(tx, &actor, &email, change)).await?;
        self.events.announce(Event::Account(user.id));
        Ok(user)
    }

    /// Signs a user out everywhere and makes a link by which they set a new password. Two-factor sign-in stays as it is:
    /// whoever gets hold of the link alone is not let in.
    pub async fn reset_user(&self, actor: &Actor, email: &str) -> Result<Made> {
        let (actor, email) = (actor.clone(), email.to_owned());
        let made = self.make_link(move |tx, hash| reset(tx, &actor, &email, hash)).await?;
        if let Some(user) = made.invitation.resets {
            self.events.announce(Event::Account(user));
        }
        Ok(made)
    }
}

/// The actor as they are now, and a user whom they may change.
fn find(tx: &db::Tx, actor: &Actor, email: &str) -> Result<(Actor, User)> {
    let actor = access::as_now(tx, actor)?;
    if !actor.may_administer() {
        return Err(Error::Forbidden);
    }
    let email = Email::parse(email).map_err(|_| Error::NotFound)?;
    let user = db::users::find_by_email(tx, email.as_str())?.ok_or(Error::NotFound)?;
    if !actor.may_grant(user.role) {
        return Err(Error::Forbidden);
    }
    Ok((actor, user))
}

fn change_user(tx: &db::Tx, actor: &Actor, email: &str, change: UserChange) -> Result<User> {
    let (actor, user) = find(tx, actor, email)?;
    if change.role.is_some_and(|role| !actor.may_grant(role)) {
        return Err(Error::Forbidden);
    }
    let is_active = user.deactivated_at.is_none();
    let loses_owner =
        change.role.is_some_and(|role| role != Role::Owner) || change.is_active.is_some_and(|is_active| !is_active);
    if user.role == Role::Owner && is_active && loses_owner && db::users::count_active_owners(tx)? <= 1 {
        return Err(Error::Conflict(format!(
            "{} is the last owner who can sign in. Make somebody else an owner first.",
            user.email
        )));
    }
    if let Some(role) = change.role.filter(|role| *role != user.role) {
        db::users::update_role(tx, user.id, role)?;
        db::audit::insert(tx, &actor, "user.change_role", &format!("{}: {role}", user.email))?;
    }
    match change.is_active.filter(|wanted| *wanted != is_active) {
        Some(true) => {
            db::users::update_deactivated(tx, user.id, None)?;
            db::audit::insert(tx, &actor, "user.let_in", &user.email)?;
        }
        Some(false) => {
            db::users::update_deactivated(tx, user.id, Some(Timestamp::now()))?;
            db::sessions::delete_of_user(tx, user.id)?;
            db::invitations::delete_unused(tx, &user.email)?;
            db::audit::insert(tx, &actor, "user.deactivate", &user.email)?;
        }
        None => {}
    }
    db::users::find(tx, user.id)?.ok_or(Error::NotFound)
}

fn reset(tx: &db::Tx, actor: &Actor, email: &str, token_hash: &[u8]) -> Result<InvitationId> {
    let (actor, user) = find(tx, actor, email)?;
    if user.deactivated_at.is_some() {
        return Err(Error::Conflict(format!(
            "{} is deactivated. Let them in again first.",
            user.email
        )));
    }
    let email = Email::parse(&user.email).map_err(|_| Error::NotFound)?;
    db::sessions::delete_of_user(tx, user.id)?;
    db::invitations::delete_unused(tx, &user.email)?;
    let id = db::invitations::insert(
        tx,
        &NewInvitation {
            token_hash,
            email: &email,
            role: user.role,
            place: None,
            resets: Some(user.id),
            invited_by: actor.user().map(|user| user.id),
            expires_at: Timestamp::now().plus_seconds(RESET_LIFETIME_S),
        },
    )?;
    db::audit::insert(tx, &actor, "user.reset", &user.email)?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::invitations::tests::Office;

    const MEMBER: UserChange = UserChange {
        role: Some(Role::Member),
        is_active: None,
    };
    const OUT: UserChange = UserChange {
        role: None,
        is_active: Some(false),
    };

    async fn change(office: &Office, actor: &Actor, email: &'static str, change: UserChange) -> Result<User> {
        let actor = actor.clone();
        office.write(move |tx| change_user(tx, &actor, email, change)).await
    }

    #[tokio::test]
    async fn nobody_touches_whoever_stands_above_them() {
        let office = Office::open().await;
        let admin = office.user("admin@x", Role::Admin).await;
        let member = office.user("member@x", Role::Member).await;
        let owner_role = UserChange {
            role: Some(Role::Owner),
            is_active: None,
        };
        for (actor, email, wanted) in [
            (&admin, "owner@x", MEMBER),
            (&admin, "owner@x", OUT),
            (&admin, "member@x", owner_role),
            (&admin, "admin@x", owner_role),
            (&member, "member@x", owner_role),
            (&member, "nobody@x", OUT),
        ] {
            let result = change(&office, actor, email, wanted).await;
            assert!(
                matches!(result, Err(Error::Forbidden)),
                "{actor} on {email} {wanted:?}: {result:?}"
            );
        }
        let owner = admin.clone();
        let refused = office.write(move |tx| reset(tx, &owner, "owner@x", b"h")).await;
        assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
        let promoted = change(
            &office,
            &admin,
            "member@x",
            UserChange {
                role: Some(Role::Admin),
                is_active: None,
            },
        );
        assert_eq!(promoted.await.unwrap().role, Role::Admin);
    }

    #[tokio::test]
    async fn an_owner_who_can_sign_in_is_always_left() {
        let office = Office::open().await;
        let owner = office.owner();
        for wanted in [MEMBER, OUT] {
            let refused = change(&office, &owner, "owner@x", wanted).await;
            assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        }
        let second = office.user("second@x", Role::Owner).await;
        assert!(
            change(&office, &owner, "second@x", OUT)
                .await
                .unwrap()
                .deactivated_at
                .is_some()
        );
        let refused = change(&office, &owner, "owner@x", OUT).await;
        assert!(
            matches!(refused, Err(Error::Conflict(_))),
            "a deactivated owner does not count"
        );
        let refused = change(&office, &second, "owner@x", OUT).await;
        assert!(
            matches!(refused, Err(Error::Forbidden)),
            "nor may they act with a request that began before"
        );
    }
}
