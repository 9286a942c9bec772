//! Invitations: make one, list open ones, take one back, accept one with a password.
//!
//! A link counts only as long as whoever made it could still make it: one of somebody who was deactivated since, or who
//! may no longer give that role, lets nobody in. It is stored as a hash and shown once.

use std::net::IpAddr;

use serde::Deserialize;

use super::{Actions, Error, Fields, Result, access};
use crate::config::INVITATION_LIFETIME_S;
use crate::db::invitations::{NewInvitation, Of};
use crate::db::{self, Page};
use crate::events::Event;
use crate::model::Invalid;
use crate::model::access::{ProjectRole, Right};
use crate::model::client::Client;
use crate::model::ids::{InvitationId, ProjectId};
use crate::model::invitation::Invitation;
use crate::model::time::Timestamp;
use crate::model::user::{Actor, Email, Password, Role, User};
use crate::secrets;

/// What an invitation says.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationInput {
    /// Whom it is for.
    pub email: String,
    /// What they will be in the instance: `member` when left out.
    #[serde(default)]
    pub role: Option<String>,
    /// The slug of a project that they will belong to.
    #[serde(default)]
    pub project: Option<String>,
    /// Their role there: `viewer` when left out.
    #[serde(default)]
    pub project_role: Option<String>,
}

/// A link that was just made: the only time that it is known.
#[derive(Debug, Clone)]
pub struct Made {
    /// What it stands for.
    pub invitation: Invitation,
    /// The whole address.
    pub link: String,
}

/// An input whose rules were checked.
struct Wanted {
    email: Email,
    role: Role,
    place: Option<(String, ProjectRole)>,
}

impl Actions {
    /// Makes an invitation: by an admin, or by a project's admin for a member of that project.
    pub async fn invite(&self, actor: &Actor, input: &InvitationInput) -> Result<Made> {
        let wanted = check(input)?;
        let actor = actor.clone();
        self.make_link(move |tx, hash| invite(tx, &actor, &wanted, hash)).await
    }

    /// Has a new link stored by its hash and answers it.
    pub(super) async fn make_link(
        &self,
        store: impl FnOnce(&db::Tx, &[u8]) -> Result<InvitationId> + Send + 'static,
    ) -> Result<Made> {
        let token = secrets::random_token();
        let hash = secrets::hash_token(&token);
        let invitation = self.db.write(move |tx| {
            let id = store(tx, &hash)?;
            db::invitations::find(tx, id)?.ok_or(Error::NotFound)
        });
        Ok(Made {
            invitation: invitation.await?,
            link: format!("http://{}/invitations/{token}", self.config.listen),
        })
    }

    /// A page of the open invitations that an actor may take back, and for admins of the others too, newest first.
    pub async fn list_invitations(&self, actor: &Actor, page: Page) -> Result<Vec<Invitation>> {
        let of = actor.only_member().map_or(Of::Everybody, Of::Administered);
        Ok(self.db.read(move |c| db::invitations::list(c, of, page)).await?)
    }

    /// Takes an open invitation back.
    pub async fn take_back_invitation(&self, actor: &Actor, id: InvitationId) -> Result<()> {
        let actor = actor.clone();
        self.db.write(move |tx| take_back(tx, &actor, id)).await
    }

    /// An invitation that would let somebody in now.
    pub async fn find_invitation(&self, token: &str) -> Result<Invitation> {
        let hash = secrets::hash_token(token);
        let found = self.db.read(move |c| find_good(c, &hash)).await?;
        found.ok_or(Error::NotFound)
    }

    /// Lets somebody in by their invitation, with the password that they chose. Of two at once, one wins.
    pub async fn accept_invitation(&self, client: &Client, token: &str, password: &str) -> Result<User> {
        let invitation = self.find_invitation(token).await?;
        let password = Password::parse(password).map_err(|error| Error::field("password", error))?;
        let password_hash = self.passwords.hash(password).await;
        let token_hash = secrets::hash_token(token);
        let address = client.address;
        let accepting = self
            .db
            .write(move |tx| accept(tx, address, &token_hash, &password_hash));
        let user = accepting.await?;
        self.events.announce(Event::Account(user.id));
        if let Some(place) = invitation.place {
            self.events.announce(Event::Project(place.project));
        }
        Ok(user)
    }

    /// Seals a link for the time until its page is shown, so that a copy of the database lets nobody in.
    pub fn seal_link(&self, made: &Made) -> Vec<u8> {
        self.secrets.seal(&identity(made.invitation.id), &made.link)
    }

    /// Opens what [`Actions::seal_link`] made; `None` when it is another invitation's.
    pub fn unseal_link(&self, id: InvitationId, sealed: &[u8]) -> Option<String> {
        self.secrets.unseal(&identity(id), sealed).ok()
    }
}

fn identity(id: InvitationId) -> String {
    format!("invitation:{id}")
}

fn check(input: &InvitationInput) -> Result<Wanted> {
    let mut fields = Fields::default();
    let email = fields.check("email", Email::parse(&input.email));
    let role = fields.check("role", input.role.as_deref().map_or(Ok(Role::Member), Role::parse));
    let project_role = input.project_role.as_deref();
    let project_role = fields.check(
        "project_role",
        project_role.map_or(Ok(ProjectRole::Viewer), ProjectRole::parse),
    );
    if input.project.is_none() && input.project_role.is_some() {
        fields.refuse("project", Invalid::new("Say in which project they have this role."));
    }
    fields.finish()?;
    let complete = "without refusals every field is there";
    Ok(Wanted {
        email: email.expect(complete),
        role: role.expect(complete),
        place: input.project.clone().zip(project_role),
    })
}

/// Whether an actor may let somebody in as this: nobody gives more than they have.
fn may_invite(c: &db::Tx, actor: &Actor, role: Role, project: Option<ProjectId>) -> db::Result<bool> {
    if actor.may_grant(role) {
        return Ok(true);
    }
    match project {
        Some(project) if role == Role::Member => Ok(access::right_in(c, actor, project)? == Some(Right::Administer)),
        _ => Ok(false),
    }
}

fn invite(tx: &db::Tx, actor: &Actor, wanted: &Wanted, token_hash: &[u8]) -> Result<InvitationId> {
    let actor = access::as_now(tx, actor)?;
    let place = match &wanted.place {
        Some((slug, role)) => match access::project(tx, &actor, slug, Right::View) {
            Err(Error::NotFound) => return Err(Error::field("project", Invalid::new("There is no such project."))),
            other => Some((other?.id, *role)),
        },
        None => None,
    };
    if !may_invite(tx, &actor, wanted.role, place.map(|(project, _)| project))? {
        return Err(Error::Forbidden);
    }
    if db::users::find_by_email(tx, wanted.email.as_str())?.is_some() {
        let sentence = "Somebody with this address is a user already. Add them to a project instead.";
        return Err(Error::field("email", Invalid::new(sentence)));
    }
    let id = db::invitations::insert(
        tx,
        &NewInvitation {
            token_hash,
            email: &wanted.email,
            role: wanted.role,
            place,
            resets: None,
            invited_by: actor.user().map(|user| user.id),
            expires_at: Timestamp::now().plus_seconds(INVITATION_LIFETIME_S),
        },
    )?;
    let object = match &wanted.place {
        Some((slug, role)) => format!("{}: {}, {role} of {slug}", wanted.email, wanted.role),
        None => format!("{}: {}", wanted.email, wanted.role),
    };
    db::audit::insert(tx, &actor, "invitation.make", &object)?;
    Ok(id)
}

fn take_back(tx: &db::Tx, actor: &Actor, id: InvitationId) -> Result<()> {
    let actor = access::as_now(tx, actor)?;
    let invitation = db::invitations::find(tx, id)?.ok_or(Error::NotFound)?;
    let project = invitation.place.as_ref().map(|place| place.project);
    if !may_invite(tx, &actor, invitation.role, project)? {
        return Err(if actor.sees_all() {
            Error::Forbidden
        } else {
            Error::NotFound
        });
    }
    db::invitations::delete(tx, id)?;
    Ok(db::audit::insert(
        tx,
        &actor,
        "invitation.take_back",
        &invitation.email,
    )?)
}

/// An open invitation that its maker could still make, for somebody whom it still fits.
fn find_good(c: &db::Tx, token_hash: &[u8]) -> db::Result<Option<Invitation>> {
    let Some(invitation) = db::invitations::find_by_hash(c, token_hash)? else {
        return Ok(None);
    };
    let inviter = match invitation.invited_by {
        Some(id) => db::users::find_active(c, id)?,
        None => None,
    };
    let Some(inviter) = inviter.map(Actor::person) else {
        return Ok(None);
    };
    let is_good = match invitation.resets {
        Some(user) => db::users::find_active(c, user)?.is_some_and(|user| inviter.may_grant(user.role)),
        None => {
            let project = invitation.place.as_ref().map(|place| place.project);
            db::users::find_by_email(c, &invitation.email)?.is_none()
                && may_invite(c, &inviter, invitation.role, project)?
        }
    };
    Ok(is_good.then_some(invitation))
}

fn accept(tx: &db::Tx, address: IpAddr, token_hash: &[u8], password_hash: &str) -> Result<User> {
    let invitation = find_good(tx, token_hash)?.ok_or(Error::NotFound)?;
    if !db::invitations::update_used(tx, invitation.id)? {
        return Err(Error::NotFound);
    }
    db::invitations::delete_unused(tx, &invitation.email)?;
    let email = Email::parse(&invitation.email).map_err(|error| anyhow::anyhow!("a stored address: {error}"))?;
    let (id, action) = match invitation.resets {
        Some(id) => {
            db::users::update_password(tx, &email, password_hash)?;
            db::sessions::delete_of_user(tx, id)?;
            (id, "user.set_password")
        }
        None => {
            let id = db::users::insert(tx, &email, password_hash, invitation.role)?;
            if let Some(place) = &invitation.place {
                db::memberships::upsert(tx, place.project, id, place.role)?;
            }
            (id, "invitation.accept")
        }
    };
    let user = db::users::find(tx, id)?.ok_or(Error::NotFound)?;
    db::audit::insert(tx, &Actor::person(user.clone()).at(address), action, email.as_str())?;
    Ok(user)
}

#[cfg(test)]
pub(super) mod tests;
